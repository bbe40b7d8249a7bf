import type { Logger } from "pino";
import type { Status } from "../health/status.ts";
import { logLine } from "../log/log-line.ts";
import type { Observation } from "./live-status.ts";
import { type WatchStatusOptions, watchStatus } from "./watch-status.ts";

/** Logs a line when the state of health changes, or one of its reasons does, until the signal is aborted. */
export async function keepHealthLog(
  options: Omit<WatchStatusOptions, "readsAtEnd">,
  signal: AbortSignal,
): Promise<void> {
  let before = "";
  const take = ({ status }: Observation): void => {
    const now = keyOf(status);
    if (now !== before) report(options.log, status);
    before = now;
  };
  await watchStatus(options, take, signal);
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
