import type { Command } from "commander";
import type { CatOptions } from "../actions/journal-cat.ts";
import { addJournalOptions } from "../journal-options.ts";
import { addSelectionOptions } from "../selection-options.ts";

export function addJournalCatCommand(journal: Command): void {
  addSelectionOptions(addJournalOptions(journal.command("cat")))
    .description("write the events of a journal to standard output, one JSON object per line")
    .option("--raw", "write the exit module's records instead of events")
    .addHelpText("after", help)
    .action(async (options: CatOptions) =>
      (await import("../actions/journal-cat.ts")).cat(options),
    );
}

const help = `
Exit codes: 0 done, 65 some records cannot be decoded, 74 the journal cannot be read, 130 interrupted.

Example:
  certwire journal cat --journal var/journal --kind certificate.issued --from 2026-01-31`;
