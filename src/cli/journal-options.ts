import type { Command } from "commander";
import { defaultConfigFile } from "./default-config.ts";

/** Options that choose a journal: that of the default configuration without one of them. */
export interface JournalOptions {
  readonly journal?: string;
  readonly config?: string;
}

/** Adds `--journal` and `--config` to a command. */
export function addJournalOptions(command: Command): Command {
  return command
    .option("-j, --journal <directory>", "journal directory (default: that of the configuration)")
    .option(
      "-c, --config <file>",
      `configuration file (its secrets are not read; default: ${defaultConfigFile()})`,
    );
}
