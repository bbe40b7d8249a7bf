import { standardOutput } from "../../files/standard-output.ts";
import { WholeJournal } from "../../journal/whole-journal.ts";
import { linesOfJournal, withEnds } from "../../journal-tools/journal-lines.ts";
import { countOf } from "../../units.ts";
import { chooseJournal, openChosenContext } from "../chosen-journal.ts";
import { exitCodes } from "../exit-codes.ts";
import type { JournalOptions } from "../journal-options.ts";
import { say } from "../output.ts";
import { type SelectionOptions, selectionOf } from "../selection-options.ts";
import { stopSignal } from "../stop-signal.ts";

/** The options of `certwire journal cat`. */
export interface CatOptions extends JournalOptions, SelectionOptions {
  readonly raw?: true;
}

/** `certwire journal cat`: events or records on standard output. */
export async function cat(options: CatOptions): Promise<void> {
  const chosen = await chooseJournal(options);
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
      await output.print(withEnds(lines));
    }
  } finally {
    journal.close();
  }
  if (signal.aborted) process.exitCode = exitCodes.interrupted;
  if (undecodable === 0) return;
  say(`left out: ${countOf(undecodable, "record")} that cannot be decoded`);
  process.exitCode = exitCodes.badData;
}
