import type { Command } from "commander";
import type { ReplayOptions } from "../actions/replay.ts";
import { addSelectionOptions } from "../selection-options.ts";

export function addReplayCommand(program: Command): void {
  const command = program
    .command("replay")
    .description("send recorded events again: same ids, marked as replayed, checkpoints untouched")
    .argument("[file]", "NDJSON file of events")
    .option("-j, --journal <directory>", "journal directory (default: from --config)")
    .option("-c, --config <file>", "configuration file")
    .option("--to-sink <name>", "send to this sink of the configuration, enabled or not")
    .option("--stdout", "write one event per line to standard output");
  addSelectionOptions(command)
    .option("--dry-run", "only print the plan")
    .addHelpText("after", help)
    .action(async (file: string | undefined, options: ReplayOptions) =>
      (await import("../actions/replay.ts")).replay(file, options),
    );
}

const help = `
The plan is printed to standard error before anything is sent.

Examples:
  certwire replay --journal var/journal --kind certificate.issued --stdout
  certwire replay events-00000001.ndjson --config certwire.jsonc --to-sink kafka --dry-run
  certwire replay --config certwire.jsonc --from 2026-01-31 --to 2026-02-01 --to-sink rabbit`;
