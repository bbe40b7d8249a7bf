import type { Command } from "commander";
import type { TopOptions } from "../actions/top.ts";
import { parseInterval } from "../arguments.ts";
import { configOption } from "../default-config.ts";

export function addTopCommand(program: Command): void {
  program
    .command("top")
    .description("watch how well events flow, on the whole terminal")
    .addOption(configOption("configuration file (the secrets of its sinks are not read)"))
    .option("--interval <seconds>", "how often it looks", parseInterval, 2)
    .addHelpText("after", help)
    .action(async (options: TopOptions) => (await import("../actions/top.ts")).top(options));
}

const help = `
Asks the HTTP endpoint of the running service, if the configuration has one
and it answers; otherwise reads the journal and the state directory, as
certwire status does. Locks and changes nothing. Needs a terminal.

Keys: q quit, p pause, s sort, up and down choose a sink, ? help.
Exit codes: 0 ended, 2 no terminal, 78 the configuration is invalid.

Example:
  certwire top --config /etc/certwire/certwire.jsonc`;
