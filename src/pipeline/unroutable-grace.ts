import type { OutboundEvent } from "../events/outbound-event.ts";

/** How long the events of a kind are given up at once before one of them is tried again, in ms. */
const givenUpMs = 600_000;

type Refused = Pick<OutboundEvent, "id" | "kind">;

/**
 * How long the events of one pipeline that no binding of the broker takes are still tried. Only the pauses
 * behind such a refusal count, so that an outage costs an event nothing of its time. The routing key hangs
 * on the kind of an event: once one event has waited its whole time for a binding, those of the same kind
 * do not wait anew, one behind the other, until the broker takes one of them or ten minutes have passed.
 */
export class UnroutableGrace {
  readonly #graceMs: number;
  readonly #now: () => number;
  /** What the events at the head of their lanes have waited, by id, in ms. */
  readonly #waitedMs = new Map<string, number>();
  /** Kinds without a binding, and when that was sure. */
  readonly #givenUp = new Map<string, number>();

  /** `graceMs`: how long an event is tried; `now`: a clock in ms. */
  constructor(graceMs: number, now: () => number = () => performance.now()) {
    this.#graceMs = graceMs;
    this.#now = now;
  }

  /** An event was refused: true when it may wait for `pauseMs` and be tried again. */
  mayWait({ id, kind }: Refused, pauseMs: number): boolean {
    const since = this.#givenUp.get(kind);
    if (since !== undefined && this.#now() - since < givenUpMs) return false;
    const waitedMs = this.#waitedMs.get(id) ?? 0;
    if (waitedMs < this.#graceMs) {
      this.#givenUp.delete(kind);
      this.#waitedMs.set(id, waitedMs + pauseMs);
      return true;
    }
    this.#givenUp.set(kind, this.#now());
    return false;
  }

  /** The broker has taken an event: its kind has a binding. */
  accepted({ id, kind }: Refused): void {
    this.#givenUp.delete(kind);
    this.#waitedMs.delete(id);
  }

  /** An event became a dead letter. */
  buried({ id }: Refused): void {
    this.#waitedMs.delete(id);
  }
}
