import { CertwireError } from "../../errors/certwire-error.ts";
import type { CertwireEvent } from "../../events/event.ts";
import { Epoch, type EpochState } from "./epoch.ts";
import { journalReport } from "./journal-report.ts";
import { journalsOf } from "./journals.ts";
import { type EventPlace, foundGapIndex, placeOf } from "./place.ts";
import type { CompletenessReport } from "./report.ts";

/** What is known of the place that an event was read from. */
export interface CompletenessPlace {
  /**
   * Name of its partition, if the broker has already deleted the oldest events of that partition. Then the proof begins
   * where the last such partition begins. Default none.
   */
  readonly truncatedPartition?: string;
}

/** What `toJSON` returns and `from` accepts. Its content may change with a version; it is not for other readers. */
export interface CompletenessState {
  readonly version: 1;
  readonly epochs: readonly EpochState[];
  readonly partitions: readonly (readonly [
    name: string,
    firsts: readonly (readonly [epochId: string, sequence: number])[],
  ])[];
}

/**
 * Proves that a consumer of a whole topic, stream or file has everything that the journals of its CAs recorded: by
 * epoch, record number and gap events. Takes the events in any order, with duplicates and replays. Its memory grows
 * with the number of holes and epochs, not of events.
 *
 * ```ts
 * const completeness = Completeness.from(JSON.parse(await readFile("completeness.json", "utf8")));
 * completeness.add(event);
 * const { isComplete, journals } = completeness.report();
 * await writeFile("completeness.json", JSON.stringify(completeness));
 * ```
 */
export class Completeness {
  readonly #epochs = new Map<string, Epoch>();
  readonly #partitions = new Map<string, Map<string, number>>();

  /** Continues with a saved state. Throws CERTWIRE_CONSUMER_OPTIONS if it is not one. */
  static from(state: CompletenessState): Completeness {
    try {
      if (state.version !== 1) throw new TypeError("another version");
      const completeness = new Completeness();
      for (const each of state.epochs) completeness.#epochs.set(each.id, new Epoch(each));
      for (const [name, firsts] of state.partitions) {
        completeness.#partitions.set(name, new Map(firsts));
      }
      return completeness;
    } catch (cause) {
      if (!(cause instanceof TypeError)) throw cause;
      const message = "state: it is not one that Completeness has saved";
      throw new CertwireError("CERTWIRE_CONSUMER_OPTIONS", message, { cause });
    }
  }

  /** Takes an event into account. Throws CERTWIRE_MESSAGE_INVALID if its id names no place in a journal. */
  add(event: CertwireEvent, { truncatedPartition }: CompletenessPlace = {}): void {
    const place = placeOf(event);
    const known = this.#epochs.get(place.epochId);
    const epoch = known ?? Epoch.startingWith(place, event);
    if (known === undefined) this.#epochs.set(place.epochId, epoch);
    epoch.add(event, place);
    if (truncatedPartition !== undefined && event.replayed !== true) {
      this.#addTruncated(truncatedPartition, place);
    }
  }

  /** What is there so far, and what is missing. */
  report(): CompletenessReport {
    const journals = journalsOf(this.#epochs.values()).map((epochs) =>
      journalReport(epochs, this.#partitions.values()),
    );
    const epochs = journals.flatMap((journal) => journal.epochs);
    const sum = (member: "events" | "duplicates" | "holes"): number =>
      epochs.reduce((total, epoch) => total + epoch[member], 0);
    const holes = sum("holes");
    return {
      isComplete: holes === 0,
      events: sum("events"),
      duplicates: sum("duplicates"),
      holes,
      journals,
    };
  }

  /** The state to save; `JSON.stringify` calls it. */
  toJSON(): CompletenessState {
    return {
      version: 1,
      epochs: [...this.#epochs.values()].map((epoch) => epoch.toJSON()),
      partitions: [...this.#partitions].map(([name, firsts]) => [name, [...firsts]]),
    };
  }

  /** A gap that the reader found says nothing about the partition: its key is not that of a request. */
  #addTruncated(partition: string, { epochId, sequence, index }: EventPlace): void {
    if (index === foundGapIndex) return;
    const firsts = this.#partitions.get(partition) ?? new Map<string, number>();
    firsts.set(epochId, Math.min(firsts.get(epochId) ?? sequence, sequence));
    this.#partitions.set(partition, firsts);
  }
}
