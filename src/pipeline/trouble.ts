import type { EventKind } from "../events/event.ts";
import type { SinkFailureKind } from "../sinks/sink.ts";

/** What can fail beside the lanes, which have their numbers. */
export type FailingPart =
  | "open"
  | "connection"
  | "lanes"
  | "source"
  | "record"
  | "checkpoint"
  | "routed kinds"
  | "dead letter";

/** One thing that fails in a pipeline now. */
export interface PipelineTrouble {
  /** What fails: a lane (its number), or another part. */
  readonly part: number | FailingPart;
  /** True if someone must act, or ten tries in a row have failed. */
  readonly isAlarm: boolean;
  /** How long it has failed, in ms. */
  readonly forMs: number;
  /** Of a failed publish, or of a connection. */
  readonly kind?: SinkFailureKind;
  /** Error code, for an error of Certwire. */
  readonly code?: string;
  /** The texts of the error, in one line. */
  readonly error: string;
}

/** A kind of event whose last events all became dead letters. */
export interface DeadKind {
  readonly kind: EventKind | "record";
  /** How many in a row. */
  readonly count: number;
  /** Age of the first of them, in ms. */
  readonly forMs: number;
  /** Age of the newest of them, in ms. */
  readonly newestMs: number;
}

/** Dead letters of one kind in a row, by the caller's clock. */
interface DeadRow {
  readonly count: number;
  readonly sinceMs: number;
  readonly newestMs: number;
}

/** Finds kinds of events of which nothing else than dead letters comes out. */
export class DeadKinds {
  readonly #kinds = new Map<DeadKind["kind"], DeadRow>();

  /** `nowMs`: any clock, the same for all calls. */
  died(kind: DeadKind["kind"], nowMs: number): void {
    const { count, sinceMs } = this.#kinds.get(kind) ?? { count: 0, sinceMs: nowMs };
    this.#kinds.set(kind, { count: count + 1, sinceMs, newestMs: nowMs });
  }

  /** An event of the kind was acknowledged, or a record could be decoded. */
  lived(kind: DeadKind["kind"]): void {
    this.#kinds.delete(kind);
  }

  /** True while no kind is dead, so that there is nothing to call `lived` for. */
  get isEmpty(): boolean {
    return this.#kinds.size === 0;
  }

  at(nowMs: number): DeadKind[] {
    return [...this.#kinds].map(([kind, { count, sinceMs, newestMs }]) => ({
      kind,
      count,
      forMs: nowMs - sinceMs,
      newestMs: nowMs - newestMs,
    }));
  }
}
