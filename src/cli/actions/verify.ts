import { isAccounted } from "../../consumer/completeness/journal-report.ts";
import type { CompletenessReport } from "../../consumer/completeness/report.ts";
import { CertwireError } from "../../errors/certwire-error.ts";
import { jsonText } from "../../events/json-text.ts";
import type { ChainReport } from "../../evidence/check-chain.ts";
import { type Finding, Findings } from "../../evidence/finding.ts";
import { type ComparisonReport, JournalComparison } from "../../evidence/journal-comparison.ts";
import { standardOutput } from "../../files/standard-output.ts";
import { type JournalVerdict, verifyJournal } from "../../journal-tools/verify-journal.ts";
import { countOf } from "../../units.ts";
import { exitCodes } from "../exit-codes.ts";
import { styled } from "../output.ts";
import { Progress } from "../progress.ts";
import { stopSignal } from "../stop-signal.ts";
import { type ConnectOptions, givenOptions, usage } from "../verify/credentials.ts";
import { deadRecords } from "../verify/dead-letters.ts";
import { chainLines, comparisonLines, findingLines } from "../verify/evidence-lines.ts";
import { reportLines } from "../verify/report-lines.ts";
import { Tally, type Things } from "../verify/tally.ts";
import { verdictLines } from "./journal-check.ts";

/** The options of `certwire verify`. */
export interface VerifyOptions extends ConnectOptions {
  readonly kafka?: string;
  readonly rabbitmqStream?: string;
  /** Journal directory. */
  readonly journal?: string;
  /** True if the journal is a copy. */
  readonly copy?: boolean;
  /** State directory of the service. */
  readonly state?: string;
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
  readonly chain: ChainReport;
  /** Absent without a journal. */
  readonly journal?: JournalVerdict | undefined;
  readonly comparison?: ComparisonReport | undefined;
  readonly findings: Findings;
  /** Holes that the comparison with the journal explains. */
  readonly explained: number;
  readonly isInterrupted: boolean;
}

/** `certwire verify`: proves that nothing is missing, and that nothing was changed. */
export async function verify(files: readonly string[], options: VerifyOptions): Promise<void> {
  const target = await chooseTarget(files, options);
  const signal = stopSignal();
  if (target === undefined) return verifyOnly(String(options.journal), options, signal);
  const findings = new Findings();
  const comparison = await openComparison(options, findings, signal);
  const tally = new Tally(target.things, findings, comparison);
  try {
    await target.read(tally, signal);
  } finally {
    tally.end();
  }
  const found = tally.report();
  const isInterrupted = signal.aborted;
  if (found.events === 0 && !isInterrupted) throw noEvents(target, tally);
  const chain = tally.checkChain();
  const compared =
    isInterrupted || comparison === undefined
      ? undefined
      : await comparison.finish(found, await deadRecords(options.state, signal), signal);
  const explained = compared && comparison ? explainedHoles(found, comparison) : 0;
  // What is not read may be missing, and so is a record whose hole a gap event hides that somebody made up.
  const isComplete = !isInterrupted && found.holes === explained && findings.list().every(isChange);
  const outcome = {
    tally,
    report: { ...found, isComplete },
    chain,
    journal: comparison?.verdict,
    comparison: compared,
    findings,
    explained,
    isInterrupted,
  };
  const text = options.json ? jsonOf(target, outcome) : linesOf(target, outcome).join("\n");
  standardOutput().post(`${text}\n`);
  process.exitCode = exitCodeFor(outcome);
}

/** A journal alone. */
async function verifyOnly(
  directory: string,
  options: VerifyOptions,
  signal: AbortSignal,
): Promise<void> {
  const verdict = await withProgress((onProgress) => verifyJournal(directory, signal, onProgress));
  const findings = new Findings();
  addJournalFindings(verdict, findings);
  const evidence = { isUnchanged: findings.count === 0, findings: findings.list() };
  const text = options.json
    ? jsonText({ target: directory, journal: verdict, evidence }, undefined, 2)
    : [
        ...verdictLines(withoutChanges(verdict)),
        ...findingLines(findings.list(), findings.count),
      ].join("\n");
  standardOutput().post(`${text}\n`);
  if (!verdict.isComplete) process.exitCode = exitCodes.interrupted;
  else if (findings.count > 0) process.exitCode = exitCodes.changed;
  else if (verdict.isDamaged) process.exitCode = exitCodes.badData;
}

async function openComparison(
  { journal: directory, copy: isCopy = false }: VerifyOptions,
  findings: Findings,
  signal: AbortSignal,
): Promise<JournalComparison | undefined> {
  if (directory === undefined) return undefined;
  const comparison = await withProgress((onProgress) =>
    JournalComparison.open(directory, findings, signal, onProgress),
  );
  comparison.isCopy = isCopy;
  addJournalFindings(comparison.verdict, findings);
  return comparison;
}

async function withProgress<T>(
  work: (onProgress: (done: number, total: number, records: number) => void) => Promise<T>,
): Promise<T> {
  const progress = new Progress();
  try {
    return await work((done, total, records) =>
      progress.update(done, total, `${records} records of the journal`),
    );
  } finally {
    progress.end();
  }
}

function addJournalFindings({ findings: found }: JournalVerdict, findings: Findings): void {
  for (const finding of found) {
    const { kind, detail, record } = finding;
    if (kind === "changed" && record) findings.add({ kind: "journal", ...record, detail });
  }
}

/** Without what is among the findings of the verification. */
function withoutChanges(journal: JournalVerdict): JournalVerdict {
  return { ...journal, findings: journal.findings.filter(({ kind }) => kind !== "changed") };
}

function explainedHoles({ journals }: CompletenessReport, comparison: JournalComparison): number {
  const open = journals.flatMap(({ holes }) => holes).filter((hole) => !isAccounted(hole));
  return open.filter((hole) => comparison.explains(hole)).length;
}

function exitCodeFor({ findings, report, journal, isInterrupted }: Outcome): number {
  if (isInterrupted) return exitCodes.interrupted;
  if (findings.list().some(isChange)) return exitCodes.changed;
  if (journal?.isDamaged) return exitCodes.badData;
  return report.isComplete ? exitCodes.ok : exitCodes.holes;
}

/** A record without an event is a loss, whoever made it. */
function isChange({ kind }: Finding): boolean {
  return kind !== "missing";
}

function noEvents({ name, things }: Target, { read, later }: Tally): CertwireError {
  const found =
    read === 0 ? `no ${things}s` : `${countOf(read, things)}, but no event of a journal`;
  const text = later > 0 ? `${found} that this version knows` : found;
  return new CertwireError("CERTWIRE_VERIFY_EMPTY", `${name} has ${text}`);
}

function jsonOf({ name }: Target, outcome: Outcome): string {
  const { tally, report, chain, journal, comparison, findings, explained } = outcome;
  const { read, foreign, later, database, notes } = tally;
  const { isInterrupted } = outcome;
  const head = { target: name, read, foreign, later, database, notes, isInterrupted };
  const evidence = {
    isUnchanged: !findings.list().some(isChange),
    chain,
    ...(journal !== undefined && { journal }),
    ...(comparison !== undefined && { comparison, explainedHoles: explained }),
    findings: findings.list(),
    unlisted: findings.count - findings.list().length,
  };
  return jsonText({ ...head, ...report, evidence }, undefined, 2);
}

function linesOf({ name, things }: Target, outcome: Outcome): string[] {
  const { tally, report, chain, journal, comparison, findings, explained } = outcome;
  const { read, foreign, later, database, notes } = tally;
  const { events, duplicates } = report;
  const counts = [
    countOf(read, things),
    countOf(events, "event"),
    countOf(duplicates, "duplicate"),
  ];
  const open = report.holes - explained;
  return [
    `${name}: ${counts.join(", ")}`,
    ...(foreign > 0 ? [`${countOf(foreign, things)} that ${areNot(foreign)} of Certwire`] : []),
    ...(later > 0
      ? [`${countOf(later, "event")} of a later version: use that to verify them`]
      : []),
    ...(database > 0
      ? [
          `${countOf(database, "event")} of the CA's database or of comparisons with it: not checked`,
        ]
      : []),
    ...reportLines(report),
    ...chainLines(chain),
    ...(journal ? verdictLines(withoutChanges(journal)) : []),
    ...(comparison ? comparisonLines(comparison) : []),
    ...(explained > 0 ? [`the journal explains ${countOf(explained, "hole")}`] : []),
    ...findingLines(findings.list(), findings.count),
    "",
    ...notes.map((note) => `note: ${note}`),
    verdictOf(outcome, open),
    ...(open > 0 && !outcome.isInterrupted ? [aboutFilters] : []),
  ];
}

function areNot(count: number): string {
  return count === 1 ? "is not an event" : "are not events";
}

function verdictOf({ report, findings, isInterrupted }: Outcome, open: number): string {
  if (isInterrupted) return styled(process.stdout, "red", "interrupted: the rest was not read");
  const changes = findings.list().filter(isChange).length;
  const losses = open > 0 ? countOf(open, "hole") : "records without an event";
  const holes = report.isComplete ? "complete" : losses;
  const text = changes > 0 ? `${holes}, ${countOf(changes, "sign")} of change` : holes;
  const isGood = report.isComplete && changes === 0;
  return styled(process.stdout, isGood ? "green" : "red", text);
}

/** `undefined` for a journal alone. */
async function chooseTarget(
  files: readonly string[],
  options: VerifyOptions,
): Promise<Target | undefined> {
  const { kafka, rabbitmqStream, journal, state, copy } = options;
  if (copy && journal === undefined) throw usage("--copy is for --journal");
  if (state !== undefined && journal === undefined) throw usage("--state is for --journal");
  const chosen = [kafka !== undefined, rabbitmqStream !== undefined, files.length > 0];
  const count = chosen.filter(Boolean).length;
  if (count > 1 || (count === 0 && journal === undefined)) {
    const text = "choose --kafka URL, --rabbitmq-stream URL or FILE, and --journal DIRECTORY";
    throw usage(text, "See certwire verify --help.");
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
    const target = streamTarget(rabbitmqStream, options, "certwire verify");
    const read: Target["read"] = (tally, signal) => readStream(target, tally, waitMs, signal);
    return { name: `stream ${target.stream}`, things: "message", read };
  }
  const [needless] = givenOptions(options);
  if (needless !== undefined) throw usage(`${needless} is for brokers, not for files`);
  if (files.length === 0) return undefined;
  const name = files.length === 1 ? String(files[0]) : `${files.length} files`;
  const { readFiles } = await import("../verify/files.ts");
  return { name, things: "line", read: (tally, signal) => readFiles(files, tally, signal) };
}
