import type { JournalGap } from "../../exit/decode-gap.ts";

/**
 * Where records are lost, by the reason of the gap: `written` were in the journal, whose reader finds that they are
 * missing; `unwritten` never got there, and the exit module counts them.
 */
const places = {
  memory: "unwritten",
  "disk-full": "unwritten",
  "write-error": "unwritten",
  corrupt: "written",
  "missing-segment": "written",
} as const;

/** Why records are lost, as a `journal.gap` says. */
export type LossReason = keyof typeof places;

/** Maximum request IDs that the exit module keeps of lost records. */
const maxRequestIds = 64;

/** A record that is lost. */
interface LostRecord {
  readonly sequence: bigint;
  /** 100 ns since 1601-01-01 UTC. */
  readonly time: bigint;
  /** Request ID, or 0. */
  readonly context: number;
}

/** True for a reason that `LossReason` names. */
export function isLossReason(reason: string): reason is LossReason {
  return Object.hasOwn(places, reason);
}

/** The records that a test CA loses, one after the other. */
export class LostRecords {
  readonly reason: LossReason;
  readonly #records: LostRecord[] = [];

  constructor(reason: LossReason) {
    this.reason = reason;
  }

  /** True if the records are in the journal, and so have numbers of their own. */
  get areWritten(): boolean {
    return places[this.reason] === "written";
  }

  get count(): number {
    return this.#records.length;
  }

  add(record: LostRecord): void {
    this.#records.push(record);
  }

  /** The gap that the journal's writer or reader makes of them; `undefined` if nothing was lost. */
  gap(): JournalGap | undefined {
    const [first, last] = [this.#records[0], this.#records.at(-1)];
    if (first === undefined || last === undefined) return undefined;
    const { reason } = this;
    if (this.areWritten) {
      return { reason, firstSequence: first.sequence, lastSequence: last.sequence };
    }
    const requestIds = this.#records.map(({ context }) => context).filter((id) => id !== 0);
    return {
      reason,
      count: this.#records.length,
      firstTime: first.time,
      lastTime: last.time,
      requestIds: requestIds.length > 0 ? requestIds.slice(0, maxRequestIds) : undefined,
    };
  }
}
