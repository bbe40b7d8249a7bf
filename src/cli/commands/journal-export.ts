import type { Command } from "commander";
import type { ExportOptions } from "../actions/journal-export.ts";
import { addJournalOptions } from "../journal-options.ts";
import { addSelectionOptions } from "../selection-options.ts";

export function addJournalExportCommand(journal: Command): void {
  addSelectionOptions(addJournalOptions(journal.command("export")))
    .description("write the events of a journal to a file for `certwire replay`")
    .argument("<file>", "file to create; it must not exist")
    .option("--json", "print the result as JSON")
    .addHelpText("after", help)
    .action(async (file: string, options: ExportOptions) =>
      (await import("../actions/journal-export.ts")).exportEvents(file, options),
    );
}

const help = `
Events are written to FILE.partial, which becomes FILE once it is complete.
Exit codes: 0 done, 2 FILE or FILE.partial exists, 65 some records cannot be decoded, 74 the journal cannot be read
or the file cannot be written, 130 interrupted.

Example:
  certwire journal export january.ndjson --journal var/journal --from 2026-01-01 --to 2026-02-01`;
