import { join } from "node:path";

/** Where everything in a state directory is; nothing else makes a path in it. */
export interface StateLayout {
  readonly directory: string;
  /** Name of the file whose lock makes a service the only one on the directory. */
  readonly lockName: string;
  /** Which frames had which CA id, NDJSON. */
  readonly caIds: string;
  /** Directory of copies of damaged ranges of the journal. */
  readonly quarantine: string;
  /** The cursor of a sink. */
  checkpoint(sink: string): string;
  /** What a sink could not publish, NDJSON. */
  deadLetters(sink: string): string;
}

/** The layout of a state directory; touches no file. */
export function stateLayout(directory: string): StateLayout {
  return {
    directory,
    lockName: "state.lock",
    caIds: join(directory, "ca-ids.ndjson"),
    quarantine: join(directory, "quarantine"),
    checkpoint: (sink) => join(directory, "checkpoints", sink),
    deadLetters: (sink) => join(directory, "dead-letters", `${sink}.ndjson`),
  };
}
