import { linesOfEventFile } from "../../sources/event-file.ts";
import type { Tally } from "./tally.ts";

/** Reads all lines of NDJSON files. Ends early if the signal is aborted. Rejects with a CertwireError. */
export async function readFiles(
  files: readonly string[],
  tally: Tally,
  signal: AbortSignal,
): Promise<void> {
  for (const file of files) {
    let number = 0;
    for await (const line of linesOfEventFile(file, signal)) {
      number += 1;
      // A line is a message in structured mode, without headers.
      if (line.length > 0) tally.add({ headers: {}, body: line }, { name: `${file}:`, at: number });
      await tally.makeSpace(signal);
    }
  }
}
