import type { JournalPosition } from "../journal/position.ts";

/** A record on its way: done with when all its events are acknowledged or dead letters. */
export interface Ticket {
  /** Place of the record in the order of reading. */
  readonly ordinal: number;
  readonly position: JournalPosition | null;
  /** `recordedtime` of the record, where it has one. */
  readonly recordedTime: string | undefined;
  readonly weight: number;
  remaining: number;
}

/**
 * Keeps the records in the order of reading and knows up to where all are done with. Only that place may
 * go into a checkpoint.
 */
export class AcknowledgedPrefix {
  #tickets: Ticket[] = [];
  #head = 0;
  #ordinal = 0;
  #outstanding = 0;
  #position: JournalPosition | null = null;

  /** Adds the next record with its number of events; one without events counts as one until passed. */
  add(position: JournalPosition | null, events: number, recordedTime?: string): Ticket {
    const weight = Math.max(1, events);
    const ordinal = this.#ordinal++;
    const ticket: Ticket = { ordinal, position, recordedTime, weight, remaining: events };
    this.#tickets.push(ticket);
    this.#outstanding += weight;
    if (events === 0) this.#advance();
    return ticket;
  }

  /** One event of the record is done with. */
  acknowledge(ticket: Ticket): void {
    ticket.remaining -= 1;
    if (ticket.remaining === 0) this.#advance();
  }

  /** Place behind the last record of the prefix; `null` while there is none. */
  get position(): JournalPosition | null {
    return this.#position;
  }

  /** Events from the oldest record on that is not done with, acknowledged or not. */
  get outstanding(): number {
    return this.#outstanding;
  }

  /** The oldest record that is not done with. */
  get oldest(): Ticket | undefined {
    return this.#tickets[this.#head];
  }

  #advance(): void {
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
  }
}
