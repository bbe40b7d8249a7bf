import { access, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { CertwireError } from "../../errors/certwire-error.ts";
import { syncDirectory } from "../../files/append-file.ts";
import { listSegments } from "../../journal/segments.ts";
import { WholeJournal } from "../../journal/whole-journal.ts";
import { linesOfJournal } from "../../journal-tools/journal-lines.ts";
import { JournalMap } from "../../journal-tools/journal-map.ts";
import { type ChosenJournal, chooseJournal, openChosenContext } from "../chosen-journal.ts";
import { exitCodes } from "../exit-codes.ts";
import type { JournalOptions } from "../journal-options.ts";
import { say } from "../output.ts";
import { Progress } from "../progress.ts";
import { type SelectionOptions, selectionOf } from "../selection-options.ts";
import { stopSignal } from "../stop-signal.ts";

/** The options of `certwire journal export`. */
export interface ExportOptions extends JournalOptions, SelectionOptions {
  readonly json?: true;
}

interface ExportResult {
  readonly file: string;
  readonly events: number;
  readonly undecodable: number;
  readonly isComplete: boolean;
}

/** `certwire journal export`: events into a file for `certwire replay`. */
export async function exportEvents(file: string, options: ExportOptions): Promise<void> {
  const chosen = await chooseJournal(options);
  const isTaken = await access(file).then(
    () => true,
    () => false,
  );
  if (isTaken) throw new CertwireError("CERTWIRE_USAGE", `${file} already exists`);
  const partial = `${file}.partial`;
  try {
    const { isComplete, ...counts } = await writeEvents(partial, chosen, options);
    if (isComplete) {
      await rename(partial, file);
      await syncDirectory(dirname(file));
    }
    report({ file, ...counts, isComplete }, options.json === true);
  } catch (cause) {
    if (cause instanceof CertwireError) throw cause;
    throw new CertwireError("CERTWIRE_EXPORT_FAILED", `cannot write ${file}`, { cause });
  } finally {
    await rm(partial, { force: true });
  }
}

async function writeEvents(
  partial: string,
  chosen: ChosenJournal,
  options: ExportOptions,
): Promise<Omit<ExportResult, "file">> {
  const signal = stopSignal();
  const { directory } = chosen;
  const map = new JournalMap(await listSegments(directory));
  const journal = new WholeJournal(directory);
  const progress = new Progress();
  const target = await open(partial, "w");
  let [events, undecodable] = [0, 0];
  const lineOptions = {
    context: await openChosenContext(chosen),
    selection: selectionOf(options),
    isRaw: false,
    undecodable: () => {
      undecodable += 1;
    },
  };
  try {
    for await (const { lines, last } of linesOfJournal(journal, lineOptions, signal)) {
      await target.appendFile(lines.map((line) => `${line}\n`).join(""));
      events += lines.length;
      progress.update(map.bytesBefore(last.position), map.bytes, `${events} events`);
    }
    await target.sync();
    return { events, undecodable, isComplete: !signal.aborted };
  } finally {
    progress.end();
    journal.close();
    await target.close();
  }
}

function report(result: ExportResult, asJson: boolean): void {
  const { file, events, undecodable, isComplete } = result;
  if (asJson) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  else say(isComplete ? `${events} events in ${file}` : "interrupted; no file was written");
  if (undecodable > 0) {
    say(`${undecodable} records cannot be decoded and were left out`);
    process.exitCode = exitCodes.badData;
  }
  if (!isComplete) process.exitCode = exitCodes.interrupted;
}
