import type { CertwireEvent } from "../../events/event.ts";

/** What identifies an event, as CloudEvents defines it. */
export type EventIdentity = Pick<CertwireEvent, "source" | "id">;

/**
 * Remembers which events were handled. `T`: what the effect needs to write in the store's own transaction;
 * `undefined` for a store without transactions.
 */
export interface DeduplicationStore<T = undefined> {
  /**
   * Runs `effect` unless it has succeeded before for this event; resolves to whether it ran. Rejects if the effect
   * does, and then remembers nothing.
   */
  once(event: EventIdentity, effect: (transaction: T) => Promise<void>): Promise<boolean>;
}
