import type { Range } from "./ranges.ts";

/** Numbers of an epoch that a gap event of the journal's reader accounts for. */
export interface Gap {
  readonly from: number;
  /** Absent: to the end of the epoch. */
  readonly to?: number;
  readonly reason: string;
}

/** A range that a gap accounts for, for a reason. */
export interface Accounted {
  readonly range: Range;
  readonly reason: string;
}

/**
 * The gaps of an epoch. One that begins where another one begins is the same event, found again later; the larger one
 * counts.
 */
export class Gaps {
  readonly #byStart: Map<number, Gap>;

  constructor(gaps: readonly Gap[] = []) {
    this.#byStart = new Map(gaps.map((gap) => [gap.from, gap]));
  }

  get size(): number {
    return this.#byStart.size;
  }

  /** The highest number that a gap shows to be in the epoch; one without an end begins after it. */
  get last(): number {
    let last = 0;
    for (const { from, to } of this.#byStart.values()) last = Math.max(last, to ?? from - 1);
    return last;
  }

  /** True if a gap says that nothing comes after it. */
  get isOpen(): boolean {
    return this.open(() => true) !== undefined;
  }

  /** Adds a gap; false for one that is known, even if it was smaller. */
  add(gap: Gap): boolean {
    const known = this.#byStart.get(gap.from);
    if (known === undefined || isLarger(gap, known)) this.#byStart.set(gap.from, gap);
    return known === undefined;
  }

  /** A gap without an end, of one of some reasons. */
  open(isReason: (reason: string) => boolean): Gap | undefined {
    return this.toJSON().find(({ to, reason }) => to === undefined && isReason(reason));
  }

  /** What the gaps account for: ascending ranges that do not overlap. */
  accounted(): Accounted[] {
    const all: Accounted[] = [];
    let next = 0;
    for (const gap of this.toJSON()) {
      const [from, to] = [Math.max(next, gap.from), endOf(gap)];
      if (from > to) continue;
      all.push({ range: [from, to], reason: gap.reason });
      next = to + 1;
    }
    return all;
  }

  /** In the order of their numbers. */
  toJSON(): Gap[] {
    return [...this.#byStart.values()].toSorted((a, b) => a.from - b.from);
  }
}

/** The last number of a gap; infinite without an end. */
function endOf({ to }: Gap): number {
  return to ?? Number.POSITIVE_INFINITY;
}

/** The answer must not depend on which one arrives first. */
function isLarger(gap: Gap, known: Gap): boolean {
  const difference = endOf(gap) - endOf(known);
  return difference > 0 || (!(difference < 0) && gap.reason < known.reason);
}
