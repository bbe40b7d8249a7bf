/** Severity of a line. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** Sections of the page, in its order. */
type Section =
  | "Start and stop"
  | "Health"
  | "Publishing"
  | "The journal"
  | "The CA's database"
  | "The state directory"
  | "The event log";

/** One row of the table below, which is the only place where messages of the log are defined. */
export interface LogMessageEntry {
  readonly section: Section;
  /** `error`: somebody must act. `warn`: unexpected, nothing is lost. `info`: life cycle. The first is the default. */
  readonly levels: readonly LogLevel[];
  /** What a line may have beside `level`, `name`, `time`, `msg` and `repeated`. */
  readonly fields: readonly string[];
  /** What it means where that is not plain, and what to do, as Markdown. */
  readonly advice: string;
}
