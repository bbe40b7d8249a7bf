import type { HttpOptions } from "../config/http-options.ts";
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
  /** Why it is not from the endpoint; absent if it is, or there is none, or it was not to be asked. */
  readonly note?: string | undefined;
}

type RunningService = Awaited<ReturnType<typeof inspectService>>;

/**
 * The status as the running service knows it, from the file that it writes every 10 s: the rights of the state directory
 * vouch for that. Otherwise from journal and state, which do not show what a pipeline has tried in vain. Never rejects.
 */
export async function findStatus(config: ResolvedConfig): Promise<FoundStatus> {
  const { directory } = config.state;
  const service = await inspectService(directory).catch(() => undefined);
  const status = service && (await statusOfFile(directory, service).catch(() => undefined));
  if (status !== undefined) return { status, source: "from the service's status.json" };
  return { status: await statusOnDisk(config), source: "from journal and state" };
}

/**
 * The same as it is at the moment, from the endpoint of the running service if the configuration has one. Any program may
 * listen at its address when the service does not: a token is sent only with TLS, and an answer must be the service's.
 */
export async function findLiveStatus(config: ResolvedConfig): Promise<FoundStatus> {
  const { http } = config;
  if (http === undefined) return findStatus(config);
  try {
    const service = await inspectService(config.state.directory);
    assertMayAsk(http, service);
    const status = await statusOfEndpoint(http);
    if (!isOf(status, service)) throw new Error("it is the endpoint of another service");
    return { status, source: `endpoint ${http.listen}` };
  } catch (error) {
    return { ...(await findStatus(config)), note: describeCause(error) };
  }
}

function assertMayAsk({ token, tls }: HttpOptions, { state }: RunningService): void {
  if (state === "stopped") throw new Error("the service does not run");
  if (token !== undefined && tls === undefined) {
    throw new Error("without TLS its token would be sent to whoever listens there");
  }
}

/**
 * What the service that runs on a state directory wrote last; `undefined` if none runs, or it has written nothing for a
 * minute. Rejects if the file cannot be read or has another form.
 */
async function statusOfFile(
  stateDirectory: string,
  service: RunningService,
): Promise<Status | undefined> {
  if (service.state === "stopped") return undefined;
  const text = await readLimitedText(stateLayout(stateDirectory).status, mostBytes);
  const status = statusSchema.parse(JSON.parse(text));
  return isOf(status, service) ? status : undefined;
}

/** Whether a status is a new one of the service that holds a state directory, as far as its lock shows who that is. */
function isOf({ time, service: writer }: Status, service: RunningService): boolean {
  const madeMs = Date.parse(time);
  if (Math.abs(Date.now() - madeMs) > longestAgeMs) return false;
  if (service.startedTime === undefined) return true;
  const isItsOwn = service.pid === writer.pid && service.host === writer.host;
  return isItsOwn && Date.parse(service.startedTime) <= madeMs;
}
