import type { Logger } from "pino";
import { ConfigError } from "../../config/config-error.ts";
import { inspectSinks } from "../../config/inspect.ts";
import { errorCodes } from "../../errors/codes.ts";
import { describeCause } from "../../errors/describe-cause.ts";
import { openEventLog } from "../../event-log/event-log.ts";
import { standardOutput } from "../../files/standard-output.ts";
import { logLine } from "../../log/log-line.ts";
import { Service, type ServiceOptions } from "../../service/service.ts";
import { exitCodeOf, exitCodes } from "../exit-codes.ts";
import { createLogger } from "../logger.ts";
import { caDatabaseOf } from "../open-database.ts";
import { isStdinOfServiceHost, stopSignal } from "../stop-signal.ts";

/** The options of `certwire run`. */
export interface RunOptions {
  readonly config: string;
  readonly stopOnStdinEnd?: true;
}

/** `certwire run`: the service in the foreground. */
export async function run(options: RunOptions): Promise<void> {
  let log: Logger | undefined;
  const eventLog = openEventLog((error) => {
    if (log) logLine(log, "cannot write to the event log of Windows", { error });
  });
  try {
    const { config, errors, warnings } = inspectSinks(options.config);
    log = createLogger(config.log.level);
    for (const { path, line, message, hint } of [...errors, ...warnings]) {
      const finding = { path, line, finding: message, hint };
      logLine(log, "the configuration has a problem", finding);
    }
    const caDatabase = caDatabaseOf;
    await publish(options, { config, log, caDatabase, ...(eventLog && { eventLog }) });
  } catch (error) {
    if (exitCodeOf(error) === errorCodes.CERTWIRE_CONFIG_INVALID.exitCode) {
      eventLog?.report("configuration-refused", [options.config, refusalOf(error)]);
    }
    throw error;
  } finally {
    await eventLog?.flush();
  }
  // Exit at once: what standard output has not accepted was not acknowledged, and is published again.
  process.exit(standardOutput().failure?.exitCode ?? exitCodes.ok);
}

async function publish(options: RunOptions, serviceOptions: ServiceOptions): Promise<void> {
  const { config, log } = serviceOptions;
  const signal = stopSignal({
    onStdinEnd: options.stopOnStdinEnd ?? isStdinOfServiceHost(),
    onStop: (reason) => logLine(log, "stopping", { reason }),
  });
  const service = await Service.create(serviceOptions);
  const { journal, state } = config;
  logLine(log, "started", { journal: journal.directory, state: state.directory });
  await service.run(signal);
  logLine(log, "stopped", {});
}

/** What is wrong with a configuration: the first problem, with its place. */
function refusalOf(error: unknown): string {
  const [first] = error instanceof ConfigError ? error.diagnostics : [];
  if (first === undefined) return describeCause(error);
  const { line, path, message } = first;
  return `line ${line}, ${path === "" ? "" : `${path}: `}${message}`;
}
