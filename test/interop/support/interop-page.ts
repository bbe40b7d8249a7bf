import type { InteropResult } from "./results.ts";

/** A table of the page: its columns by their keys in a result, and its rows by the software they are about. */
interface Table {
  readonly columns: readonly string[];
  readonly rows: ReadonlyMap<string, readonly string[]>;
}

/** The columns of the page's two tables after software and version. */
const sdkColumns = [
  "kafka, structured",
  "kafka, binary",
  "rabbitmq, structured",
  "rabbitmq, binary",
] as const;
const otherColumns = ["result"] as const;

/** A table without its header: the lines after a line of dashes. */
const tablePattern = /(?<=^\|(?:---\|)+\n)(?:\|.*\n)*/gm;

/** The tables of the page: the one of the SDKs, then that of all other software. */
export function tablesOf(page: string): Table[] {
  const found = [...page.matchAll(tablePattern)].map(([rows]) => rowsOf(rows));
  return [sdkColumns, otherColumns].map((columns, at) => ({
    columns,
    rows: found[at] ?? new Map(),
  }));
}

function rowsOf(lines: string): Map<string, string[]> {
  const rows = lines
    .split("\n")
    .filter(Boolean)
    .map((line) => line.slice(2, -2).split(" | "));
  return new Map(rows.map(([software = "", ...cells]) => [software, cells]));
}

/** The tables with the results in the rows of their software. Throws for software that no row is about. */
export function mergeRows(tables: readonly Table[], results: readonly InteropResult[]): Table[] {
  const known = tables.flatMap(({ rows }) => [...rows.keys()]);
  const stray = results.find(({ software }) => !known.includes(software));
  if (stray !== undefined) throw new Error(`the page has no row of ${stray.software}`);
  return tables.map(({ columns, rows }) => ({
    columns,
    rows: new Map(
      [...rows].map(([software, cells]) => {
        const result = results.find((each) => each.software === software);
        return [software, result === undefined ? cells : newCells(cells, columns, result)];
      }),
    ),
  }));
}

/** Version first and results last; what stands between them is written by hand. */
function newCells(
  old: readonly string[],
  columns: readonly string[],
  { version, passed }: InteropResult,
): string[] {
  const results = columns.map((column) => passed[column] ?? "");
  return [version, ...old.slice(1, old.length - columns.length), ...results];
}

/** The page with other rows in its tables. */
export function withTables(page: string, tables: readonly Table[]): string {
  const next = tables.values();
  return page.replaceAll(tablePattern, (unchanged) => {
    const table = next.next().value;
    if (table === undefined) return unchanged;
    return [...table.rows].map(([software, cells]) => lineOf(software, cells)).join("");
  });
}

function lineOf(software: string, cells: readonly string[]): string {
  return `| ${[software, ...cells].join(" | ")} |\n`;
}
