import { loadConfig } from "../../config/load.ts";
import { CertwireError } from "../../errors/certwire-error.ts";
import { jsonText } from "../../events/json-text.ts";
import { lockDirectory } from "../../files/directory-lock.ts";
import { standardOutput } from "../../files/standard-output.ts";
import { crlClasses, crlClassMeanings } from "../../reconcile/compare-crls.ts";
import { classMeanings, requestClasses } from "../../reconcile/compare-row.ts";
import { EventContents } from "../../reconcile/event-contents.ts";
import { JournalContents } from "../../reconcile/journal-contents.ts";
import { type ReconcileReport, reconcile } from "../../reconcile/reconcile.ts";
import { RunFile } from "../../reconcile/run-file.ts";
import { stateLayout } from "../../state/layout.ts";
import { countOf } from "../../units.ts";
import type { DatabaseOptions } from "../database-options.ts";
import { chooseEventPlace } from "../event-place.ts";
import { exitCodes } from "../exit-codes.ts";
import { openCaDatabase } from "../open-database.ts";
import { alignRows, inLine, styled } from "../output.ts";
import { Progress } from "../progress.ts";
import { stopSignal } from "../stop-signal.ts";
import type { ConnectOptions } from "../verify/credentials.ts";

/** The options of `certwire reconcile`. */
export interface ReconcileCommandOptions extends DatabaseOptions, ConnectOptions {
  readonly kafka?: string;
  readonly rabbitmqStream?: string;
  readonly since?: Date;
  readonly full?: true;
  readonly rescan?: true;
  readonly json?: true;
}

/** Findings in the table; the file has all. */
const mostShown = 50;

/** `certwire reconcile`: compares the CA's database with the journal, or with a topic or stream. */
export async function reconcileDatabase(options: ReconcileCommandOptions): Promise<void> {
  const { since, full, rescan, json } = options;
  if (since !== undefined && full) {
    throw new CertwireError("CERTWIRE_USAGE", "--since and --full cannot be used together");
  }
  const place = await chooseEventPlace(options);
  const database = openCaDatabase(options);
  const config = loadConfig(options.config, { isNeeded: () => false });
  const own = stateLayout(config.state.directory).reconcile;
  const paths = place === undefined ? own : own.place(place.key);
  const lock = await lockDirectory(own.directory, own.lockName, "private");
  const signal = stopSignal();
  const progress = new Progress();
  try {
    const report = await reconcile(
      {
        database,
        contents:
          place === undefined
            ? await JournalContents.open(paths)
            : await EventContents.open(place.noun, paths, place.read),
        journal: place?.name ?? config.journal.directory,
        paths,
        run: await RunFile.open(paths.run),
        ...(full ? { since: "full" as const } : since && { since: since.getTime() }),
        ...(rescan && { acceptsRestored: true }),
        journalProgress: (records) =>
          progress.count(records, undefined, place ? "messages" : "records of the journal"),
        progress: (done, total) => progress.count(done, total, "requests"),
        crlProgress: (done) => progress.count(done, undefined, "CRLs"),
      },
      signal,
    );
    progress.end();
    const text = json ? jsonText(report, undefined, 2) : reportLines(report).join("\n");
    standardOutput().post(`${text}\n`);
    process.exitCode = exitCodeFor(report);
  } finally {
    progress.end();
    lock.release();
  }
}

/** The exit code that a report calls for. */
export function exitCodeFor({
  coveredSince,
  counts,
  crls,
  isInterrupted,
}: ReconcileReport): number {
  if (isInterrupted) return exitCodes.interrupted;
  if (coveredSince === undefined) return exitCodes.badData;
  if (counts.changed > 0) return exitCodes.changed;
  const { missing, state, unknown } = counts;
  return missing + state + unknown + crls.missing > 0 ? exitCodes.holes : exitCodes.ok;
}

/** A report for people, safe on a terminal. */
export function reportLines(report: ReconcileReport): string[] {
  const { ca, comparedWith, mode, since, coveredSince, rows, counts, crls, otherCa, findings } =
    report;
  const what = mode === "full" ? "every row" : `rows that changed since ${since}`;
  const extent =
    coveredSince === undefined
      ? `the ${comparedWith} is empty`
      : `${comparedWith} since ${coveredSince}`;
  const classes = requestClasses
    .filter((each) => counts[each] > 0)
    .map((each) => [`  ${each}`, String(counts[each]), meaningIn(report, classMeanings[each])]);
  const classesOfCrls = crlClasses
    .filter((each) => crls[each] > 0)
    .map((each) => [`  ${each}`, String(crls[each]), meaningIn(report, crlClassMeanings[each])]);
  const shown = findings.slice(0, mostShown);
  const table = shown.map((finding) => [
    "crl" in finding ? finding.crl : String(finding.requestId),
    finding.class,
    finding.time ?? "",
    ("detail" in finding && finding.detail) || finding.missing.join(" and "),
  ]);
  const all = findings.length + report.unlisted;
  return [
    inLine(`CA "${ca}": ${countOf(rows, "request")} of the database compared, ${what}, ${extent}`),
    ...alignRows(classes),
    ...(classesOfCrls.length > 0 ? ["CRLs:", ...alignRows(classesOfCrls)] : []),
    ...(otherCa > 0
      ? [`${countOf(otherCa, "record")} of the ${comparedWith} of another CA left out`]
      : []),
    ...(table.length > 0
      ? [
          "",
          ...alignRows(
            [["request", "class", "time", "what"], ...table].map((row) => row.map(inLine)),
          ),
        ]
      : []),
    ...(all > shown.length ? [`all ${all} are in ${report.findingsFile}`] : []),
    "",
    verdict(report),
  ];
}

/** What a class means where the database was compared with something else than the journal. */
function meaningIn({ comparedWith }: ReconcileReport, meaning: string): string {
  return meaning.replaceAll("journal", comparedWith);
}

function verdict(report: ReconcileReport): string {
  const { comparedWith, coveredSince, counts, crls, isInterrupted, mode } = report;
  const { missing, state, changed, unknown } = counts;
  const requests = missing + state + changed + unknown;
  if (isInterrupted) {
    const next = mode === "full" ? "goes on where this one was" : "compares all of that again";
    return styled(process.stdout, "red", `interrupted: the next run ${next}`);
  }
  if (coveredSince === undefined) {
    const text = `nothing could be compared: the ${comparedWith} is empty`;
    return styled(process.stdout, "red", text);
  }
  if (requests + crls.missing === 0) {
    const young = counts.unsettled + crls.unsettled;
    const later = young > 0 ? `; a later run compares what is unsettled` : "";
    const text = `the ${comparedWith} lacks nothing since ${coveredSince}${later}`;
    return styled(process.stdout, "green", text);
  }
  const what = [
    ...(requests > 0 ? [countOf(requests, "request")] : []),
    ...(crls.missing > 0 ? [countOf(crls.missing, "CRL")] : []),
  ];
  return styled(process.stdout, "red", `${what.join(" and ")} to check`);
}
