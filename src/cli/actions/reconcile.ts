import { loadConfig } from "../../config/load.ts";
import { CertwireError } from "../../errors/certwire-error.ts";
import { jsonText } from "../../events/json-text.ts";
import { lockDirectory } from "../../files/directory-lock.ts";
import { standardOutput } from "../../files/standard-output.ts";
import { classMeanings, type RequestClass, requestClasses } from "../../reconcile/compare-row.ts";
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

function exitCodeFor({ counts, isInterrupted }: ReconcileReport): number {
  if (isInterrupted) return exitCodes.interrupted;
  if (counts.changed > 0) return exitCodes.changed;
  return counts.missing + counts.state > 0 ? exitCodes.holes : exitCodes.ok;
}

/** A report for people, safe on a terminal. */
export function reportLines(report: ReconcileReport): string[] {
  const { ca, comparedWith, mode, since, coveredSince, rows, counts, otherCa, findings } = report;
  const what = mode === "full" ? "every row" : `rows that changed since ${since}`;
  const extent =
    coveredSince === undefined
      ? `the ${comparedWith} is empty`
      : `${comparedWith} since ${coveredSince}`;
  const classes = requestClasses
    .filter((each) => counts[each] > 0)
    .map((each) => [`  ${each}`, String(counts[each]), meaningOf(each, report)]);
  const shown = findings.slice(0, mostShown);
  const table = shown.map(({ requestId, class: found, missing, time = "", detail }) => [
    String(requestId),
    found,
    time,
    detail ?? missing.join(" and "),
  ]);
  const all = findings.length + report.unlisted;
  return [
    inLine(`CA "${ca}": ${countOf(rows, "request")} of the database compared, ${what}, ${extent}`),
    ...alignRows(classes),
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
function meaningOf(each: RequestClass, { comparedWith }: ReconcileReport): string {
  return classMeanings[each].replaceAll("journal", comparedWith);
}

function verdict({ comparedWith, counts, isInterrupted, mode }: ReconcileReport): string {
  const { missing, state, changed } = counts;
  const toDo = missing + state + changed;
  if (isInterrupted) {
    const next = mode === "full" ? "goes on where this one was" : "compares all of that again";
    return styled(process.stdout, "red", `interrupted: the next run ${next}`);
  }
  if (toDo === 0) return styled(process.stdout, "green", `the ${comparedWith} has everything`);
  return styled(process.stdout, "red", `${countOf(toDo, "request")} to look at`);
}
