import { isAccounted } from "../../consumer/completeness/journal-report.ts";
import type {
  CompletenessReport,
  EpochReport,
  Hole,
  JournalReport,
} from "../../consumer/completeness/report.ts";
import { alignRows, inLine } from "../output.ts";

/** Most holes that are printed of a journal; --json has all. */
const maxShown = 50;
const width = 80;
/** Longest reason that is printed whole; those of Certwire are shorter. */
const maxReason = 16;
/** Digits of an epoch's id that are printed, enough to find it. */
const idDigits = 8;
const head = ["epoch", "first", "last", "events", "duplicates", "accounted", "lost", "holes"];

/** The result for people to read: a table for each CA, and its holes. */
export function reportLines({ journals }: CompletenessReport): string[] {
  return journals.flatMap((journal) => ["", ...journalLines(journal)]);
}

function journalLines({ caIds, sources, startsAt, epochs, holes }: JournalReport): string[] {
  const { epochNumber, sequence, isStartOfEpoch } = startsAt;
  const start = isStartOfEpoch ? "its beginning" : `record ${sequence}`;
  const shown = holes.slice(0, maxShown);
  const hidden = holes.length - shown.length;
  return [
    `CA ${inLine(caIds.at(-1) ?? sources.at(-1) ?? "")}`.slice(0, width),
    ...(caIds.length > 1 ? [`  and ${caIds.length - 1} more ids, see --json`] : []),
    `  starts at epoch ${epochNumber}, ${start}`,
    ...alignRows([head, ...epochs.map(cellsOf)]).map((line) => `  ${line}`),
    ...alignRows(shown.map(holeCells)).map((line) => `  ${line}`),
    ...(hidden > 0 ? [`  ... ${hidden} more, see --json`] : []),
  ];
}

function cellsOf(epoch: EpochReport): string[] {
  const { epochNumber, first, last, events, duplicates, accounted, lost, holes } = epoch;
  const numbers = [events, duplicates, accounted, lost, holes];
  return [String(epochNumber), `${first ?? "-"}`, `${last ?? "-"}`, ...numbers.map(String)];
}

function holeCells(hole: Hole): string[] {
  const verdict = isAccounted(hole)
    ? inLine(hole.accountedBy ?? "").slice(0, maxReason)
    : "MISSING";
  if (hole.kind === "epochs") {
    const range = rangeOf("epoch", hole.from, hole.to);
    return [verdict, range];
  }
  return [verdict, `epoch ${hole.epochNumber}`, placeOf(hole), hole.epochId.slice(0, idDigits)];
}

function placeOf(hole: Exclude<Hole, { kind: "epochs" }>): string {
  if (hole.kind === "records") return rangeOf("record", hole.from, hole.to);
  if (hole.kind === "end") return `end, from record ${hole.from}`;
  return `record ${hole.sequence}, ${rangeOfIndexes(hole.indexes)}`;
}

function rangeOf(what: string, from: number, to: number): string {
  return from === to ? `${what} ${from}` : `${what}s ${from}-${to}`;
}

function rangeOfIndexes(indexes: readonly number[]): string {
  return indexes.length === 1 ? `event ${indexes[0]}` : `${indexes.length} events`;
}
