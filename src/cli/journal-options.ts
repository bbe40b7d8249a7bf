import type { Command } from "commander";

/** Options that choose a journal; at least one of them is required. */
export interface JournalOptions {
  readonly journal?: string;
  readonly config?: string;
}

/** Adds `--journal` and `--config` to a command. */
export function addJournalOptions(command: Command): Command {
  return command
    .option("-j, --journal <directory>", "journal directory (default: from --config)")
    .option("-c, --config <file>", "configuration file (its secrets are not read)");
}
