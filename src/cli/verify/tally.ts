import { Completeness, type CompletenessPlace } from "../../consumer/completeness/completeness.ts";
import type { CompletenessReport } from "../../consumer/completeness/report.ts";
import type { ReceivedMessage } from "../../consumer/message.ts";
import { readEvent } from "../../consumer/read-event.ts";
import { CertwireError } from "../../errors/certwire-error.ts";
import type { CertwireEvent } from "../../events/event.ts";
import { Progress } from "../progress.ts";

/** What `certwire verify` has read so far. */
export class Tally {
  /** Messages of a broker, or lines of files, that are not events of Certwire. */
  foreign = 0;
  /** Messages or lines. */
  read = 0;
  readonly #completeness = new Completeness();
  readonly #progress = new Progress();
  #total: number | undefined;

  /** How much there is to read, once that is known. */
  expect(total: number): void {
    this.#total = total;
  }

  /** Takes a message; one that is not an event only counts. */
  addMessage(message: ReceivedMessage, place: CompletenessPlace): void {
    this.#count();
    try {
      this.#completeness.add(readEvent(message), place);
    } catch (error) {
      this.#addForeign(error);
    }
  }

  addEvent(event: CertwireEvent): void {
    this.#count();
    try {
      this.#completeness.add(event);
    } catch (error) {
      this.#addForeign(error);
    }
  }

  /** Takes a line of a file that is not JSON. */
  addTornLine(): void {
    this.#count();
    this.foreign += 1;
  }

  /** The result; erases the progress. */
  finish(): CompletenessReport {
    this.#progress.end();
    return this.#completeness.report();
  }

  #addForeign(error: unknown): void {
    const isForeign = error instanceof CertwireError && error.code === "CERTWIRE_MESSAGE_INVALID";
    if (!isForeign) throw error;
    this.foreign += 1;
  }

  #count(): void {
    this.read += 1;
    this.#progress.count(this.read, this.#total, "messages");
  }
}
