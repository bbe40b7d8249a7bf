import { once } from "node:events";
import { WholeJournal } from "../../journal/whole-journal.ts";
import { linesOfJournal } from "../../journal-tools/journal-lines.ts";
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
  // The reader of a pipe may close it early: `certwire journal cat | head`.
  const readerGone = new AbortController();
  process.stdout.once("error", () => readerGone.abort());
  const stop = AbortSignal.any([signal, readerGone.signal]);
  try {
    for await (const { lines } of linesOfJournal(journal, lineOptions, stop)) {
      await print(lines, readerGone.signal);
    }
  } finally {
    journal.close();
  }
  if (signal.aborted) process.exitCode = exitCodes.interrupted;
  if (undecodable === 0) return;
  say(`${undecodable} records cannot be decoded`);
  process.exitCode = exitCodes.badData;
}

async function print(lines: readonly string[], gone: AbortSignal): Promise<void> {
  const text = lines.map((line) => `${line}\n`).join("");
  if (gone.aborted || process.stdout.write(text)) return;
  await once(process.stdout, "drain", { signal: gone }).catch(() => undefined);
}
