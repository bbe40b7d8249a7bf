import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { NativeExitSimulator } from "../../src/native/addon.ts";
import { readJournalIndependently } from "./independent-journal-reader.ts";
import { sequenceOf } from "./sample-events.ts";
import { journalDirectory, openSmall, smallEvent } from "./small-journal.ts";

const segmentBytes = 4 * 1024 * 1024;

/** A journal that the exit module's own code keeps writing while services read it. */
export class GrowingJournal {
  readonly directory: string;
  readonly #simulator: NativeExitSimulator;
  readonly #requests: number;
  #events = 0;

  /** Its events go round `requests` request IDs in turn. */
  constructor(t: Pick<TestContext, "after">, requests: number) {
    this.directory = journalDirectory(t);
    this.#simulator = openSmall(this.directory, segmentBytes);
    this.#requests = requests;
    t.after(() => this.#simulator.close());
  }

  /** Sequence number of its newest event. */
  get lastSequence(): number {
    return 1 + this.#events; // the frame that begins the epoch has the first number
  }

  /** Records this many events at once. */
  append(count: number): void {
    for (let made = 0; made < count; made += 1) {
      this.#events += 1;
      this.#simulator.notify(smallEvent(1 + (this.#events % this.#requests)));
    }
  }

  /** The ids that its events must have, in their order. */
  eventIds(): string[] {
    const ids = readJournalIndependently(this.directory).map(
      ({ epochId, sequence, index }) => `${epochId}-${sequence}-${index}`,
    );
    assert.equal(ids.length, this.#events, "the journal has every event");
    assert.equal(sequenceOf({ id: ids.at(-1) ?? "" }), this.lastSequence);
    return ids;
  }
}
