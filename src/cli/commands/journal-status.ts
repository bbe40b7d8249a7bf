import type { Command } from "commander";
import type { StatusOptions } from "../actions/journal-status.ts";
import { addJournalOptions } from "../journal-options.ts";

export function addJournalStatusCommand(journal: Command): void {
  addJournalOptions(journal.command("status"))
    .description("show what is in a journal and how far each sink has read it")
    .option("--json", "print the status as JSON")
    .addHelpText("after", help)
    .action(async (options: StatusOptions) =>
      (await import("../actions/journal-status.ts")).showStatus(options),
    );
}

const help = `
Only the newest segment is read. The durations were measured by the exit module while it wrote that segment.
Exit codes: 0 done, 74 the journal or a checkpoint cannot be read.

Example:
  certwire journal status --config /etc/certwire/certwire.jsonc`;
