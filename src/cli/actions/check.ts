import { type Diagnostic, formatDiagnostic } from "../../config/config-error.ts";
import { inspectConfig } from "../../config/inspect.ts";
import type { ResolvedConfig } from "../../config/load.ts";
import type { SinkConfiguration } from "../../config/sink-entry.ts";
import { CertwireError } from "../../errors/certwire-error.ts";
import type { ErrorCode } from "../../errors/codes.ts";
import { describeError } from "../../errors/describe-error.ts";
import { jsonText } from "../../events/json-text.ts";
import { standardOutput } from "../../files/standard-output.ts";
import { listSegmentFiles } from "../../journal/segments.ts";
import { examineSink, type SinkExamination } from "../../sinks/examine-sink.ts";
import { sinkKinds } from "../../sinks/registry.ts";
import type { SinkKind } from "../../sinks/sink-kind.ts";
import { checkState } from "../../state/check-state.ts";
import { stateLayout } from "../../state/layout.ts";
import { countOf } from "../../units.ts";
import { exitCodes } from "../exit-codes.ts";
import { alignRows, styled } from "../output.ts";
import { assertSample, printSample, printSampleJson } from "./check-sample.ts";

/** The options of `certwire check`. */
export interface CheckOptions {
  readonly config: string;
  readonly offline?: true;
  readonly timeout: number;
  /** A file with events. */
  readonly sample?: string;
  readonly json?: true;
}

/** The result of one check. */
interface CheckResult {
  readonly subject: string;
  /** What the check found, or the message of its error. */
  readonly detail: string;
  /** Present when the check failed. */
  readonly error?: { readonly code: ErrorCode; readonly exitCode: number; readonly hint: string };
  /** Present when it works but should be changed. */
  readonly warning?: Diagnostic;
  /** What to do about a setting of the destination that puts events at risk. */
  readonly advice?: string;
}

/** `certwire check`: the configuration, the directories, a connection to every sink, and what becomes of a sample. */
export async function check(
  options: CheckOptions,
  kinds: readonly SinkKind[] = sinkKinds,
): Promise<void> {
  const { config: file, offline, timeout, sample, json } = options;
  if (sample !== undefined) await assertSample(sample);
  const { config, warnings } = inspectConfig(file, { kinds });
  const enabled = config.sinks.filter((sink) => sink.options.enabled);
  const checks = await Promise.all([
    attempt("journal", "CERTWIRE_JOURNAL_UNREADABLE", () => checkJournal(config)),
    attempt("state", "CERTWIRE_CHECKPOINT_FAILED", () => checkStateOf(config)),
    ...(offline ? [] : enabled.map((sink) => checkSink(sink, timeout * 1000))),
  ]);
  const results = [
    describeConfig(file, config),
    ...warnings.map(describeWarning),
    ...checks.flat(),
  ];
  process.exitCode = results.find(({ error }) => error)?.error?.exitCode ?? exitCodes.ok;
  await (json ? printJson : printTables)(results, enabled, sample);
}

async function printTables(
  results: readonly CheckResult[],
  sinks: readonly SinkConfiguration[],
  sample: string | undefined,
): Promise<void> {
  standardOutput().post(format(results));
  if (sample !== undefined) await printSample(sample, sinks);
}

async function printJson(
  results: readonly CheckResult[],
  sinks: readonly SinkConfiguration[],
  sample: string | undefined,
): Promise<void> {
  const text = jsonText(results, undefined, 2);
  const output = standardOutput();
  if (sample === undefined) return output.post(`${text}\n`);
  output.post(`{"checks":${text},\n"sample":[`);
  try {
    await printSampleJson(sample, sinks);
  } finally {
    // A line that cannot be read ends the list; what was printed stays JSON.
    output.post("\n]}\n");
  }
}

function describeConfig(file: string, { sinks }: ResolvedConfig): CheckResult {
  const disabled = sinks.filter((sink) => !sink.options.enabled).length;
  const detail = `${file}: ${countOf(sinks.length - disabled, "sink")} enabled, ${disabled} disabled`;
  return { subject: "configuration", detail };
}

function describeWarning(warning: Diagnostic): CheckResult {
  const [detail = ""] = formatDiagnostic(warning).split("\n");
  return { subject: "configuration", detail, warning };
}

async function checkJournal({ journal }: ResolvedConfig): Promise<string> {
  const segments = await listSegmentFiles(journal.directory);
  return `${journal.directory}: ${countOf(segments.length, "segment")}`;
}

async function checkStateOf({ state, sinks }: ResolvedConfig): Promise<string> {
  const enabled = sinks.filter(({ options }) => options.enabled).map(({ options }) => options.name);
  await checkState(stateLayout(state.directory), enabled);
  return `${state.directory}: writable`;
}

/** The result of an opening, and what the destination's settings put at risk. */
async function checkSink(configured: SinkConfiguration, timeoutMs: number): Promise<CheckResult[]> {
  const subject = `sink ${configured.options.name}`;
  let findings: SinkExamination["findings"] = [];
  const result = await attempt(subject, "CERTWIRE_SINK_UNREACHABLE", async () => {
    const examined = await examineSink(configured, timeoutMs);
    findings = examined.findings;
    return `${configured.kind}: connected, ${countOf(examined.lanes, "lane")}`;
  });
  const atRisk = findings.map(({ message, hint }) => ({ subject, detail: message, advice: hint }));
  return [result, ...atRisk];
}

async function attempt(
  subject: string,
  code: ErrorCode,
  inspect: () => Promise<string>,
): Promise<CheckResult> {
  try {
    return { subject, detail: await inspect() };
  } catch (cause) {
    const detail = describeError(cause).error;
    const known = cause instanceof CertwireError ? cause : new CertwireError(code, detail);
    const { exitCode, hint } = known;
    return { subject, detail, error: { code: known.code, exitCode, hint } };
  }
}

function format(results: readonly CheckResult[]): string {
  const rows = alignRows(
    results.map(({ subject, detail, error, warning, advice }) => [
      error ? "error" : (warning ?? advice) ? "warning" : "ok",
      subject,
      error ? `${error.code}: ${detail}` : detail,
    ]),
  );
  const lines = rows.flatMap((row, index) => {
    const { error, warning, advice } = results[index] ?? {};
    const color = error ? "red" : (warning ?? advice) ? "yellow" : "green";
    const line = styled(process.stdout, color, row);
    if (advice) return [line, `         hint: ${advice}`];
    if (warning) return [line, ...formatDiagnostic(warning).split("\n").slice(1)];
    return error ? [line, `       hint: ${error.hint}`] : [line];
  });
  return `${lines.join("\n")}\n`;
}
