/** Records that are missing: all numbers from `from` to `to`. */
export interface MissingRecords {
  readonly kind: "records";
  readonly epochNumber: number;
  readonly epochId: string;
  readonly from: number;
  readonly to: number;
  /** Reason of the gap event that accounts for them; absent if none does. */
  readonly accountedBy?: string;
}

/** Events that are missing of a record whose other events are there: CRLs of one publication. */
export interface MissingEvents {
  readonly kind: "events";
  readonly epochNumber: number;
  readonly epochId: string;
  readonly sequence: number;
  /** Last parts of the ids of the missing events. */
  readonly indexes: readonly number[];
  readonly accountedBy?: undefined;
}

/**
 * Nothing says that an epoch ended where its events end: no `ca.stopped`, no gap event, but a later epoch is there. The
 * records from `from` onward may be missing.
 */
export interface MissingEnd {
  readonly kind: "end";
  readonly epochNumber: number;
  readonly epochId: string;
  readonly from: number;
  readonly accountedBy?: undefined;
}

/** Epochs that are missing: all numbers from `from` to `to`. */
export interface MissingEpochs {
  readonly kind: "epochs";
  readonly from: number;
  readonly to: number;
  /** Reason of the gap event that accounts for them; absent if none does. */
  readonly accountedBy?: string;
}

/** Something that is missing, and its position. */
export type Hole = MissingRecords | MissingEvents | MissingEnd | MissingEpochs;

/** One epoch: what a CA recorded from one start to the next. */
export interface EpochReport {
  readonly epochNumber: number;
  readonly epochId: string;
  /** The lowest number of a record that is there; absent if there are only gap events. */
  readonly first?: number;
  readonly last?: number;
  /** Different events, gap events among them. */
  readonly events: number;
  /** Further copies of these events: redelivered, published twice or replayed. */
  readonly duplicates: number;
  /** Missing numbers that a gap event accounts for. */
  readonly accounted: number;
  /** Events that the CA lost before they got a number, as gap events count them (`disk-full`, `memory`). */
  readonly lost: number;
  /** Single numbers missing after `ca.stopped`, each taken for a seal of the journal, which is not an event. */
  readonly seals: number;
  /** Holes that no gap event accounts for, those before this epoch among them. */
  readonly holes: number;
}

/** Where the proof begins; what was before it is not known, and not a hole. */
export interface CompletenessStart {
  readonly epochNumber: number;
  readonly epochId: string;
  readonly sequence: number;
  /** True if this is the beginning of an epoch. */
  readonly isStartOfEpoch: boolean;
}

/** One journal: the CA, its epochs in the order of time, and what is missing. */
export interface JournalReport {
  /** Ids of the CA, more than one after a renewal with a new key. Empty if no event has one. */
  readonly caIds: readonly string[];
  readonly sources: readonly string[];
  readonly startsAt: CompletenessStart;
  /**
   * Partitions whose oldest events the broker has deleted, and that have none of this journal left: a hole may be an
   * event that was deleted from one of them.
   */
  readonly emptied: readonly string[];
  readonly epochs: readonly EpochReport[];
  /** In the order of the journal, the first 100,000; those with `accountedBy` are explained by gap events. */
  readonly holes: readonly Hole[];
  /** How many more there are. */
  readonly unlisted: number;
}

/** What is there, and what is missing. */
export interface CompletenessReport {
  /** True if each missing record is accounted for by a gap event. True if there is no event at all. */
  readonly isComplete: boolean;
  /** Different events. */
  readonly events: number;
  /** Further copies of them. */
  readonly duplicates: number;
  /** Holes that no gap event accounts for. */
  readonly holes: number;
  /** In the order of their oldest events. */
  readonly journals: readonly JournalReport[];
}
