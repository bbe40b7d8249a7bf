import type { TestContext } from "node:test";

const everyMs = 250;

/** Notices when this machine stands still, so that a test can tell a late step from a wrong one. */
export interface Stalls {
  /** Longest time, in ms, in which this process had no turn. */
  readonly longestMs: number;
}

/** Watches until the test ends. */
export function watchForStalls(t: TestContext): Stalls {
  let at = performance.now();
  let longest = 0;
  const tick = (): number => {
    const now = performance.now();
    longest = Math.max(longest, now - at);
    at = now;
    return longest;
  };
  const timer = setInterval(tick, everyMs);
  t.after(() => clearInterval(timer));
  return {
    get longestMs() {
      return tick();
    },
  };
}
