import type { OutboundEvent } from "../events/outbound-event.ts";

/**
 * Events of a lane that the broker has stored although an event before them is not stored yet. They are not
 * acknowledged, since an acknowledgement covers a prefix, and they are not sent again.
 */
export class StoredAhead {
  readonly #ids = new Set<string>();

  /** Remembers that the broker has stored these events. */
  add(ids: Iterable<string>): void {
    for (const id of ids) this.#ids.add(id);
  }

  /** The events of a batch that are still to be sent, in order. */
  missingOf(batch: readonly OutboundEvent[]): OutboundEvent[] {
    return batch.filter(({ id }) => !this.#ids.has(id));
  }

  /** Length of the stored prefix of a batch; these events are forgotten, as they are acknowledged now. */
  takePrefix(batch: readonly OutboundEvent[]): number {
    const missing = batch.findIndex(({ id }) => !this.#ids.has(id));
    const length = missing === -1 ? batch.length : missing;
    for (const { id } of batch.slice(0, length)) this.#ids.delete(id);
    return length;
  }
}
