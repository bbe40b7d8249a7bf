import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import type { Command } from "commander";
import { CertwireError } from "../../errors/certwire-error.ts";
import { syncDirectory } from "../../files/append-file.ts";
import { listSegments } from "../../journal/segments.ts";
import { WholeJournal } from "../../journal/whole-journal.ts";
import { linesOfJournal } from "../../journal-tools/journal-lines.ts";
import { JournalMap } from "../../journal-tools/journal-map.ts";
import { exitCodes } from "../exit-codes.ts";
import {
  addJournalOptions,
  type ChosenJournal,
  chooseJournal,
  type JournalOptions,
} from "../journal-options.ts";
import { say } from "../output.ts";
import { Progress } from "../progress.ts";
import { addSelectionOptions, type SelectionOptions, selectionOf } from "../selection-options.ts";
import { stopSignal } from "../stop-signal.ts";

interface ExportOptions extends JournalOptions, SelectionOptions {
  readonly json?: true;
}

interface ExportResult {
  readonly file: string;
  readonly events: number;
  readonly undecodable: number;
  readonly isComplete: boolean;
}

/** `certwire journal export`: events into a file for `certwire replay`. */
export function addJournalExportCommand(journal: Command): void {
  addSelectionOptions(addJournalOptions(journal.command("export")))
    .description("write the events of a journal to a file that `certwire replay` takes")
    .argument("<file>", "file to make; it must not exist")
    .option("--json", "print the result as JSON")
    .addHelpText("after", help)
    .action(exportEvents);
}

const help = `
The file gets its name when it is complete; until then it is FILE.partial.
Exit codes: 0 done, 2 the file exists, 65 some records cannot be decoded, 74 the journal or the file
cannot be read or written, 130 stopped.

Example:
  certwire journal export january.ndjson --journal var/journal --from 2026-01-01 --to 2026-02-01`;

async function exportEvents(file: string, options: ExportOptions): Promise<void> {
  const chosen = chooseJournal(options);
  const target = await reserve(file);
  const partial = `${file}.partial`;
  try {
    const result = await writeEvents(file, partial, chosen, options);
    if (result.isComplete) {
      await rename(partial, file);
      await syncDirectory(dirname(file));
    }
    tell(result, options.json === true);
  } finally {
    await target.close();
    await rm(partial, { force: true });
  }
}
