import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";

/** A timer that `Clock.clear` stops. */
export interface Timer {
  /** Lets the process end before the timer fires. */
  unref(): Timer;
  /** Starts anew the time until it fires. */
  refresh(): Timer;
}

/** How to wait. */
export interface Delay {
  /** Ends the wait. Default none. */
  readonly signal?: AbortSignal | undefined;
  /** False lets the process end during the wait. Default true. */
  readonly ref?: boolean;
}

/** Everything that differs from run to run for no other reason than when it runs: time, timers and chance. */
export interface Clock {
  /** When the process started, in ms since 1970. */
  readonly startedMs: number;
  /** A time that never jumps, in ms; only differences mean something. */
  now(): number;
  /** The time of day, in ms since 1970; it jumps when somebody sets the machine's clock. */
  time(): number;
  /** A number from 0, inclusive, to 1, exclusive. Not for secrets. */
  random(): number;
  /** A UUID of version 4. */
  uuid(): string;
  /** Calls back once, after `ms`. */
  setTimeout(callback: () => void, ms: number): Timer;
  /** Calls back every `ms`. */
  setInterval(callback: () => void, ms: number): Timer;
  /** Stops a timer; does nothing without one. */
  clear(timer: Timer | undefined): void;
  /** Calls back after the promises that are due now. */
  nextTurn(callback: () => void): void;
  /** Resolves after `ms`. Rejects with an AbortError if the signal is aborted first. */
  delay(ms: number, options?: Delay): Promise<void>;
  /** A signal that is aborted after `ms`. It does not keep the process alive. */
  timeoutSignal(ms: number): AbortSignal;
}

/**
 * The machine's clock. What runs in the service takes time, timers and random numbers from here and nowhere else, which
 * test/unit/clock.test.ts checks: so a simulation can put a module with the same export in the place of this one, as
 * scripts/release/bundle.ts does with others. It is a module and no parameter because nearly every class would hand it on
 * and there is only one time in a process.
 */
export const clock: Clock = {
  startedMs: performance.timeOrigin,
  now: () => performance.now(),
  time: () => Date.now(),
  random: () => Math.random(),
  uuid: () => randomUUID(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  setInterval: (callback, ms) => setInterval(callback, ms),
  clear: (timer) => {
    // Node clears either kind by either function; the timers that node:test mocks are cleared by their own only.
    clearTimeout(timer as NodeJS.Timeout | undefined);
    clearInterval(timer as NodeJS.Timeout | undefined);
  },
  nextTurn: (callback) => void setImmediate(callback),
  delay: (ms, options) => delay(ms, undefined, options),
  timeoutSignal: (ms) => AbortSignal.timeout(ms),
};
