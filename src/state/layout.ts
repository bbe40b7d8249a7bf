import { hash } from "node:crypto";
import { join } from "node:path";

/** Letters in the name of a directory that stands for a topic or stream. */
const placeNameLength = 16;

/** The paths in a state directory. No other code builds a path in it. */
export interface StateLayout {
  readonly directory: string;
  /** Name of the file whose lock admits one service to the directory. */
  readonly lockName: string;
  /** The status of the running service, JSON (`Status`); `<path>.new` while it is replaced. */
  readonly status: string;
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
  /** What comparing journal and CA's database needs to go on. */
  readonly reconcile: ReconcileLayout;
}

/** The paths of comparisons with the CA's database. */
export interface ReconcileLayout {
  readonly directory: string;
  /** Name of the file whose lock admits one comparison to the directory. */
  readonly lockName: string;
  /** Directory of what the journal says of which request (`ContentIndex`). */
  readonly index: string;
  /** Up to where the journal was read for that, JSON (`JournalContents`); `<path>.new` while it is replaced. */
  readonly head: string;
  /** Which database it was, and how far a run has come, JSON (`RunFile`); `<path>.new` while it is replaced. */
  readonly run: string;
  /** What the last run over every row has found so far, NDJSON. */
  readonly findings: string;
  /** What the last run over changed rows has found, or of one over every row that went on what it had found before, NDJSON. */
  readonly changes: string;
  /** What the scheduled comparisons have found, NDJSON (`ReportedFindings`); `<path>.new` while it is replaced. */
  readonly reported: string;
  /** Which of that a sink has, JSON (`FindingsPlace`); `<path>.new` while it is replaced. */
  reportedTo(sink: string): string;
  /** Directory of what a backfill has published to a sink (`ContentIndex`). */
  published(sink: string): string;
  /** Where a backfill to a sink goes on, JSON (`BackfillPlace`); `<path>.new` while it is replaced. */
  backfill(sink: string): string;
  /** Directory of the directories of `published`. */
  readonly publishedDirectory: string;
  /** The same for comparing the database with a topic or stream instead of the journal. */
  place(name: string): ReconcileLayout;
}

/** Name of the files of dead letters and routed kinds of a sink that are of findings. */
export function reconcileSinkName(sink: string): string {
  return `reconcile-${sink}`;
}

/** The layout of a state directory; touches no file. */
export function stateLayout(directory: string): StateLayout {
  return {
    directory,
    lockName: "state.lock",
    status: join(directory, "status.json"),
    caIds: join(directory, "ca-ids.ndjson"),
    quarantine: join(directory, "quarantine"),
    checkpoint: (sink) => join(directory, "checkpoints", sink),
    deadLetters: (sink) => join(directory, "dead-letters", `${sink}.ndjson`),
    routedKinds: (sink) => join(directory, "routed-kinds", `${sink}.json`),
    deadLetterDirectory: join(directory, "dead-letters"),
    redriven: join(directory, "redriven.ndjson"),
    redriveLockName: "redrive.lock",
    reconcile: reconcileLayout(join(directory, "reconcile")),
  };
}

function reconcileLayout(directory: string): ReconcileLayout {
  return {
    directory,
    lockName: "reconcile.lock",
    index: join(directory, "index"),
    head: join(directory, "journal.json"),
    run: join(directory, "run.json"),
    findings: join(directory, "findings.ndjson"),
    changes: join(directory, "changes.ndjson"),
    reported: join(directory, "reported.ndjson"),
    reportedTo: (sink) => join(directory, "reported", `${sink}.json`),
    published: (sink) => join(directory, "published", sink),
    backfill: (sink) => join(directory, "backfill", `${sink}.json`),
    publishedDirectory: join(directory, "published"),
    place: (name) =>
      reconcileLayout(join(directory, "places", hash("sha256", name).slice(0, placeNameLength))),
  };
}
