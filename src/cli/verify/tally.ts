import { Completeness, type CompletenessPlace } from "../../consumer/completeness/completeness.ts";
import type { CompletenessReport } from "../../consumer/completeness/report.ts";
import type { ReceivedMessage } from "../../consumer/message.ts";
import { knownKindOf, readEvent } from "../../consumer/read-event.ts";
import { CertwireError } from "../../errors/certwire-error.ts";
import { type ChainReport, checkChain } from "../../evidence/check-chain.ts";
import { dataJson } from "../../evidence/data-json.ts";
import { EventLog, type ReadPlace } from "../../evidence/event-log.ts";
import type { Findings } from "../../evidence/finding.ts";
import type { JournalComparison } from "../../evidence/journal-comparison.ts";
import { Progress } from "../progress.ts";
import type { Extent, MessageTaker } from "./read-to-end.ts";

/** What a verification reads: the messages of a broker, or the lines of files. */
export type Things = "message" | "line";

/** What `certwire verify` has read so far. */
export class Tally implements MessageTaker {
  /** Messages or lines that are not events of Certwire. */
  foreign = 0;
  /** Events of a later version of Certwire. */
  later = 0;
  /** Events of a CA's database and findings of comparisons with it, which are of no journal. */
  database = 0;
  /** Messages or lines. */
  read = 0;
  /** What may be the reason for a hole that is none, for people to read. */
  readonly notes: string[] = [];
  readonly #things: Things;
  readonly #findings: Findings;
  readonly #comparison: JournalComparison | undefined;
  readonly #completeness = new Completeness();
  readonly #log = new EventLog();
  readonly #progress = new Progress();
  #comparing: Promise<void> | undefined;
  #total: number | undefined;

  /** `comparison`: with the journal that the events are from; default none. */
  constructor(things: Things, findings: Findings, comparison?: JournalComparison) {
    this.#things = things;
    this.#findings = findings;
    this.#comparison = comparison;
  }

  /** How many holes there are. Takes time that grows with them. */
  get holes(): number {
    return this.#completeness.report().holes;
  }

  expect(extents: readonly Extent[]): void {
    this.#total = extents.reduce((sum, { low, high }) => sum + Number(high - low), 0);
    for (const { place, low } of extents) {
      if (low > 0n) this.#completeness.addTruncatedPartition(place);
    }
  }

  expectCompaction(): void {
    if (this.#comparison) this.#comparison.keepsKeys = true;
    else {
      this.notes.push(
        "the broker compacts the topic: only --journal tells what it deleted from what somebody did",
      );
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

  /**
   * Takes a message or line; one that is not an event only counts. `where`: the place of this one.
   */
  add(
    message: Pick<ReceivedMessage, "headers" | "body">,
    where: ReadPlace,
    place: CompletenessPlace = {},
  ): void {
    this.read += 1;
    this.#progress.count(this.read, this.#total, `${this.#things}s`);
    try {
      const event = readEvent(message);
      this.#completeness.add(event, place);
      if (event.origin === "database") this.database += 1;
      if (knownKindOf(event) === undefined) this.later += 1;
      this.#log.add(event, dataJson(event, message), where);
      this.#comparison?.add(event, JSON.stringify(event.data), `${where.name}${where.at}`);
    } catch (error) {
      const isForeign = error instanceof CertwireError && error.code === "CERTWIRE_MESSAGE_INVALID";
      if (!isForeign) throw error;
      this.foreign += 1;
    }
  }

  /**
   * Resolves when there is space for more: events that are compared with the journal are kept until then. Rejects with
   * CERTWIRE_JOURNAL_UNREADABLE.
   */
  async makeSpace(signal: AbortSignal): Promise<void> {
    if (!this.#comparison?.isFull && this.#comparing === undefined) return;
    this.#comparing ??= this.#comparison?.compare(signal).finally(() => {
      this.#comparing = undefined;
    });
    await this.#comparing;
  }

  /** The result of the numbers. */
  report(): CompletenessReport {
    return this.#completeness.report();
  }

  /** The result of the hashes, once everything is added. */
  checkChain(): ChainReport {
    return checkChain(this.#log, this.#findings);
  }

  /** Erases the progress. */
  end(): void {
    this.#progress.end();
  }
}
