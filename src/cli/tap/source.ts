import type { CertwireEvent } from "../../events/event.ts";

/** Shows events as soon as they come; resolves when the next ones may come. */
export type Show = (events: readonly CertwireEvent[]) => Promise<void>;

/** Where a tap gets its events. */
export interface TapSource {
  /** For people; never holds a secret. */
  readonly name: string;
  /** Shows events until the signal is aborted. Rejects with a CertwireError. */
  follow(show: Show, signal: AbortSignal): Promise<void>;
}
