import type { Command } from "commander";
import { addJournalCatCommand } from "./journal-cat.ts";
import { addJournalCheckCommand } from "./journal-check.ts";
import { addJournalExportCommand } from "./journal-export.ts";
import { addJournalStatusCommand } from "./journal-status.ts";

/** `certwire journal`: looks at a journal; none of its commands changes anything in it. */
export function addJournalCommand(program: Command): void {
  const journal = program
    .command("journal")
    .description("look at a journal; the CA and the service may go on working with it")
    .helpCommand(false);
  addJournalStatusCommand(journal);
  addJournalCheckCommand(journal);
  addJournalCatCommand(journal);
  addJournalExportCommand(journal);
}
