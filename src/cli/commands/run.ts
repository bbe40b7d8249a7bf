import type { Command } from "commander";
import type { RunOptions } from "../actions/run.ts";
import { configOption } from "../default-config.ts";

export function addRunCommand(program: Command): void {
  program
    .command("run")
    .description("publish the journal's records to the sinks until stopped")
    .addOption(configOption("configuration file"))
    .option("--stop-on-stdin-end", "stop when standard input ends (default for a pipe on Windows)")
    .addHelpText("after", help)
    .action(async (options: RunOptions) => (await import("../actions/run.ts")).run(options));
}

const help = `
Logs are JSON lines on standard error. SIGTERM or SIGINT stops the service once the events in flight
are acknowledged, or after 10 s; a second signal stops it immediately.

Example:
  certwire run --config /etc/certwire/certwire.jsonc`;
