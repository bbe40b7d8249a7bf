import type { Logger } from "pino";
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
    const { state, reasons } = (await status.observe()).status;
    const texts = reasons.map(({ code, sink }) => (sink === undefined ? code : `${code} ${sink}`));
    const now = texts.toSorted().join(", ");
    if (now === before) continue;
    before = now;
    if (state === "failing") log.error({ reasons: texts }, "the health is failing");
    else if (state === "degraded") log.warn({ reasons: texts }, "the health is degraded");
    else log.info("the health is ok again");
  }
}
