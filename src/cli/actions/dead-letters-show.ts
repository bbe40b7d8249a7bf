import { loadConfig } from "../../config/load.ts";
import { jsonText } from "../../events/json-text.ts";
import { standardOutput } from "../../files/standard-output.ts";
import { readDeadLetters } from "../../sources/dead-letters.ts";
import { exitCodes } from "../exit-codes.ts";
import { type LetterFilter, unknownLetter } from "../letter-filter.ts";
import { withDeadLetters } from "../open-letters.ts";
import { stopSignal } from "../stop-signal.ts";

/** `certwire dead-letters show`: the dead letters with an id, one for each sink that has it. */
export async function showDeadLetter(id: string, options: LetterFilter): Promise<void> {
  const config = loadConfig(options.config, { isNeeded: () => false });
  await withDeadLetters(config, async ({ files, marks }) => {
    const stop = stopSignal();
    let isFound = false;
    for await (const found of readDeadLetters(files, stop)) {
      if ("place" in found || found.id !== id) continue;
      isFound = true;
      const redriven = marks.timeOf({ ...found.letter, id });
      const letter = { id, ...found.letter, ...(redriven !== undefined && { redriven }) };
      await standardOutput().print(`${jsonText(letter, undefined, 2)}\n`);
    }
    if (stop.aborted) process.exitCode = exitCodes.interrupted;
    else if (!isFound) throw unknownLetter(id);
  });
}
