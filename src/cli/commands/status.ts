import type { Command } from "commander";
import type { StatusOptions } from "../actions/status.ts";
import { configOption } from "../default-config.ts";

export function addStatusCommand(program: Command): void {
  program
    .command("status")
    .description("show how well events flow, and what to do if they do not")
    .addOption(configOption("configuration file (its secrets are not read)"))
    .option("--json", "print the status as JSON")
    .addHelpText("after", help)
    .action(async (options: StatusOptions) =>
      (await import("../actions/status.ts")).status(options),
    );
}

const help = `
Shows what the running service wrote to its state directory in the last minute;
otherwise, and if no service runs, what journal and state directory show. It
locks nothing and changes nothing.
Exit codes: 0 ok, 10 degraded, 11 failing, 78 the configuration is invalid.

Example:
  certwire status --config /etc/certwire/certwire.jsonc`;
