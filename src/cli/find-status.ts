import type { ResolvedConfig } from "../config/load.ts";
import { describeCause } from "../errors/describe-cause.ts";
import { inspectService } from "../health/on-disk.ts";
import type { Status } from "../health/status.ts";
import { statusOfEndpoint } from "./endpoint-status.ts";
import { statusOnDisk } from "./status-on-disk.ts";

/** A status, and where it is from. */
export interface FoundStatus {
  readonly status: Status;
  /** In a few words. */
  readonly source: string;
  /** Why it is not from the endpoint; absent if it is, or there is none. */
  readonly note?: string | undefined;
}

/**
 * The status as the running service knows it, if the configuration has an endpoint and it answers; otherwise from journal
 * and state, which do not show what a pipeline has tried in vain. Never rejects.
 */
export async function findStatus(config: ResolvedConfig): Promise<FoundStatus> {
  const { http } = config;
  let note: string | undefined;
  if (http !== undefined) {
    try {
      if (http.token !== undefined) await assertRunning(config.state.directory);
      return { status: await statusOfEndpoint(http), source: `endpoint ${http.listen}` };
    } catch (error) {
      note = describeCause(error);
    }
  }
  return { status: await statusOnDisk(config), source: "from journal and state", note };
}

/** While no service runs, any other program may listen at the endpoint's address and wait for its token. */
async function assertRunning(stateDirectory: string): Promise<void> {
  const { state } = await inspectService(stateDirectory);
  if (state === "running") return;
  throw new Error(
    state === "stopped" ? "the service does not run" : "the service cannot be seen from here",
  );
}
