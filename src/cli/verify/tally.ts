import { Completeness, type CompletenessPlace } from "../../consumer/completeness/completeness.ts";
import type { CompletenessReport } from "../../consumer/completeness/report.ts";
import type { ReceivedMessage } from "../../consumer/message.ts";
import { knownKindOf, readEvent } from "../../consumer/read-event.ts";
import { CertwireError } from "../../errors/certwire-error.ts";
import { Progress } from "../progress.ts";
import type { Extent } from "./read-to-end.ts";

/** What a verification reads: the messages of a broker, or the lines of files. */
export type Things = "message" | "line";

/** What `certwire verify` has read so far. */
export class Tally {
  /** Messages or lines that are not events of Certwire. */
  foreign = 0;
  /** Events of a later version of Certwire. */
  later = 0;
  /** Messages or lines. */
  read = 0;
  /** What may be the reason for a hole that is none, for people to read. */
  readonly notes: string[] = [];
  readonly #things: Things;
  readonly #completeness = new Completeness();
  readonly #progress = new Progress();
  #total: number | undefined;

  constructor(things: Things) {
    this.#things = things;
  }

  /** How many holes there are. Takes time that grows with them. */
  get holes(): number {
    return this.#completeness.report().holes;
  }

  /** What there is to read, once that is known. */
  expect(extents: readonly Extent[]): void {
    this.#total = extents.reduce((sum, { low, high }) => sum + Number(high - low), 0);
    for (const { place, low } of extents) {
      if (low > 0n) this.#completeness.addTruncatedPartition(place);
    }
  }

  /** Notes where the broker has deleted messages since `before`. */
  compare(before: readonly Extent[], after: readonly Pick<Extent, "place" | "low">[]): void {
    for (const { place, low } of after) {
      const known = before.find((extent) => extent.place === place);
      if (known === undefined || low <= known.low) continue;
      this.notes.push(`the broker deleted messages of ${place} meanwhile: verify again`);
    }
  }

  /** Takes a message or line; one that is not an event only counts. */
  add(message: Pick<ReceivedMessage, "headers" | "body">, place: CompletenessPlace = {}): void {
    this.read += 1;
    this.#progress.count(this.read, this.#total, `${this.#things}s`);
    try {
      const event = readEvent(message);
      this.#completeness.add(event, place);
      if (knownKindOf(event) === undefined) this.later += 1;
    } catch (error) {
      const isForeign = error instanceof CertwireError && error.code === "CERTWIRE_MESSAGE_INVALID";
      if (!isForeign) throw error;
      this.foreign += 1;
    }
  }

  /** The result; erases the progress. */
  finish(): CompletenessReport {
    this.#progress.end();
    return this.#completeness.report();
  }
}
