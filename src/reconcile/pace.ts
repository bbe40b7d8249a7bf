import { clock } from "../clock.ts";

/** How fast a backfill may be. */
export interface PaceOptions {
  /** Events per second. */
  readonly perSecond: number;
  /** True while live events wait to be published. */
  readonly isLiveBehind: () => Promise<boolean>;
  /** Called when live events are waited for, and with false when they are not any more. */
  readonly waiting?: (isWaiting: boolean) => void;
  /** Waits, and rejects when the signal is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** A clock in ms. Default that of the process. */
  readonly now?: () => number;
}

/** How often live events are looked for while they are waited for, in ms. */
const livePollMs = 500;

/** Lets a backfill go on when no live event waits, and no faster than its rate. */
export class Pace {
  readonly #options: PaceOptions;
  readonly #now: () => number;
  #freeAt = 0;

  constructor(options: PaceOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => clock.now());
  }

  /** Waits for the turn of the next events. Rejects when the signal is aborted. */
  async turn(signal: AbortSignal): Promise<void> {
    const { isLiveBehind, waiting, sleep } = this.#options;
    let hasWaited = false;
    while (await isLiveBehind()) {
      if (!hasWaited) waiting?.(true);
      hasWaited = true;
      await sleep(livePollMs, signal);
    }
    if (hasWaited) waiting?.(false);
    const ms = this.#freeAt - this.#now();
    if (ms > 0) await sleep(ms, signal);
  }

  /** Takes so many events into account. */
  sent(events: number): void {
    const ms = (events / this.#options.perSecond) * 1000;
    this.#freeAt = Math.max(this.#freeAt, this.#now()) + ms;
  }
}
