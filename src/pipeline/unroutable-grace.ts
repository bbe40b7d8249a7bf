import { clock } from "../clock.ts";
import type { OutboundEvent } from "../events/outbound-event.ts";

/** How long the events of an unroutable kind are given up at once before one is tried again, in ms. */
const givenUpMs = 600_000;

/** Classes of events of which the broker has accepted one. */
export interface AcceptedKinds {
  has(eventClass: string): boolean;
  add(eventClass: string): void;
}

/** Options of an `UnroutableGrace`. */
export interface UnroutableGraceOptions {
  /** A clock in ms. Default `Clock.now`. */
  readonly now?: () => number;
  /** Default: kept in memory only. */
  readonly accepted?: AcceptedKinds;
}

type Refused = Pick<OutboundEvent, "id" | "kind" | "destination">;

/**
 * Decides how long a pipeline tries an event that no binding of the broker accepts. Bindings choose by exchange,
 * routing key and an event's kind, which make its class. A class of which one event was ever accepted has a
 * binding: a refusal is an outage of what is bound (a classic queue whose node is down), which is waited out without
 * limit. Of a class that was never accepted, an event is tried for a time; only the pauses after a refusal count, so an
 * outage of the connection does not use it up. Once one event has waited in vain, later events of that class do not
 * wait again, one after the other, until one is accepted or ten minutes have passed.
 */
export class UnroutableGrace {
  readonly #graceMs: number;
  readonly #now: () => number;
  /** How long the events at the head of their lanes have waited, by id, in ms. */
  readonly #waitedMs = new Map<string, number>();
  /** Classes without a binding, and when they were given up. */
  readonly #givenUp = new Map<string, number>();
  /** Classes of which the broker has accepted an event. */
  readonly #accepted: AcceptedKinds;

  /** `graceMs`: how long an event is tried. */
  constructor(graceMs: number, { now, accepted }: UnroutableGraceOptions = {}) {
    this.#graceMs = graceMs;
    this.#now = now ?? (() => clock.now());
    this.#accepted = accepted ?? new Set<string>();
  }

  /** True if a refused event may wait `pauseMs` and be tried again; false if it must be given up. */
  mayWait(event: Refused, pauseMs: number): boolean {
    const [{ id }, eventClass] = [event, classOf(event)];
    if (this.#accepted.has(eventClass)) return true;
    const since = this.#givenUp.get(eventClass);
    if (since !== undefined && this.#now() - since < givenUpMs) return false;
    const waitedMs = this.#waitedMs.get(id) ?? 0;
    if (waitedMs < this.#graceMs) {
      this.#givenUp.delete(eventClass);
      this.#waitedMs.set(id, waitedMs + pauseMs);
      return true;
    }
    this.#givenUp.set(eventClass, this.#now());
    return false;
  }

  /** Call it when the broker accepted an event: its class has a binding. */
  accepted(event: Refused): void {
    const eventClass = classOf(event);
    this.#accepted.add(eventClass);
    this.#givenUp.delete(eventClass);
    this.#waitedMs.delete(event.id);
  }

  /** Call it when an event became a dead letter. */
  buried({ id }: Refused): void {
    this.#waitedMs.delete(id);
  }
}

/** The kind, the exchange and the routing key as one text. */
function classOf({ kind, destination }: Refused): string {
  const { exchange = "", routingKey = "" } = destination ?? {};
  return [kind, exchange, routingKey].join("\0");
}
