import type { ResolvedConfig } from "../config/load.ts";
import { describeCause } from "../errors/describe-cause.ts";
import { readLimitedText } from "../files/limited-text.ts";
import { inspectService } from "../health/on-disk.ts";
import { type Status, statusSchema } from "../health/status.ts";
import { stateLayout } from "../state/layout.ts";
import { mebibyte } from "../units.ts";
import { statusOfEndpoint } from "./endpoint-status.ts";
import { statusOnDisk } from "./status-on-disk.ts";

/** A larger file is not one that a service has written, in bytes. */
const mostBytes = 4 * mebibyte;
/** A service that has written no status for longer is stuck or gone, in ms. */
const longestAgeMs = 60_000;

/** A status, and where it is from. */
export interface FoundStatus {
  readonly status: Status;
  /** In a few words. */
  readonly source: string;
  /** Why it is not from the endpoint; absent if it is, or there is none. */
  readonly note?: string | undefined;
}

/**
 * The status as the running service knows it: from its endpoint, if the configuration has one and it answers, else from
 * the file that it writes every 10 s. Otherwise from journal and state, which do not show what a pipeline has tried in
 * vain. Never rejects.
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
  const status = await statusOfFile(config.state.directory).catch(() => undefined);
  if (status !== undefined) return { status, source: "from the service's status.json", note };
  return { status: await statusOnDisk(config), source: "from journal and state", note };
}

/**
 * What the service that runs on a state directory wrote last; `undefined` if none runs, or it has written nothing for a
 * minute. Rejects if the file cannot be read or has another form.
 */
async function statusOfFile(stateDirectory: string): Promise<Status | undefined> {
  const service = await inspectService(stateDirectory);
  if (service.state === "stopped") return undefined;
  const text = await readLimitedText(stateLayout(stateDirectory).status, mostBytes);
  const status = statusSchema.parse(JSON.parse(text));
  const isItsOwn =
    service.startedTime === undefined ||
    (service.pid === status.service.pid &&
      service.host === status.service.host &&
      Date.parse(service.startedTime) <= Date.parse(status.time));
  const isRecent = Math.abs(Date.now() - Date.parse(status.time)) <= longestAgeMs;
  return isItsOwn && isRecent ? status : undefined;
}

/** While no service runs, any other program may listen at the endpoint's address and wait for its token. */
async function assertRunning(stateDirectory: string): Promise<void> {
  const { state } = await inspectService(stateDirectory);
  if (state === "running") return;
  throw new Error(
    state === "stopped" ? "the service does not run" : "the service cannot be seen from here",
  );
}
