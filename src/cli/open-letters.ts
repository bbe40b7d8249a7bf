import type { ResolvedConfig } from "../config/load.ts";
import { CertwireError } from "../errors/certwire-error.ts";
import type { FoundLetter } from "../sources/dead-letters.ts";
import { type OpenDeadLetters, openDeadLetters } from "../state/dead-letter-files.ts";
import { type StateLayout, stateLayout } from "../state/layout.ts";
import { RedrivenMarks } from "../state/redriven.ts";

/** The dead letters of a state directory, as they are now. */
export interface OpenedLetters {
  readonly files: readonly OpenDeadLetters[];
  /** Size of all files, in bytes. */
  readonly bytes: number;
  readonly marks: RedrivenMarks;
}

/**
 * Opens the dead letters of a configuration's state directory, passes them on and closes them afterwards. Rejects
 * with CERTWIRE_EVENTS_UNREADABLE, or as `use` does.
 */
export async function withDeadLetters<T>(
  config: ResolvedConfig,
  use: (letters: OpenedLetters) => Promise<T>,
): Promise<T> {
  const layout = stateLayout(config.state.directory);
  const [files, marks] = await open(layout);
  try {
    const bytes = files.reduce((sum, { size }) => sum + size, 0);
    return await use({ files, bytes, marks });
  } finally {
    await marks.close();
    await Promise.all(files.map(({ handle }) => handle.close()));
  }
}

async function open(layout: StateLayout): Promise<[OpenDeadLetters[], RedrivenMarks]> {
  try {
    const marks = await RedrivenMarks.read(layout.redriven);
    return [await openDeadLetters(layout.deadLetterDirectory), marks];
  } catch (cause) {
    const hint =
      "Run the command as the account of the service, or as one that may read its files.";
    const message = `cannot read the dead letters below ${layout.directory}`;
    throw new CertwireError("CERTWIRE_EVENTS_UNREADABLE", message, { cause, hint });
  }
}

/** Bytes of all files up to the end of a letter. */
export function bytesBefore({ files }: OpenedLetters, { file, endsAt }: FoundLetter): number {
  const before = files.slice(0, files.indexOf(file));
  return before.reduce((sum, { size }) => sum + size, endsAt);
}
