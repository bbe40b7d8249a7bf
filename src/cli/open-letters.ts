import type { ResolvedConfig } from "../config/load.ts";
import { CertwireError } from "../errors/certwire-error.ts";
import type { FoundLetter } from "../sources/dead-letters.ts";
import { type OpenDeadLetters, openDeadLetters } from "../state/dead-letter-files.ts";
import { type StateLayout, stateLayout } from "../state/layout.ts";
import { RedrivenMarks } from "../state/redriven.ts";

/** What it takes to say how far a reader of some files has come. */
export interface Extent {
  /** Size of all files, in bytes. */
  readonly bytes: number;
  /** Bytes of the files before each one. */
  readonly starts: ReadonlyMap<OpenDeadLetters, number>;
}

/** The dead letters of a state directory, as they are now. */
export interface OpenedLetters extends Extent {
  readonly files: readonly OpenDeadLetters[];
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
    return await use({ files, ...extentOf(files), marks });
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

/** The extent of files that are read in this order. */
export function extentOf(files: readonly OpenDeadLetters[]): Extent {
  const starts = new Map<OpenDeadLetters, number>();
  let bytes = 0;
  for (const file of files) {
    starts.set(file, bytes);
    bytes += file.size;
  }
  return { bytes, starts };
}

/** Bytes of all files up to the end of a letter. */
export function bytesBefore({ starts }: Extent, { file, endsAt }: FoundLetter): number {
  return (starts.get(file) ?? 0) + endsAt;
}
