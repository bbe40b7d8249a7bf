import type { Clock, Timer } from "../../../src/clock.ts";
import type { Due } from "../scheduler.ts";
import { startMs, timeOfDay, world } from "../world.ts";

/** A timer of virtual time. */
class VirtualTimer implements Timer {
  readonly #ms: number;
  readonly #callback: () => void;
  readonly #repeats: boolean;
  #due: Due;

  constructor(callback: () => void, ms: number, repeats: boolean) {
    // As Node.js does it.
    this.#ms = Math.max(1, ms);
    this.#callback = callback;
    this.#repeats = repeats;
    this.#due = this.#schedule();
  }

  unref(): this {
    return this;
  }

  refresh(): this {
    this.stop();
    this.#due = this.#schedule();
    return this;
  }

  stop(): void {
    world().scheduler.cancel(this.#due);
  }

  #schedule(): Due {
    return world().scheduler.after(this.#ms, () => {
      if (this.#repeats) this.#due = this.#schedule();
      this.#callback();
    });
  }
}

/** In the place of src/clock.ts: the time and the chance of the simulated world. */
export const clock: Clock = {
  startedMs: startMs,
  now: () => world().scheduler.now,
  time: () => timeOfDay(world()),
  random: () => world().random.fraction(),
  uuid: () => {
    const { random } = world();
    return `${random.hex(8)}-${random.hex(4)}-4${random.hex(3)}-8${random.hex(3)}-${random.hex(12)}`;
  },
  setTimeout: (callback, ms) => new VirtualTimer(callback, ms, false),
  setInterval: (callback, ms) => new VirtualTimer(callback, ms, true),
  clear: (timer) => (timer as VirtualTimer | undefined)?.stop(),
  nextTurn: (callback) => void world().scheduler.after(0, callback),
  delay: (ms, { signal } = {}) =>
    new Promise((resolve, reject) => {
      const { scheduler } = world();
      const aborted = (): Error => new DOMException("The operation was aborted", "AbortError");
      if (signal?.aborted) {
        reject(aborted());
        return;
      }
      const stop = (): void => {
        scheduler.cancel(due);
        reject(aborted());
      };
      const due = scheduler.after(Math.max(1, ms), () => {
        signal?.removeEventListener("abort", stop);
        resolve();
      });
      signal?.addEventListener("abort", stop, { once: true });
    }),
  timeoutSignal: (ms) => {
    const timeout = new AbortController();
    const reason = new DOMException("The operation was aborted due to timeout", "TimeoutError");
    world().scheduler.after(ms, () => timeout.abort(reason));
    return timeout.signal;
  },
};
