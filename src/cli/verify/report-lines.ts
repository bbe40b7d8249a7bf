import { isAccounted } from "../../consumer/completeness/journal-report.ts";
import type {
  CompletenessReport,
  EpochReport,
  Hole,
  JournalReport,
} from "../../consumer/completeness/report.ts";
import { countOf } from "../../units.ts";
import { alignRows, inLine } from "../output.ts";

/** Most holes, and most epochs, that are printed of a journal; --json has all. */
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

function journalLines(journal: JournalReport): string[] {
  const { caIds, sources, startsAt, epochs, holes, unlisted } = journal;
  const { epochNumber, sequence, isStartOfEpoch } = startsAt;
  const start = isStartOfEpoch ? "its beginning" : `record ${sequence}`;
  const rows = shownEpochs(epochs);
  const shown = holes.slice(0, maxShown);
  const hidden = holes.length - shown.length + unlisted;
  return [
    `CA ${inLine(caIds.at(-1) ?? sources.at(-1) ?? "")}`.slice(0, width),
    ...(caIds.length > 1 ? [`  and ${countOf(caIds.length - 1, "more id")}, see --json`] : []),
    `  starts at epoch ${epochNumber}, ${start}`,
    ...alignRows([head, ...rows.map(cellsOf)]).map((line) => `  ${line}`),
    ...moreLines(epochs.length - rows.length, "more epoch"),
    ...alignRows(shown.map(holeCells)).map((line) => `  ${line}`),
    ...moreLines(hidden, "more hole"),
    ...remarkLines(journal),
  ];
}

/** The epochs with holes, and of the others the newest, as many as there is space for. */
function shownEpochs(epochs: readonly EpochReport[]): EpochReport[] {
  const newest = epochs.toReversed();
  const first = newest.filter(({ holes }) => holes > 0).slice(0, maxShown);
  const others = newest.filter(({ holes }) => holes === 0).slice(0, maxShown - first.length);
  const shown = new Set([...first, ...others]);
  return epochs.filter((epoch) => shown.has(epoch));
}

function moreLines(count: number, what: string): string[] {
  return count > 0 ? [`  ... ${countOf(count, what)}, see --json`] : [];
}

/** What the numbers do not show. */
function remarkLines({ epochs, emptied }: JournalReport): string[] {
  const seals = epochs.reduce((sum, epoch) => sum + epoch.seals, 0);
  const [first = ""] = emptied;
  const others = emptied.length > 1 ? ` and ${emptied.length - 1} more` : "";
  return [
    ...(seals > 0 ? [`  ${countOf(seals, "number")} after ca.stopped taken for seals`] : []),
    ...(emptied.length > 0
      ? [
          "  the broker deleted old events of a partition that has none left:",
          `    ${first}${others}`,
        ]
      : []),
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
