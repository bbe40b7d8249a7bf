import { jsonText } from "../../events/json-text.ts";
import { packageVersion } from "../../files/package-version.ts";
import { standardOutput } from "../../files/standard-output.ts";
import { diskPlaces } from "../../health/from-config.ts";
import { assessHealth } from "../../health/health.ts";
import { inspectDisk } from "../../health/on-disk.ts";
import type { Status } from "../../health/status.ts";
import { exitCodes } from "../exit-codes.ts";
import { statusScreen } from "../status-screen.ts";

/** The options of `certwire status`. */
export interface StatusOptions {
  readonly config: string;
  readonly json?: true;
}

/** `certwire status`: how well events flow, from the journal and the state directory alone. */
export async function status({ config: file, json }: StatusOptions): Promise<void> {
  const { loadConfig } = await import("../../config/load.ts");
  const config = loadConfig(file, { isNeeded: () => false });
  const nowMs = Date.now();
  const { facts, service, journal, sinks } = await inspectDisk(diskPlaces(config), nowMs);
  const { state, reasons } = assessHealth(facts, nowMs, config.health);
  const found: Status = {
    state,
    time: new Date(nowMs).toISOString(),
    service: { ...service, version: packageVersion() },
    reasons: [...reasons],
    ...(journal && { journal }),
    sinks,
  };
  process.exitCode = exitCodes[state];
  const text = json ? jsonText(found, undefined, 2) : statusScreen(found).join("\n");
  standardOutput().post(`${text}\n`);
}
