import type { Command } from "commander";
import type { SinkKind } from "../../sinks/sink-kind.ts";
import type { CheckOptions } from "../actions/check.ts";
import { parseCount } from "../arguments.ts";

export function addCheckCommand(program: Command, kinds?: readonly SinkKind[]): void {
  program
    .command("check")
    .description("check a configuration: the file, the directories, a connection to each sink")
    .requiredOption("-c, --config <file>", "configuration file")
    .option("--offline", "do not connect to the sinks")
    .option("--timeout <seconds>", "how long to wait for each sink", parseCount, 15)
    .option("--json", "print the results as JSON")
    .addHelpText("after", help)
    .action(async (options: CheckOptions) =>
      (await import("../actions/check.ts")).check(options, kinds),
    );
}

const help = `
Nothing is published and no checkpoint moves. The exit code is that of the first error.

Example:
  certwire check --config certwire.jsonc --offline`;
