import type { CompletenessReport } from "../../consumer/completeness/report.ts";
import { CertwireError } from "../../errors/certwire-error.ts";
import { jsonText } from "../../events/json-text.ts";
import { standardOutput } from "../../files/standard-output.ts";
import { countOf } from "../../units.ts";
import { exitCodes } from "../exit-codes.ts";
import { styled } from "../output.ts";
import { stopSignal } from "../stop-signal.ts";
import { type ConnectOptions, givenOptions, usage } from "../verify/credentials.ts";
import { reportLines } from "../verify/report-lines.ts";
import { Tally, type Things } from "../verify/tally.ts";

/** The options of `certwire verify`. */
export interface VerifyOptions extends ConnectOptions {
  readonly kafka?: string;
  readonly rabbitmqStream?: string;
  /** How long events may be on their way, in s. */
  readonly wait: number;
  readonly json?: true;
}

const aboutFilters = "note: what the sink leaves out by `only` or `except` is a hole, too";

/** Something to verify. */
interface Target {
  /** For people; never holds a secret. */
  readonly name: string;
  readonly things: Things;
  read(tally: Tally, signal: AbortSignal): Promise<void>;
}

/** What came of a verification. */
interface Outcome {
  readonly tally: Tally;
  readonly report: CompletenessReport;
  readonly isInterrupted: boolean;
}

/** `certwire verify`: proves that nothing is missing. */
export async function verify(files: readonly string[], options: VerifyOptions): Promise<void> {
  const target = await chooseTarget(files, options);
  const signal = stopSignal();
  const tally = new Tally(target.things);
  let report: CompletenessReport;
  try {
    await target.read(tally, signal);
  } finally {
    report = tally.finish();
  }
  const isInterrupted = signal.aborted;
  if (report.events === 0 && !isInterrupted) throw noEvents(target, tally);
  // What is not read may be missing.
  if (isInterrupted) report = { ...report, isComplete: false };
  const outcome = { tally, report, isInterrupted };
  const text = options.json ? jsonOf(target, outcome) : linesOf(target, outcome).join("\n");
  standardOutput().post(`${text}\n`);
  if (isInterrupted) process.exitCode = exitCodes.interrupted;
  else if (!report.isComplete) process.exitCode = exitCodes.holes;
}

function noEvents({ name, things }: Target, { read, later }: Tally): CertwireError {
  const found = read === 0 ? `no ${things}s` : `${countOf(read, things)}, but no event of Certwire`;
  const text = later > 0 ? `${found} that this version knows` : found;
  return new CertwireError("CERTWIRE_VERIFY_EMPTY", `${name} has ${text}`);
}

function jsonOf({ name }: Target, { tally, report, isInterrupted }: Outcome): string {
  const { read, foreign, later, notes } = tally;
  const head = { target: name, read, foreign, later, notes, isInterrupted };
  return jsonText({ ...head, ...report }, undefined, 2);
}

function linesOf({ name, things }: Target, { tally, report, isInterrupted }: Outcome): string[] {
  const { read, foreign, later, notes } = tally;
  const { events, duplicates } = report;
  const counts = [
    countOf(read, things),
    countOf(events, "event"),
    countOf(duplicates, "duplicate"),
  ];
  return [
    `${name}: ${counts.join(", ")}`,
    ...(foreign > 0 ? [`${countOf(foreign, things)} that ${areNot(foreign)} of Certwire`] : []),
    ...(later > 0
      ? [`${countOf(later, "event")} of a later version: use that to verify them`]
      : []),
    ...reportLines(report),
    "",
    ...notes.map((note) => `note: ${note}`),
    verdict(report, isInterrupted),
    ...(report.holes > 0 && !isInterrupted ? [aboutFilters] : []),
  ];
}

function areNot(count: number): string {
  return count === 1 ? "is not an event" : "are not events";
}

function verdict({ isComplete, holes }: CompletenessReport, isInterrupted: boolean): string {
  if (isInterrupted) return styled(process.stdout, "red", "interrupted: the rest was not read");
  if (isComplete) return styled(process.stdout, "green", "complete");
  return styled(process.stdout, "red", countOf(holes, "hole"));
}

async function chooseTarget(files: readonly string[], options: VerifyOptions): Promise<Target> {
  const { kafka, rabbitmqStream } = options;
  const chosen = [kafka !== undefined, rabbitmqStream !== undefined, files.length > 0];
  if (chosen.filter(Boolean).length !== 1) {
    throw usage("choose --kafka URL, --rabbitmq-stream URL or FILE", "See certwire verify --help.");
  }
  const waitMs = options.wait * 1000;
  if (kafka !== undefined) {
    const { kafkaTarget, readTopic } = await import("../verify/kafka.ts");
    const target = kafkaTarget(kafka, options, "certwire-verify");
    const read: Target["read"] = (tally, signal) => readTopic(target, tally, waitMs, signal);
    return { name: `topic ${target.topic}`, things: "message", read };
  }
  if (rabbitmqStream !== undefined) {
    const { readStream, streamTarget } = await import("../verify/rabbitmq-stream.ts");
    const target = streamTarget(rabbitmqStream, options);
    const read: Target["read"] = (tally, signal) => readStream(target, tally, waitMs, signal);
    return { name: `stream ${target.stream}`, things: "message", read };
  }
  const [needless] = givenOptions(options);
  if (needless !== undefined) throw usage(`${needless} is for brokers, not for files`);
  const name = files.length === 1 ? String(files[0]) : `${files.length} files`;
  const { readFiles } = await import("../verify/files.ts");
  return { name, things: "line", read: (tally, signal) => readFiles(files, tally, signal) };
}
