import type { CertwireEvent } from "../../events/event.ts";

/** What identifies an event, as CloudEvents defines it, and by which the CA's database and the journal agree. */
export type EventIdentity = Pick<CertwireEvent, "source" | "id" | "contentid" | "origin">;

/**
 * Remembers which events were handled. `T`: what the effect needs to write in the store's own transaction;
 * `undefined` for a store without transactions.
 */
export interface DeduplicationStore<T = undefined> {
  /**
   * Runs `effect` unless it has succeeded before for this event; resolves to whether it ran. Rejects if the effect
   * does, and then remembers nothing. An event from the CA's database (`origin`) counts as the same as any event with
   * its `source` and `contentid`; two events that were seen as they happened never do, whatever their `contentid`.
   */
  once(event: EventIdentity, effect: (transaction: T) => Promise<void>): Promise<boolean>;
}
