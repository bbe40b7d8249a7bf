import type { Command } from "commander";
import { addJournalCatCommand } from "./journal-cat.ts";
import { addJournalCheckCommand } from "./journal-check.ts";
import { addJournalExportCommand } from "./journal-export.ts";
import { addJournalStatusCommand } from "./journal-status.ts";

/** `certwire journal`: inspects a journal; none of its commands changes anything in it. */
export function addJournalCommand(program: Command): void {
  const journal = program
    .command("journal")
    .description("inspect a journal; safe while the CA and the service are running")
    .helpCommand(false);
  addJournalStatusCommand(journal);
  addJournalCheckCommand(journal);
  addJournalCatCommand(journal);
  addJournalExportCommand(journal);
}
