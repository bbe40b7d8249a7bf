import { stat } from "node:fs/promises";
import type { ResolvedConfig } from "../config/load.ts";
import { ignoreMissing } from "../files/existing.ts";
import { packageVersion } from "../files/package-version.ts";
import { diskPlaces } from "../health/from-config.ts";
import { assessHealth } from "../health/health.ts";
import { inspectDisk } from "../health/on-disk.ts";
import type { Status } from "../health/status.ts";
import { stateLayout } from "../state/layout.ts";

/** The status from the journal and the state directory alone, whether the service runs or not. Never rejects. */
export async function statusOnDisk(config: ResolvedConfig): Promise<Status> {
  const nowMs = Date.now();
  const { facts, service, journal, sinks } = await inspectDisk(diskPlaces(config), nowMs);
  const wroteMs = await lastWriteMs(config.state.directory, service);
  const all = { ...facts, ...(wroteMs !== undefined && { serviceWroteMs: wroteMs }) };
  const { state, reasons } = assessHealth(all, nowMs, config.health);
  return {
    state,
    time: new Date(nowMs).toISOString(),
    service: { ...service, version: packageVersion() },
    reasons: [...reasons],
    ...(journal && { journal }),
    sinks,
  };
}

/** When a service wrote its status, or started, in ms since 1970; `undefined` if that cannot be known. */
async function lastWriteMs(
  stateDirectory: string,
  { startedTime }: Pick<Status["service"], "startedTime">,
): Promise<number | undefined> {
  if (startedTime === undefined) return undefined;
  try {
    const written = await stat(stateLayout(stateDirectory).status).catch(ignoreMissing);
    return Math.max(Date.parse(startedTime), written?.mtimeMs ?? 0);
  } catch {
    return undefined;
  }
}
