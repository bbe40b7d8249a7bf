import { join } from "node:path";

/** The paths in a state directory. No other code builds a path in it. */
export interface StateLayout {
  readonly directory: string;
  /** Name of the file whose lock admits one service to the directory. */
  readonly lockName: string;
  /** Which frames have which CA id, NDJSON (`CaIdFile`). */
  readonly caIds: string;
  /** Directory for copies of damaged ranges of the journal. */
  readonly quarantine: string;
  /** The position of a sink (`CheckpointStore`). */
  checkpoint(sink: string): string;
  /** What a sink could not publish, NDJSON (`DeadLetterFile`). */
  deadLetters(sink: string): string;
  /**
   * Which kinds of events the broker of a sink has routed, JSON (`RoutedKindsFile`); `<path>.new` while it is replaced.
   */
  routedKinds(sink: string): string;
  /** The directory of all files of dead letters. */
  readonly deadLetterDirectory: string;
  /** Which dead letters were published since, NDJSON (`RedrivenMarks`); `<path>.new` while it is replaced. */
  readonly redriven: string;
  /** Name of the file whose lock admits one redrive to the directory. */
  readonly redriveLockName: string;
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
    routedKinds: (sink) => join(directory, "routed-kinds", `${sink}.json`),
    deadLetterDirectory: join(directory, "dead-letters"),
    redriven: join(directory, "redriven.ndjson"),
    redriveLockName: "redrive.lock",
  };
}
