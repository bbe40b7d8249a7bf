import type { Command } from "commander";
import type { SinkKind } from "../../sinks/sink-kind.ts";
import type { CheckOptions } from "../actions/check.ts";
import { parseCount } from "../arguments.ts";
import { configOption } from "../default-config.ts";

export function addCheckCommand(program: Command, kinds?: readonly SinkKind[]): void {
  program
    .command("check")
    .description("check a configuration: the file, the directories, a connection to each sink")
    .addOption(configOption("configuration file"))
    .option("--offline", "do not connect to the sinks")
    .option("--timeout <seconds>", "how long to wait for each sink", parseCount, 15)
    .option("--sample <file>", "show what each sink makes of the events in a file")
    .option("--json", "print the results as JSON")
    .addHelpText("after", help)
    .action(async (options: CheckOptions) =>
      (await import("../actions/check.ts")).check(options, kinds),
    );
}

const help = `
Nothing is published and no checkpoint moves. The exit code is that of the first error.

--sample reads events as \`journal export\` and the file sink write them, and
prints for each enabled sink which of them it gets, where they go and their size;
with --json also the whole events, in the form that the sink gives them.

Examples:
  certwire check --config certwire.jsonc --offline
  certwire check --config certwire.jsonc --offline --sample events.ndjson`;
