import { type FileHandle, link, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { CertwireError } from "../../errors/certwire-error.ts";
import { jsonText } from "../../events/json-text.ts";
import { syncDirectory } from "../../files/append-file.ts";
import { exists } from "../../files/existing.ts";
import { standardOutput } from "../../files/standard-output.ts";
import { listSegments } from "../../journal/segments.ts";
import { WholeJournal } from "../../journal/whole-journal.ts";
import { linesOfJournal, withEnds } from "../../journal-tools/journal-lines.ts";
import { JournalMap } from "../../journal-tools/journal-map.ts";
import { countOf } from "../../units.ts";
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
  const partial = `${file}.partial`;
  try {
    if (await exists(file)) throw new CertwireError("CERTWIRE_USAGE", `${file} already exists`);
    // Before anything is created: a journal that cannot be read leaves no file.
    const map = new JournalMap(await listSegments(chosen.directory));
    const target = await create(partial);
    try {
      const { isComplete, ...counts } = await writeEvents(target, map, chosen, options);
      if (isComplete) await publish(partial, file);
      report({ file, ...counts, isComplete }, options.json === true);
    } finally {
      await rm(partial, { force: true });
    }
  } catch (cause) {
    if (cause instanceof CertwireError) throw cause;
    throw new CertwireError("CERTWIRE_EXPORT_FAILED", `cannot write ${file}`, { cause });
  }
}

/** Creates a file that did not exist; never writes through a link, or into a file of somebody else. */
async function create(path: string): Promise<FileHandle> {
  try {
    return await open(path, "wx");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    const hint = "Another export is writing it, or was killed: delete it if no export is running.";
    throw new CertwireError("CERTWIRE_USAGE", `${path} already exists`, { hint });
  }
}

/** Gives a complete file its name without replacing another one, where the file system has links. */
async function publish(partial: string, file: string): Promise<void> {
  try {
    await link(partial, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") throw error;
    await rename(partial, file);
  }
  await syncDirectory(dirname(file));
}

async function writeEvents(
  target: FileHandle,
  map: JournalMap,
  chosen: ChosenJournal,
  options: ExportOptions,
): Promise<Omit<ExportResult, "file">> {
  const signal = stopSignal();
  const { directory } = chosen;
  const journal = new WholeJournal(directory);
  const progress = new Progress();
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
      await target.appendFile(withEnds(lines));
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
  if (asJson) standardOutput().post(`${jsonText(result, undefined, 2)}\n`);
  else say(isComplete ? `${events} events in ${file}` : "interrupted; no file was written");
  if (undecodable > 0) {
    say(`left out: ${countOf(undecodable, "record")} that cannot be decoded`);
    process.exitCode = exitCodes.badData;
  }
  if (!isComplete) process.exitCode = exitCodes.interrupted;
}
