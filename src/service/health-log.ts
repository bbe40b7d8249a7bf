import type { Logger } from "pino";
import { clock } from "../clock.ts";
import type { Status } from "../health/status.ts";
import { logLine } from "../log/log-line.ts";
import type { Observation } from "./live-status.ts";
import { type WatchStatusOptions, watchStatus } from "./watch-status.ts";

/** How long a reason must be gone to be worth a line when it comes back, in ms. */
const knownMs = 300_000;

/**
 * Logs a line when the state of health changes, or one of its reasons does, until the signal is aborted. Reasons that
 * come and go while the state stays are logged every 5 minutes at most.
 */
export async function keepHealthLog(
  options: Omit<WatchStatusOptions, "readsAtEnd">,
  signal: AbortSignal,
): Promise<void> {
  const lines = new HealthLines(options.log);
  await watchStatus(options, ({ status }: Observation) => lines.take(status), signal);
}

class HealthLines {
  readonly #log: Logger;
  #state: Status["state"] = "ok";
  #reasons = "";
  /** When the last line was logged, and when each reason was last there, by `clock.now`. */
  #loggedMs = Number.NEGATIVE_INFINITY;
  readonly #seenMs = new Map<string, number>();

  constructor(log: Logger) {
    this.#log = log;
  }

  take(status: Status): void {
    const now = clock.now();
    const isOld = (ms = Number.NEGATIVE_INFINITY): boolean => now - ms >= knownMs;
    const keys = keysOf(status);
    const isNews = status.state !== this.#state || keys.some((key) => isOld(this.#seenMs.get(key)));
    for (const key of keys) this.#seenMs.set(key, now);
    const reasons = keys.join(", ");
    if (reasons === this.#reasons || (!isNews && !isOld(this.#loggedMs))) return;
    report(this.#log, status);
    [this.#state, this.#reasons, this.#loggedMs] = [status.state, reasons, now];
  }
}

/** They differ when a reason comes, goes or changes its state. */
function keysOf({ reasons }: Status): string[] {
  return reasons.map(({ state, code, sink = "" }) => `${state} ${code} ${sink}`).toSorted();
}

function reasonsOf({ reasons }: Status): string[] {
  return reasons.map(({ code, sink }) => (sink === undefined ? code : `${code} ${sink}`));
}

function report(log: Logger, found: Status): void {
  const reasons = reasonsOf(found);
  if (found.state === "failing") logLine(log, "the health is failing", { reasons });
  else if (found.state === "degraded") logLine(log, "the health is degraded", { reasons });
  else logLine(log, "the health is ok again", {});
}
