import type { JournalPosition } from "../journal/position.ts";

/** A record in flight; it is finished when each of its events is acknowledged or a dead letter. */
export interface Ticket {
  /** Index of the record in the order of reading, from 0. */
  readonly ordinal: number;
  /** Where reading continues after this record; `null` for a source without positions. */
  readonly position: JournalPosition | null;
  /** `recordedtime` of the record's events; `undefined` for a record without events. */
  readonly recordedTime: string | undefined;
  /** What the record counts in `outstanding`: its number of events, at least 1. */
  readonly weight: number;
  /** Events that are not finished yet; changed only by `AcknowledgedPrefix`. */
  remaining: number;
}

/**
 * Finds out how far a checkpoint may move. Lanes finish records out of order, but a restart continues from
 * one position, so only the contiguous finished records at the start (the prefix) count. Records are added
 * in the order of reading and kept until the prefix has passed them:
 *
 *     finished  finished | open  finished  finished  open
 *                        ^ position: the prefix ends at the first open record
 *
 * The two finished records after the open one are published again after a crash. `maxInFlightEvents` limits
 * `outstanding`, and so the number of these duplicates.
 */
export class AcknowledgedPrefix {
  #tickets: Ticket[] = [];
  #head = 0;
  #ordinal = 0;
  #outstanding = 0;
  #position: JournalPosition | null = null;
  readonly #moved: () => void;

  /** `moved`: called after the position has moved. Default nothing. */
  constructor(moved: () => void = () => undefined) {
    this.#moved = moved;
  }

  /** Adds the next record. One without events is finished at once, but still waits for those before it. */
  add(position: JournalPosition | null, events: number, recordedTime?: string): Ticket {
    const weight = Math.max(1, events);
    const ordinal = this.#ordinal++;
    const ticket: Ticket = { ordinal, position, recordedTime, weight, remaining: events };
    this.#tickets.push(ticket);
    this.#outstanding += weight;
    if (events === 0) this.#advance();
    return ticket;
  }

  /** Finishes one event of the record; call it once for each of its events, in any order. */
  acknowledge(ticket: Ticket): void {
    ticket.remaining -= 1;
    if (ticket.remaining === 0) this.#advance();
  }

  /** Where reading continues after the prefix; `null` while the prefix is empty. */
  get position(): JournalPosition | null {
    return this.#position;
  }

  /** Events of all records after the prefix, finished or not. */
  get outstanding(): number {
    return this.#outstanding;
  }

  /** The first record after the prefix; `undefined` when everything is finished. */
  get oldest(): Ticket | undefined {
    return this.#tickets[this.#head];
  }

  #advance(): void {
    const before = this.#position;
    let ticket = this.#tickets[this.#head];
    while (ticket?.remaining === 0) {
      this.#position = ticket.position ?? this.#position;
      this.#outstanding -= ticket.weight;
      this.#head += 1;
      ticket = this.#tickets[this.#head];
    }
    if (this.#head > 1024 && this.#head * 2 > this.#tickets.length) {
      this.#tickets = this.#tickets.slice(this.#head);
      this.#head = 0;
    }
    if (this.#position !== before) this.#moved();
  }
}
