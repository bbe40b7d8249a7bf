import type { CompletenessReport } from "../../consumer/completeness/report.ts";
import { CertwireError } from "../../errors/certwire-error.ts";
import { jsonText } from "../../events/json-text.ts";
import { standardOutput } from "../../files/standard-output.ts";
import { eventsOfFile } from "../../sources/event-file.ts";
import { exitCodes } from "../exit-codes.ts";
import { styled } from "../output.ts";
import { stopSignal } from "../stop-signal.ts";
import { type ConnectOptions, usage } from "../verify/credentials.ts";
import { reportLines } from "../verify/report-lines.ts";
import { Tally } from "../verify/tally.ts";

/** The options of `certwire verify`. */
export interface VerifyOptions extends ConnectOptions {
  readonly kafka?: string;
  readonly rabbitmqStream?: string;
  readonly json?: true;
}

/** Something to verify. */
interface Target {
  /** For people; never holds a secret. */
  readonly name: string;
  read(tally: Tally, signal: AbortSignal): Promise<void>;
}

/** `certwire verify`: proves that nothing is missing. */
export async function verify(files: readonly string[], options: VerifyOptions): Promise<void> {
  const target = await chooseTarget(files, options);
  const signal = stopSignal();
  const tally = new Tally();
  let report: CompletenessReport;
  try {
    await target.read(tally, signal);
  } finally {
    report = tally.finish();
  }
  if (report.events === 0 && !signal.aborted) {
    throw new CertwireError("CERTWIRE_VERIFY_EMPTY", `${target.name} has no events of Certwire`);
  }
  const { read, foreign } = tally;
  const isInterrupted = signal.aborted;
  const text = options.json
    ? jsonText({ target: target.name, read, foreign, isInterrupted, ...report }, undefined, 2)
    : [
        `${target.name}: ${read} messages, ${report.events} events, ${report.duplicates} duplicates`,
        ...(foreign > 0 ? [`${foreign} messages are not events of Certwire`] : []),
        ...reportLines(report),
        "",
        verdict(report, isInterrupted),
      ].join("\n");
  standardOutput().post(`${text}\n`);
  if (isInterrupted) process.exitCode = exitCodes.interrupted;
  else if (!report.isComplete) process.exitCode = exitCodes.holes;
}

function verdict({ isComplete, holes }: CompletenessReport, isInterrupted: boolean): string {
  if (isInterrupted) return styled(process.stdout, "red", "interrupted: the rest was not read");
  if (isComplete) return styled(process.stdout, "green", "complete");
  return styled(process.stdout, "red", holes === 1 ? "1 hole" : `${holes} holes`);
}

async function chooseTarget(files: readonly string[], options: VerifyOptions): Promise<Target> {
  const { kafka, rabbitmqStream } = options;
  const chosen = [kafka !== undefined, rabbitmqStream !== undefined, files.length > 0];
  if (chosen.filter(Boolean).length !== 1) {
    throw usage("choose --kafka URL, --rabbitmq-stream URL or FILE");
  }
  if (kafka !== undefined) {
    const { kafkaTarget, readTopic } = await import("../verify/kafka.ts");
    const target = kafkaTarget(kafka, options);
    const read: Target["read"] = (tally, signal) => readTopic(target, tally, signal);
    return { name: `topic ${target.topic}`, read };
  }
  if (rabbitmqStream !== undefined) {
    const { readStream, streamTarget } = await import("../verify/rabbitmq-stream.ts");
    const target = streamTarget(rabbitmqStream, options);
    const read: Target["read"] = (tally, signal) => readStream(target, tally, signal);
    return { name: `stream ${target.stream}`, read };
  }
  const name = files.length === 1 ? String(files[0]) : `${files.length} files`;
  return { name, read: (tally, signal) => readFiles(files, tally, signal) };
}

async function readFiles(
  files: readonly string[],
  tally: Tally,
  signal: AbortSignal,
): Promise<void> {
  for (const file of files) {
    const skip = (): void => tally.addTornLine();
    for await (const event of eventsOfFile(file, { skip }, signal)) tally.addEvent(event);
  }
}
