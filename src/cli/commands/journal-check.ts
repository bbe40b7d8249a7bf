import type { Command } from "commander";
import type { CheckOptions } from "../actions/journal-check.ts";
import { addJournalOptions } from "../journal-options.ts";

export function addJournalCheckCommand(journal: Command): void {
  addJournalOptions(journal.command("check"))
    .description("verify every frame of a journal; report damage, gaps and unclean stops")
    .option("--json", "print the result as JSON")
    .addHelpText("after", help)
    .action(async (options: CheckOptions) =>
      (await import("../actions/journal-check.ts")).check(options),
    );
}

const help = `
A loss that the journal itself records (a full disk, a killed CA) is reported but is not damage.
Exit codes: 0 not damaged, 65 damaged, 74 cannot be read, 130 interrupted.

Example:
  certwire journal check --journal var/journal --json`;
