import { jsonText } from "../../events/json-text.ts";
import { standardOutput } from "../../files/standard-output.ts";
import { type JournalVerdict, verifyJournal } from "../../journal-tools/verify-journal.ts";
import { countOf, formatBytes } from "../../units.ts";
import { chooseJournal } from "../chosen-journal.ts";
import { exitCodes } from "../exit-codes.ts";
import type { JournalOptions } from "../journal-options.ts";
import { alignRows, styled } from "../output.ts";
import { Progress } from "../progress.ts";
import { stopSignal } from "../stop-signal.ts";

/** The options of `certwire journal check`. */
export interface CheckOptions extends JournalOptions {
  readonly json?: true;
}

/** Maximum number of findings that are printed; --json has all. */
const maxShown = 50;

/** `certwire journal check`: verifies every frame. */
export async function check(options: CheckOptions): Promise<void> {
  const { directory } = await chooseJournal(options);
  const progress = new Progress();
  const result = await verifyJournal(directory, stopSignal(), (doneBytes, totalBytes, records) =>
    progress.update(doneBytes, totalBytes, `${records} records`),
  ).finally(() => progress.end());
  const text = options.json ? jsonText(result, undefined, 2) : verdictLines(result).join("\n");
  standardOutput().post(`${text}\n`);
  if (!result.isComplete) process.exitCode = exitCodes.interrupted;
  if (result.isDamaged) process.exitCode = exitCodes.badData;
}

/** The result for people to read. */
export function verdictLines(result: JournalVerdict): string[] {
  const { directory, epochs, segments, bytes, records, findings, isDamaged, isComplete } = result;
  const shown = findings.slice(0, maxShown);
  const rows = alignRows(shown.map(({ kind, place, detail }) => [kind, place, detail]));
  const hidden = findings.length - shown.length;
  const verdict = isDamaged ? "damaged" : isComplete ? "not damaged" : "no damage so far";
  return [
    `${directory}: ${countOf(epochs, "epoch")}, ${countOf(segments, "segment")}, ${formatBytes(bytes)}, ${countOf(records, "record")}`,
    ...rows,
    ...(hidden > 0 ? [`... ${hidden} more, see --json`] : []),
    styled(process.stdout, isDamaged ? "red" : "green", verdict),
  ];
}
