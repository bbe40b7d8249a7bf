import { CertwireError } from "../../errors/certwire-error.ts";
import type { CertwireEvent } from "../../events/event.ts";
import { Checked } from "./checked.ts";
import { Epoch } from "./epoch.ts";
import { type EpochState, readEpochState } from "./epoch-state.ts";
import { journalReport } from "./journal-report.ts";
import { journalsOf } from "./journals.ts";
import { type EventPlace, foundGapIndex, isFromDatabase, placeOf } from "./place.ts";
import type { CompletenessReport } from "./report.ts";

/** What is known of the place that an event was read from. */
export interface CompletenessPlace {
  /**
   * Name of its partition, if the broker has already deleted the oldest events of that partition. Then the proof begins
   * where the last such partition begins. Default none.
   */
  readonly truncatedPartition?: string;
  /**
   * True for an event after the end of what is to be proven. It can fill a hole, and never shows one: events before it
   * may still be on their way in other partitions. Default false.
   */
  readonly isLate?: boolean;
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

/** Most memory, in units of about 100 bytes: some 45,000 epochs, or holes in 250,000 places far from each other. */
const maxSize = 2_000_000;

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
  /** What all of it needs, as `Epoch.size`. */
  #size = 0;

  /** Continues with a saved state. Throws CERTWIRE_CONSUMER_OPTIONS if it is not one. */
  static from(state: CompletenessState): Completeness {
    try {
      const checked = new Checked(state);
      if (checked.get("version").count() !== 1) throw new TypeError("another version");
      const completeness = new Completeness();
      for (const each of checked.get("epochs").list(readEpochState)) {
        completeness.#addEpoch(new Epoch(each));
      }
      for (const [name, firsts] of checked.get("partitions").list(readPartition)) {
        completeness.#partitions.set(name, new Map(firsts));
        completeness.#size += 1 + firsts.length;
      }
      return completeness;
    } catch (cause) {
      if (!(cause instanceof TypeError)) throw cause;
      const message = "state: it is not one that Completeness has saved";
      throw new CertwireError("CERTWIRE_CONSUMER_OPTIONS", message, { cause });
    }
  }

  /**
   * Takes an event into account. Throws CERTWIRE_MESSAGE_INVALID if its id names no place in a journal, nor an event of
   * the CA's database or a finding, and CERTWIRE_COMPLETENESS_LIMIT if there are more holes or epochs than memory for them.
   */
  add(event: CertwireEvent, { truncatedPartition, isLate = false }: CompletenessPlace = {}): void {
    // What the CA's database says stands in no journal, and fills no hole.
    if (isFromDatabase(event)) return;
    const place = placeOf(event);
    if (this.#size >= maxSize) {
      const { size } = this.#epochs;
      const text = `there are too many holes in the numbers of the records, in ${size} epochs`;
      throw new CertwireError("CERTWIRE_COMPLETENESS_LIMIT", text);
    }
    const epoch = this.#epochs.get(place.epochId) ?? this.#start(event, place);
    const before = epoch.size;
    epoch.add(event, place, isLate);
    this.#size += epoch.size - before;
    if (truncatedPartition !== undefined && !isLate) {
      this.addTruncatedPartition(truncatedPartition);
      if (event.replayed !== true) this.#addTruncated(truncatedPartition, place);
    }
  }

  /**
   * Takes into account that the broker has deleted the oldest events of a partition, even if none is left in it.
   * `add` does so for the partition of its event.
   */
  addTruncatedPartition(name: string): void {
    if (this.#partitions.has(name)) return;
    this.#partitions.set(name, new Map());
    this.#size += 1;
  }

  /** What is there so far, and what is missing. */
  report(): CompletenessReport {
    // What came late shows nothing.
    const inTime = [...this.#epochs.values()].filter(({ last }) => last !== undefined);
    const journals = journalsOf(inTime).map((runs) => journalReport(runs, this.#partitions));
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

  #start(event: CertwireEvent, place: EventPlace): Epoch {
    const epoch = Epoch.startingWith(place, event);
    this.#addEpoch(epoch);
    return epoch;
  }

  #addEpoch(epoch: Epoch): void {
    if (this.#epochs.has(epoch.id)) throw new TypeError("an epoch is there twice");
    this.#epochs.set(epoch.id, epoch);
    this.#size += epoch.size;
  }

  /** A gap that the reader found says nothing about the partition: its key is not that of a request. */
  #addTruncated(partition: string, { epochId, sequence, index }: EventPlace): void {
    const firsts = this.#partitions.get(partition);
    if (firsts === undefined || index === foundGapIndex) return;
    const known = firsts.get(epochId);
    if (known === undefined) this.#size += 1;
    firsts.set(epochId, Math.min(known ?? sequence, sequence));
  }
}

function readPartition(state: Checked): readonly [string, (readonly [string, number])[]] {
  const firsts = state.get(1).list((each) => [each.get(0).text(), each.get(1).count()] as const);
  return [state.get(0).text(), firsts];
}
