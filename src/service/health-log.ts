import type { Logger } from "pino";
import { describeError } from "../errors/describe-error.ts";
import type { Status } from "../health/status.ts";
import { logLine } from "../log/log-line.ts";
import { pause } from "../pipeline/waiting.ts";
import type { LiveStatus } from "./live-status.ts";

/** What the health log reads, where it writes, and how often. */
export interface HealthLogOptions {
  readonly status: Pick<LiveStatus, "observe">;
  readonly log: Logger;
  /** How often the health is assessed, in ms. Default 30000. */
  readonly intervalMs?: number;
}

/** Logs a line when the state of health changes, or one of its reasons does, until the signal is aborted. */
export async function keepHealthLog(
  { status, log, intervalMs = 30_000 }: HealthLogOptions,
  signal: AbortSignal,
): Promise<void> {
  let before = "";
  for (;;) {
    await pause(intervalMs, signal);
    if (signal.aborted) return;
    try {
      const found = (await status.observe()).status;
      const now = keyOf(found);
      if (now !== before) report(log, found);
      before = now;
    } catch (error) {
      // Whatever is wrong with the health, it must not end the service.
      logLine(log, "cannot assess the health", describeError(error));
    }
  }
}

/** Differs when a reason comes, goes or changes its state. */
function keyOf({ reasons }: Status): string {
  const keys = reasons.map(({ state, code, sink = "" }) => `${state} ${code} ${sink}`);
  return keys.toSorted().join(", ");
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
