import type { Epoch } from "./epoch.ts";
import type { Accounted, Gap } from "./gaps.ts";
import type { Range } from "./ranges.ts";
import type { Hole, MissingEvents, MissingRecords } from "./report.ts";

/** Number of the EPOCH frame, which is not an event. */
export const epochFrame = 1;

/** An epoch, and what its place in the journal says about it. */
export interface PlacedEpoch {
  readonly epoch: Epoch;
  /** The first number that must be there. */
  readonly from: number;
  /** A gap of an epoch before it that accounts for all up to the first record that is there. */
  readonly reaching: Gap | undefined;
  /** False for the newest epoch, which may go on. */
  readonly mustEnd: boolean;
}

/** The holes in one epoch, in the order of the numbers. */
export class EpochHoles {
  readonly #placed: PlacedEpoch;
  readonly #gaps: readonly Accounted[];
  /** Single numbers after `ca.stopped` that were found so far, each taken for a seal. */
  seals = 0;

  constructor(placed: PlacedEpoch) {
    this.#placed = placed;
    this.#gaps = [...reach(placed), ...placed.epoch.gaps.accounted()];
  }

  *find(): Generator<Hole> {
    const { epoch, from } = this.#placed;
    const { partial, last = 0 } = epoch;
    const events = partial.missing().filter(([number]) => number >= from && number <= last);
    let at = 0;
    for (const hole of this.#missingRecords()) {
      for (let next = events[at]; next !== undefined && next[0] < hole.from; next = events[at]) {
        yield this.#missingEvents(next);
        at += 1;
      }
      if (this.#isSeal(hole)) this.seals += 1;
      else yield hole;
    }
    for (const each of events.slice(at)) yield this.#missingEvents(each);
    yield* this.#missingEnd();
  }

  /** The seal of a journal takes a number: two of them are never next to each other. */
  #isSeal({ from, to, accountedBy }: MissingRecords): boolean {
    const { stoppedAt } = this.#placed.epoch;
    return stoppedAt !== undefined && accountedBy === undefined && from === to && from > stoppedAt;
  }

  /** What is missing, divided by the gaps that account for it. */
  *#missingRecords(): Generator<MissingRecords> {
    const { epoch, from } = this.#placed;
    const { id: epochId, number: epochNumber, seen, last = 0 } = epoch;
    const common = { kind: "records", epochNumber, epochId } as const;
    let at = 0;
    for (const [first, end] of seen.missing(from, last)) {
      while ((this.#gaps[at]?.range[1] ?? end) < first) at += 1;
      if (at === this.#gaps.length) {
        yield { ...common, from: first, to: end };
        continue;
      }
      let next = first;
      for (const [start, to, accountedBy] of partsOf([first, end], this.#gaps, at)) {
        if (start > next) yield { ...common, from: next, to: start - 1 };
        yield { ...common, from: start, to, accountedBy };
        next = to + 1;
      }
      if (next <= end) yield { ...common, from: next, to: end };
    }
  }

  #missingEvents([sequence, indexes]: readonly [number, readonly number[]]): MissingEvents {
    const { id: epochId, number: epochNumber } = this.#placed.epoch;
    return { kind: "events", epochNumber, epochId, sequence, indexes };
  }

  *#missingEnd(): Generator<Hole> {
    const { epoch, mustEnd } = this.#placed;
    const { id: epochId, number: epochNumber, stoppedAt, gaps, last = 0 } = epoch;
    if (!mustEnd || stoppedAt !== undefined || gaps.isOpen) return;
    yield { kind: "end", epochNumber, epochId, from: last + 1 };
  }
}

/** The parts of a range that gaps account for; `at`: the first gap that does not end before it. */
function* partsOf(
  [first, end]: Range,
  gaps: readonly Accounted[],
  at: number,
): Generator<readonly [from: number, to: number, reason: string]> {
  for (let index = at; index < gaps.length; index += 1) {
    const { range, reason } = gaps[index] ?? { range: [end + 1, end + 1], reason: "" };
    if (range[0] > end) return;
    yield [Math.max(first, range[0]), Math.min(end, range[1]), reason];
  }
}

function reach({ epoch, reaching }: PlacedEpoch): Accounted[] {
  const first = epoch.seen.first ?? 0;
  if (reaching === undefined || first <= epochFrame + 1) return [];
  return [{ range: [epochFrame + 1, first - 1], reason: reaching.reason }];
}
