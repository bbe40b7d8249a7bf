import type { ChainReport } from "../../evidence/check-chain.ts";
import type { Finding } from "../../evidence/finding.ts";
import type { ComparisonReport } from "../../evidence/journal-comparison.ts";
import { countOf } from "../../units.ts";
import { brokenLines, inLine } from "../output.ts";

/** Most findings that are printed; --json has more. */
const maxShown = 50;
const width = 80;
/** Longest text of a finding that is printed; a name in it may be anybody's. */
const maxText = 300;

/** How the chain of the events was followed. */
export function chainLines({ records, links, openLinks }: ChainReport): string[] {
  const open = openLinks === 0 ? [] : [`${openLinks} open, after records that are not there`];
  return ["", [`chain of ${countOf(records, "record")}: ${links} links fit`, ...open].join(", ")];
}

/** How the events stand beside the journal. */
export function comparisonLines(report: ComparisonReport): string[] {
  const lines = [
    [report.same, "the same as the record"],
    [report.partly, "the same where a sink shows it, the rest redacted or left out"],
    [report.unread, "with the hashes of a record that this version reads otherwise"],
    [report.gone, "of a record that the journal does not have any more"],
    [report.gaps, "of a gap that the journal has, too"],
    [report.newer, "newer than the copy of the journal, not compared"],
  ] as const;
  const records = [
    [report.before, "older than the oldest event"],
    [report.after, "newer than the newest event"],
    [report.deadLetters, "without an event that are dead letters"],
    [report.compacted, "replaced in the compacted topic by a later event of their request"],
  ] as const;
  return [
    "compared with the journal:",
    ...lines.flatMap(([count, what]) =>
      count > 0 ? [`  ${countOf(count, "event")} ${what}`] : [],
    ),
    ...records.flatMap(([count, what]) =>
      count > 0 ? [`  ${countOf(count, "record")} ${what}`] : [],
    ),
  ];
}

/** The findings in the order of the journal; the first one is the first broken place. */
export function findingLines(findings: readonly Finding[], count: number): string[] {
  if (count === 0) return [];
  const shown = findings.slice(0, maxShown);
  const hidden = count - shown.length;
  return [
    "",
    ...shown.flatMap((finding, at) => lineOf(finding, at === 0 ? "first: " : "")),
    ...(hidden > 0 ? [`... ${countOf(hidden, "more finding")}, see --json`] : []),
  ];
}

function lineOf(finding: Finding, prefix: string): string[] {
  const { kind, epochNumber, epochId, sequence, to, place, detail } = finding;
  const record = to === undefined ? `record ${sequence}` : `records ${sequence}-${to}`;
  const id = epochId === "" ? "" : ` (${epochId.slice(0, 8)})`;
  const where = place === undefined ? "" : ` at ${place}`;
  const text = `${prefix}epoch ${epochNumber}${id}, ${record}${where}: ${kind}: ${detail}`;
  return brokenLines(inLine(text).slice(0, maxText), width - 2, { cutsWords: true }).map(
    (line, at) => (at === 0 ? line : `  ${line}`),
  );
}
