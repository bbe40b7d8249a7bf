import { loadConfig } from "../../config/load.ts";
import { CertwireError } from "../../errors/certwire-error.ts";
import { jsonText } from "../../events/json-text.ts";
import { standardOutput } from "../../files/standard-output.ts";
import { readDeadLetters } from "../../sources/dead-letters.ts";
import type { LetterFilter } from "../letter-filter.ts";
import { withDeadLetters } from "../open-letters.ts";
import { stopSignal } from "../stop-signal.ts";

/** `certwire dead-letters show`: the dead letters with an id, one for each sink that has it. */
export async function showDeadLetter(id: string, options: LetterFilter): Promise<void> {
  const config = loadConfig(options.config, { isNeeded: () => false });
  await withDeadLetters(config, async ({ files, marks }) => {
    let isFound = false;
    for await (const found of readDeadLetters(files, stopSignal())) {
      if ("place" in found || found.id !== id) continue;
      isFound = true;
      const redriven = marks.timeOf({ sink: found.letter.sink, id });
      const letter = { id, ...found.letter, ...(redriven !== undefined && { redriven }) };
      await standardOutput().print(`${jsonText(letter, undefined, 2)}\n`);
    }
    if (!isFound) throw unknown(id);
  });
}

function unknown(id: string): CertwireError {
  const hint = "`certwire dead-letters list` shows their ids.";
  return new CertwireError("CERTWIRE_USAGE", `there is no dead letter with the id ${id}`, { hint });
}
