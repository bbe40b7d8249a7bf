import type { HealthReason } from "../health/health.ts";
import type { Status } from "../health/status.ts";
import { countOf, formatBytes, formatDuration } from "../units.ts";
import type { DirectoryRights } from "./directory-rights.ts";
import {
  caution,
  type Finding,
  findings,
  type Problem,
  problem,
  problemsOf,
  skipped,
} from "./finding.ts";

/** What is known of the journal beside its health. */
export interface JournalLinkFacts {
  readonly directory: string;
  readonly shown?: Status["journal"];
  /** Where the exit module writes; absent if that is not known here. */
  readonly moduleDirectory?: string;
  /** Absent if there is no such directory, or it cannot be seen. */
  readonly rights?: DirectoryRights;
  /** Free space that the service and the module leave, in bytes. */
  readonly limits?: { readonly service: number; readonly module: number };
  /** Age of the oldest record that is written and not flushed, in ms; absent if there is none. */
  readonly unflushedMs?: number;
}

/** Fewer appends say nothing of the slowest 1 %. */
const leastAppends = 100;
/** The module waits up to 2 ms for a record to be written; the buckets of the histogram begin a little lower. */
const slowAppendUs = 1800;
const slowFlushUs = 1_000_000;
/** The module flushes every 50 ms. */
const lateFlushMs = 5000;

/** What the facts mean. `reasons`: those of the health of the journal. */
export function judgeJournal(
  facts: JournalLinkFacts,
  reasons: readonly HealthReason[],
  nowMs: number,
): Finding[] {
  const { shown, directory } = facts;
  const found = judgeDirectory(facts, reasons);
  if (shown === undefined) {
    const why = "the journal cannot be read";
    const rest = ["journal-space", "journal-writer", "journal-appends", "journal-gaps"] as const;
    return [...found, ...judgeRights(facts), ...rest.map((check) => skipped(check, why))];
  }
  const { limits } = facts;
  const space = [
    `${formatBytes(shown.bytes)} of ${formatBytes(shown.capacityBytes)} are used, ${formatBytes(shown.freeBytes)} are free`,
    ...(limits === undefined
      ? []
      : [
          `the service leaves ${formatBytes(limits.service)} free, the module ${formatBytes(limits.module)}`,
        ]),
  ];
  return [
    ...found,
    ...judgeRights(facts),
    ...findings("journal-space", space.join("; "), problemsOf(reasons, "journal-space")),
    ...judgeWriter(shown, reasons, nowMs),
    ...judgeAppends(facts, shown),
    ...findings(
      "journal-gaps",
      `none in the newest segment of ${directory}`,
      problemsOf(reasons, "journal-gaps"),
    ),
  ];
}

function judgeDirectory(facts: JournalLinkFacts, reasons: readonly HealthReason[]): Finding[] {
  const { directory, moduleDirectory, shown } = facts;
  const problems = problemsOf(reasons, "journal-directory");
  if (moduleDirectory !== undefined && !isSamePath(directory, moduleDirectory)) {
    problems.push(
      problem(
        `the configuration reads ${directory}, the exit module writes ${moduleDirectory}`,
        "Set journal.directory, or JournalDirectory of the module, to the same directory.",
        "reference/exit-module-settings.md",
      ),
    );
  }
  if (shown?.segments === 0) {
    problems.push(
      caution(
        `${directory}: no segment`,
        "Check that the exit module writes there, and that the CA was restarted since it was added.",
        "how-to/nothing-arrives.md",
      ),
    );
  }
  const { segments = 0, epochs = 0 } = shown ?? {};
  const seen = `${directory}: ${countOf(segments, "segment")}, ${countOf(epochs, "epoch")}`;
  return findings("journal-directory", seen, problems);
}

function isSamePath(a: string, b: string): boolean {
  const plain = (path: string) => path.replaceAll("/", "\\").replace(/\\+$/, "").toLowerCase();
  return plain(a) === plain(b);
}

const rightsDocs = "reference/exit-module-settings.md#directories-and-rights";

function judgeRights({ rights, directory }: JournalLinkFacts): Finding[] {
  if (rights === undefined) return [skipped("journal-rights", `${directory} cannot be read`)];
  const { distrust, isReadableByOthers, isWritableByOthers, isDeletable } = rights;
  const problems: Problem[] = [];
  if (distrust !== undefined && distrust !== "") {
    const hint = "Until that is corrected, the module keeps events in memory only.";
    problems.push(problem(`the module refuses it: ${distrust}`, hint, rightsDocs));
  }
  if (isWritableByOthers) {
    const hint = "Take the right to write from all but the writer and the service.";
    problems.push(problem("other accounts may write to it", hint, rightsDocs));
  }
  if (isReadableByOthers) {
    const hint = "It holds requests as they were sent: let only the service read it.";
    problems.push(caution("other accounts may read it", hint, rightsDocs));
  }
  if (!isDeletable) {
    const hint = "Let the service's account delete there: what is published takes space otherwise.";
    problems.push(caution("this account may not delete segments", hint, rightsDocs));
  }
  const seen =
    distrust === undefined
      ? "this account may delete in it, and others may not write to it"
      : "the module accepts it, and others may not read it";
  return findings("journal-rights", seen, problems);
}

type Shown = NonNullable<Status["journal"]>;

function judgeWriter(
  { writer, writerBeat, newest }: Shown,
  reasons: readonly HealthReason[],
  nowMs: number,
): Finding[] {
  const ageMs = newest === undefined ? 0 : nowMs - Date.parse(newest.time);
  const age = ageMs < 0 ? `${formatDuration(-ageMs)} ahead` : `${formatDuration(ageMs)} old`;
  const record = newest === undefined ? "there is no record" : `the newest record is ${age}`;
  const state = {
    running: "the module holds the journal",
    stopped: "no module holds the journal",
    unknown: "whether a module holds the journal cannot be seen here",
  }[writer];
  const silentMs = writerBeat === undefined ? 0 : Math.max(0, nowMs - Date.parse(writerBeat.time));
  const life =
    writer !== "running" || writerBeat === undefined
      ? ""
      : `, its last sign of life was ${formatDuration(silentMs)} ago`;
  const seen = `${state}${life}, ${record}`;
  return findings("journal-writer", seen, problemsOf(reasons, "journal-writer"));
}

function judgeAppends({ unflushedMs }: JournalLinkFacts, { durations }: Shown): Finding[] {
  const { append, flush } = durations ?? {};
  const problems: Problem[] = [];
  if (unflushedMs !== undefined && unflushedMs >= lateFlushMs) {
    const seen = `records have waited ${formatDuration(unflushedMs)} for a flush`;
    const hint = "The disk hangs, or the module is stuck: see the event log, source Certwire.";
    problems.push(problem(seen, hint, "reference/event-log.md"));
  }
  const slow = [
    { name: "appends", ...append, limitUs: slowAppendUs },
    { name: "flushes", ...flush, limitUs: slowFlushUs },
  ].filter(({ count = 0, p99Us = 0, limitUs }) => count >= leastAppends && p99Us >= limitUs);
  for (const { name, p99Us = 0 } of slow) {
    const seen = `1 % of the ${name} take ${formatDuration(p99Us / 1000)} or more`;
    const hint = "The volume of the journal is slow: give it a faster one, or less other work.";
    problems.push(caution(seen, hint));
  }
  const appends = append?.count ?? 0;
  if (appends === 0 && problems.length === 0) {
    return [skipped("journal-appends", "the newest segment has no durations yet")];
  }
  const seen = `${countOf(appends, "append")}, p99 ${p99Of(append)}, flushes p99 ${p99Of(flush)}`;
  return findings("journal-appends", seen, problems);
}

function p99Of(durations: { readonly p99Us?: number | undefined } | undefined): string {
  return formatDuration((durations?.p99Us ?? 0) / 1000);
}
