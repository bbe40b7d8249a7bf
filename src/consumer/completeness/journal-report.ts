import { type Epoch, endOf, type Gap } from "./epoch.ts";
import type { JournalEpochs } from "./journals.ts";
import type { Range } from "./ranges.ts";
import type {
  CompletenessStart,
  EpochReport,
  Hole,
  JournalReport,
  MissingEpochs,
  MissingEvents,
  MissingRecords,
} from "./report.ts";

/** Number of the EPOCH frame, which is not an event. */
const epochFrame = 1;

/** Gaps after which the reader of a journal went on in another epoch, maybe not at its beginning. */
const passesEpochs: ReadonlySet<string> = new Set(["retention", "rollback", "missing-segment"]);
const entersMidEpoch: ReadonlySet<string> = new Set(["retention", "rollback"]);

/** Per partition that has lost its oldest events, its first event in each epoch. */
export type PartitionStarts = Iterable<ReadonlyMap<string, number>>;

/** What is missing in one journal. */
export function journalReport(epochs: JournalEpochs, partitions: PartitionStarts): JournalReport {
  const start = startOf(epochs, partitions);
  const reports: EpochReport[] = [];
  const holes: Hole[] = [];
  for (const [at, epoch] of epochs.entries()) {
    const found = at < start.at ? none : new EpochHoles(epochs, at, start).find();
    holes.push(...found.holes);
    reports.push(epochReport(epoch, found));
  }
  const { id, number } = epochs[start.at] ?? epochs[0];
  const { sequence } = start;
  const isStartOfEpoch = sequence <= epochFrame + 1;
  return {
    caIds: textsOf(epochs, ({ cas }) => cas),
    sources: textsOf(epochs, ({ sources }) => sources),
    startsAt: { epochNumber: number, epochId: id, sequence, isStartOfEpoch },
    epochs: reports,
    holes,
  };
}

/** Each text once, in the order of the epochs. */
function textsOf(epochs: JournalEpochs, of: (epoch: Epoch) => Iterable<string>): string[] {
  return [...new Set(epochs.flatMap((epoch) => [...of(epoch)].toSorted()))];
}

interface Found {
  readonly holes: readonly Hole[];
  readonly seals: number;
}

const none: Found = { holes: [], seals: 0 };

interface Start extends Pick<CompletenessStart, "sequence"> {
  /** Index of the epoch. */
  readonly at: number;
}

/**
 * Where the proof begins: at the oldest event that is not a replay, or where the last of the partitions begins whose
 * oldest events are deleted, whichever is later.
 */
function startOf(epochs: JournalEpochs, partitions: PartitionStarts): Start {
  const live = epochs.findIndex(({ firstLive }) => firstLive !== undefined);
  const at = Math.max(live, 0);
  const { firstLive, first } = epochs[at] ?? epochs[0];
  let start: Start = { at, sequence: firstLive ?? first };
  for (const firsts of partitions) {
    const own = epochs.findIndex(({ id }) => firsts.has(id));
    const sequence = firsts.get(epochs[own]?.id ?? "");
    if (sequence === undefined) continue;
    if (own > start.at || (own === start.at && sequence > start.sequence)) {
      start = { at: own, sequence };
    }
  }
  return start;
}

function epochReport(epoch: Epoch, { holes, seals }: Found): EpochReport {
  const { id: epochId, number: epochNumber, events, duplicates, lost, seen } = epoch;
  const accounted = holes
    .filter((hole): hole is MissingRecords => hole.kind === "records" && isAccounted(hole))
    .reduce((sum, { from, to }) => sum + to - from + 1, 0);
  return {
    epochNumber,
    epochId,
    ...(seen.first !== undefined && { first: seen.first, last: seen.last ?? seen.first }),
    events,
    duplicates,
    accounted,
    lost,
    seals,
    holes: holes.filter((hole) => !isAccounted(hole)).length,
  };
}

/** True if a gap event accounts for a hole. */
export function isAccounted({ accountedBy }: Hole): boolean {
  return accountedBy !== undefined;
}

/** Finds the holes of one epoch, and before it. */
class EpochHoles {
  readonly #epochs: JournalEpochs;
  readonly #at: number;
  readonly #epoch: Epoch;
  readonly #gaps: readonly Gap[];
  /** True for the epoch in which the proof begins. */
  readonly #isStart: boolean;
  /** The first number that must be there. */
  readonly #from: number;

  constructor(epochs: JournalEpochs, at: number, start: Start) {
    this.#epochs = epochs;
    this.#at = at;
    this.#epoch = epochs[at] ?? epochs[0];
    this.#gaps = this.#epoch.gaps;
    this.#isStart = at === start.at;
    this.#from = this.#isStart ? Math.max(start.sequence, epochFrame + 1) : epochFrame + 1;
  }

  find(): Found {
    const before = this.#isStart ? [] : this.#missingEpochs();
    const within = this.#missingRecords();
    const { stoppedAt } = this.#epoch;
    // The seal of a journal takes a number: two of them are never next to each other.
    const isSeal = (hole: MissingRecords): boolean =>
      stoppedAt !== undefined &&
      !isAccounted(hole) &&
      hole.from === hole.to &&
      hole.from > stoppedAt;
    const records = within.filter((hole) => !isSeal(hole));
    const inside = [...records, ...this.#missingEvents()].toSorted(
      (a, b) => placeIn(a) - placeIn(b),
    );
    const holes = [...before, ...inside, ...this.#missingEnd()];
    return { holes, seals: within.length - records.length };
  }

  #missingRecords(): MissingRecords[] {
    const { seen, last, incomplete } = this.#epoch;
    return seen
      .missing(this.#from, last)
      .flatMap((range) => without(range, incomplete))
      .flatMap((range) => this.#explain(range));
  }

  /** Splits what is missing by the gaps that account for it. */
  #explain([from, to]: Range): MissingRecords[] {
    const { id: epochId, number: epochNumber } = this.#epoch;
    const parts: MissingRecords[] = [];
    const common = { kind: "records", epochNumber, epochId } as const;
    let next = from;
    for (const gap of this.#allGaps()) {
      const [first, last] = [Math.max(next, gap.from), Math.min(to, endOf(gap))];
      if (first > last) continue;
      if (first > next) parts.push({ ...common, from: next, to: first - 1 });
      parts.push({ ...common, from: first, to: last, accountedBy: gap.reason });
      next = last + 1;
    }
    if (next <= to) parts.push({ ...common, from: next, to });
    return parts;
  }

  /** The gaps of this epoch, and one of the epoch before it that reaches into it. */
  #allGaps(): readonly Gap[] {
    const before = this.#isStart ? undefined : this.#epochs[this.#at - 1];
    const reaching = before && openGap(before, entersMidEpoch);
    const first = this.#epoch.seen.first ?? 0;
    if (reaching === undefined || first <= epochFrame + 1) return this.#gaps;
    return [{ ...reaching, from: epochFrame + 1, to: first - 1 }, ...this.#gaps];
  }

  #missingEvents(): MissingEvents[] {
    const { id: epochId, number: epochNumber, incomplete } = this.#epoch;
    return [...incomplete]
      .filter(([sequence]) => sequence >= this.#from)
      .map(([sequence, indexes]) => ({ kind: "events", epochNumber, epochId, sequence, indexes }));
  }

  /** Only the newest epoch may go on. */
  #missingEnd(): Hole[] {
    const { id: epochId, number: epochNumber, last, stoppedAt } = this.#epoch;
    const isNewest = this.#at === this.#epochs.length - 1;
    const isEnded = stoppedAt !== undefined || this.#gaps.some(({ to }) => to === undefined);
    if (isNewest || isEnded) return [];
    return [{ kind: "end", epochNumber, epochId, from: last + 1 }];
  }

  #missingEpochs(): MissingEpochs[] {
    const { number } = this.#epoch;
    const lower = this.#epochs.slice(0, this.#at).filter((epoch) => epoch.number < number);
    const nearest = lower.reduce((most, epoch) => Math.max(most, epoch.number), 0);
    if (nearest >= number - 1) return [];
    const gap = lower
      .filter((epoch) => epoch.number === nearest)
      .map((epoch) => openGap(epoch, passesEpochs))
      .find((found) => found !== undefined);
    const accounted = gap && { accountedBy: gap.reason };
    return [{ kind: "epochs", from: nearest + 1, to: number - 1, ...accounted }];
  }
}

function placeIn(hole: MissingRecords | MissingEvents): number {
  return hole.kind === "records" ? hole.from : hole.sequence;
}

/** A gap without an end, of one of these reasons. */
function openGap({ gaps }: Epoch, reasons: ReadonlySet<string>): Gap | undefined {
  return gaps.find(({ to, reason }) => to === undefined && reasons.has(reason));
}

/** A range without some numbers. */
function without([from, to]: Range, numbers: ReadonlyMap<number, unknown>): Range[] {
  const parts: Range[] = [];
  let next = from;
  const inside = [...numbers.keys()].filter((number) => number >= from && number <= to);
  for (const number of inside.toSorted((a, b) => a - b)) {
    if (number > next) parts.push([next, number - 1]);
    next = number + 1;
  }
  if (next <= to) parts.push([next, to]);
  return parts;
}
