import type { ResolvedConfig } from "../config/load.ts";
import { packageVersion } from "../files/package-version.ts";
import { diskPlaces } from "../health/from-config.ts";
import { assessHealth } from "../health/health.ts";
import { inspectDisk } from "../health/on-disk.ts";
import type { Status } from "../health/status.ts";

/** The status from the journal and the state directory alone, whether the service runs or not. Never rejects. */
export async function statusOnDisk(config: ResolvedConfig): Promise<Status> {
  const nowMs = Date.now();
  const { facts, service, journal, sinks } = await inspectDisk(diskPlaces(config), nowMs);
  const { state, reasons } = assessHealth(facts, nowMs, config.health);
  return {
    state,
    time: new Date(nowMs).toISOString(),
    service: { ...service, version: packageVersion() },
    reasons: [...reasons],
    ...(journal && { journal }),
    sinks,
  };
}
