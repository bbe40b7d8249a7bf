import type { Command } from "commander";
import { standardOutput } from "../../files/standard-output.ts";
import { WholeJournal } from "../../journal/whole-journal.ts";
import { linesOfJournal } from "../../journal-tools/journal-lines.ts";
import { exitCodes } from "../exit-codes.ts";
import {
  addJournalOptions,
  chooseJournal,
  type JournalOptions,
  openChosenContext,
} from "../journal-options.ts";
import { say } from "../output.ts";
import { addSelectionOptions, type SelectionOptions, selectionOf } from "../selection-options.ts";
import { stopSignal } from "../stop-signal.ts";

interface CatOptions extends JournalOptions, SelectionOptions {
  readonly raw?: true;
}

/** `certwire journal cat`: events or records on standard output. */
export function addJournalCatCommand(journal: Command): void {
  addSelectionOptions(addJournalOptions(journal.command("cat")))
    .description("write the events of a journal to standard output, one JSON object per line")
    .option("--raw", "write the exit module's records instead of events")
    .addHelpText("after", help)
    .action(cat);
}

const help = `
Exit codes: 0 done, 65 some records cannot be decoded, 74 the journal cannot be read, 130 interrupted.

Example:
  certwire journal cat --journal var/journal --type certificate.issued --from 2026-01-31`;

async function cat(options: CatOptions): Promise<void> {
  const chosen = chooseJournal(options);
  const signal = stopSignal();
  const journal = new WholeJournal(chosen.directory);
  let undecodable = 0;
  const lineOptions = {
    context: await openChosenContext(chosen),
    selection: selectionOf(options),
    isRaw: options.raw === true,
    undecodable: () => {
      undecodable += 1;
    },
  };
  const output = standardOutput();
  const stop = AbortSignal.any([signal, output.ended]);
  try {
    for await (const { lines } of linesOfJournal(journal, lineOptions, stop)) {
      await output.print(lines.map((line) => `${line}\n`).join(""));
    }
  } finally {
    journal.close();
  }
  if (signal.aborted) process.exitCode = exitCodes.interrupted;
  if (undecodable === 0) return;
  say(`${undecodable} records cannot be decoded`);
  process.exitCode = exitCodes.badData;
}
