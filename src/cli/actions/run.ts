import { inspectSinks } from "../../config/inspect.ts";
import { standardOutput } from "../../files/standard-output.ts";
import { Service } from "../../service/service.ts";
import { exitCodes } from "../exit-codes.ts";
import { createLogger } from "../logger.ts";
import { isStdinOfServiceHost, stopSignal } from "../stop-signal.ts";

/** The options of `certwire run`. */
export interface RunOptions {
  readonly config: string;
  readonly stopOnStdinEnd?: true;
}

/** `certwire run`: the service in the foreground. */
export async function run(options: RunOptions): Promise<void> {
  const { config, errors, warnings } = inspectSinks(options.config);
  const log = createLogger(config.log.level);
  for (const { path, line, message, hint } of [...errors, ...warnings]) {
    log.warn({ path, line, finding: message, hint }, "the configuration has a problem");
  }
  const signal = stopSignal({
    onStdinEnd: options.stopOnStdinEnd ?? isStdinOfServiceHost(),
    onStop: (reason) => log.info({ reason }, "stopping"),
  });
  const service = await Service.create({ config, log });
  log.info({ journal: config.journal.directory, state: config.state.directory }, "started");
  await service.run(signal);
  log.info("stopped");
  // Exit at once: what standard output has not accepted was not acknowledged, and is published again.
  process.exit(standardOutput().failure?.exitCode ?? exitCodes.ok);
}
