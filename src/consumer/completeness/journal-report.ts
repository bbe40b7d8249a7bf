import type { Epoch } from "./epoch.ts";
import { EpochHoles, epochFrame } from "./epoch-holes.ts";
import type { Gap } from "./gaps.ts";
import type { JournalRuns } from "./journals.ts";
import { Ranges } from "./ranges.ts";
import type {
  CompletenessStart,
  EpochReport,
  Hole,
  JournalReport,
  MissingEpochs,
} from "./report.ts";

/** Most holes of a journal that are listed. */
const maxListed = 100_000;

/** Gaps after which the reader of a journal went on in another epoch, maybe not at its beginning. */
const passesEpochs: ReadonlySet<string> = new Set(["retention", "rollback", "missing-segment"]);
const entersMidEpoch: ReadonlySet<string> = new Set(["retention", "rollback"]);

/** Per partition that has lost its oldest events, its first event in each epoch. */
export type PartitionStarts = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** What is missing in one journal. */
export function journalReport(runs: JournalRuns, partitions: PartitionStarts): JournalReport {
  const epochs = runs.flat();
  const start = startOf(epochs, partitions);
  const listed: Hole[] = [];
  let unlisted = 0;
  const reports: EpochReport[] = [];
  for (const { epoch, holes } of holesOf(runs, start)) {
    const count = new EpochCount(epoch);
    for (const hole of holes?.find() ?? []) {
      count.add(hole);
      if (listed.length < maxListed) listed.push(hole);
      else unlisted += 1;
    }
    reports.push(count.report(holes?.seals ?? 0));
  }
  const { id, number } = epochs[start.at] ?? runs[0][0];
  const { sequence } = start;
  return {
    caIds: textsOf(epochs, ({ cas }) => cas),
    sources: textsOf(epochs, ({ sources }) => sources),
    startsAt: {
      epochNumber: number,
      epochId: id,
      sequence,
      isStartOfEpoch: sequence <= epochFrame + 1,
    },
    emptied: [...partitions]
      .filter(([, firsts]) => !epochs.some(({ id: epochId }) => firsts.has(epochId)))
      .map(([name]) => name),
    epochs: reports,
    holes: listed,
    unlisted,
  };
}

/** Each text once, in the order of the epochs. */
function textsOf(epochs: readonly Epoch[], of: (epoch: Epoch) => Iterable<string>): string[] {
  return [...new Set(epochs.flatMap((epoch) => [...of(epoch)].toSorted()))];
}

interface Start extends Pick<CompletenessStart, "sequence"> {
  /** Index of the epoch. */
  readonly at: number;
}

/**
 * Where the proof begins: at the oldest event that is not a replay, or where the last of the partitions begins whose
 * oldest events are deleted, whichever is later.
 */
function startOf(epochs: readonly Epoch[], partitions: PartitionStarts): Start {
  const live = epochs.findIndex(({ firstLive }) => firstLive !== undefined);
  const at = Math.max(live, 0);
  const { firstLive, first = 0 } = epochs[at] ?? {};
  let start: Start = { at, sequence: firstLive ?? first };
  for (const firsts of partitions.values()) {
    const own = epochs.findIndex(({ id }) => firsts.has(id));
    const sequence = firsts.get(epochs[own]?.id ?? "");
    if (sequence === undefined) continue;
    if (own > start.at || (own === start.at && sequence > start.sequence)) {
      start = { at: own, sequence };
    }
  }
  return start;
}

interface FoundHoles {
  readonly epoch: Epoch;
  /** Undefined for an epoch before the proof begins. */
  readonly holes: { find(): Iterable<Hole>; readonly seals: number } | undefined;
}

/** The holes of each epoch, those before it among them. */
function* holesOf(runs: JournalRuns, start: Start): Generator<FoundHoles> {
  const earlier = new EarlierEpochs();
  const newest = runs.at(-1)?.at(-1);
  let at = 0;
  for (const run of runs) {
    for (const [place, epoch] of run.entries()) {
      const isStart = at === start.at;
      const before = isStart || at < start.at ? undefined : run[place - 1];
      const missing = at > start.at ? earlier.missingBefore(epoch, before) : [];
      const reaching = isStart ? undefined : earlier.reaching;
      const from = isStart ? Math.max(start.sequence, epochFrame + 1) : epochFrame + 1;
      const inside = new EpochHoles({ epoch, from, reaching, mustEnd: epoch !== newest });
      yield { epoch, holes: at < start.at ? undefined : withBefore(missing, inside) };
      earlier.add(epoch);
      at += 1;
    }
  }
}

function withBefore(before: readonly MissingEpochs[], inside: EpochHoles) {
  return {
    *find(): Generator<Hole> {
      yield* before;
      yield* inside.find();
    },
    get seals() {
      return inside.seals;
    },
  };
}

/** The epochs of a journal up to a place in it. */
class EarlierEpochs {
  readonly #numbers = new Ranges();
  /** By the number of an epoch: its gap after which the reader went on in a later epoch. */
  readonly #passing = new Map<number, Gap>();
  #last: Epoch | undefined;

  /** The gap of the epoch just before that may reach into the next one. */
  get reaching(): Gap | undefined {
    return this.#last?.gaps.open((reason) => entersMidEpoch.has(reason));
  }

  add(epoch: Epoch): void {
    const gap = epoch.gaps.open((reason) => passesEpochs.has(reason));
    if (gap !== undefined) this.#passing.set(epoch.number, gap);
    this.#numbers.add(epoch.number);
    this.#last = epoch;
  }

  /**
   * The epochs that are missing before one. `before`: the one before it in its run; the first of a run may follow
   * any epoch, since an older copy of the journal ends with any.
   */
  missingBefore({ number }: Epoch, before: Epoch | undefined): MissingEpochs[] {
    const nearest = before?.number ?? this.#numbers.below(number) ?? 0;
    if (nearest >= number - 1) return [];
    const gap = this.#passing.get(nearest) ?? this.#passing.get(this.#last?.number ?? 0);
    const accounted = gap && { accountedBy: gap.reason };
    return [{ kind: "epochs", from: nearest + 1, to: number - 1, ...accounted }];
  }
}

/** Counts what an epoch lacks. */
class EpochCount {
  readonly #epoch: Epoch;
  #accounted = 0;
  #holes = 0;

  constructor(epoch: Epoch) {
    this.#epoch = epoch;
  }

  add(hole: Hole): void {
    if (!isAccounted(hole)) this.#holes += 1;
    else if (hole.kind === "records") this.#accounted += hole.to - hole.from + 1;
  }

  report(seals: number): EpochReport {
    const { id: epochId, number: epochNumber, events, duplicates, lost, seen } = this.#epoch;
    const { first, last = first } = seen;
    return {
      epochNumber,
      epochId,
      ...(first !== undefined && last !== undefined && { first, last }),
      events,
      duplicates,
      accounted: this.#accounted,
      lost,
      seals,
      holes: this.#holes,
    };
  }
}

/** True if a gap event accounts for a hole. */
export function isAccounted({ accountedBy }: Hole): boolean {
  return accountedBy !== undefined;
}
