// Reads the database of the stand-in in node.exe for Windows. Arguments: the file with a `ReaderTask`, and the file for
// the `ReaderResult`.
import { readFileSync, writeFileSync } from "node:fs";
import { CaDatabase } from "../../../src/ca-database/ca-database.ts";
import { CertwireError } from "../../../src/errors/certwire-error.ts";
import type { ExitRecord } from "../../../src/exit/record.ts";
import { nativeCaDatabase } from "../../../src/native/ca-database.ts";
import { plainJson, type RowJson, rowJson } from "./row-json.ts";

/** What the reader does. */
export interface ReaderTask {
  /** File of the stand-in's script, as Windows sees it. */
  readonly standin: string;
  readonly config: string;
  readonly certificates?: readonly string[];
  readonly secretAttributes?: readonly string[];
  readonly stuckAfterMs?: number;
  readonly columns: "scan" | "whole";
  readonly after: number;
  /** Single rows to read after the pages. */
  readonly single: readonly number[];
  /** If present, the ids of what has changed since then are read too, in ms since 1970. */
  readonly sinceMs?: number;
  /** Ids of rows to read by `rows`. */
  readonly wanted?: readonly number[];
  /** False: rows are only counted. */
  readonly keepsRows: boolean;
}

/** What the reader saw. */
export interface ReaderResult {
  readonly rows: RowJson[];
  readonly single: (RowJson | null)[];
  /** Of the table of CRLs. */
  readonly crls: { id: number; publishedMs: number | undefined; crls: unknown[] }[];
  readonly partitioned: unknown[];
  readonly changed: { submitted: number[]; resolved: number[]; revoked: number[] };
  readonly wanted: number[];
  newest?: number;
  readonly ids: { count: number; first: number; last: number; ascending: boolean };
  readonly dispositions: Record<string, number>;
  readonly pages: number[];
  readonly lacking: readonly string[];
  readonly waits: { code: string; message: string; delayMs: number }[];
  /** The error that ended the reading, and that of a question right after it. */
  error?: { code: string; message: string };
  errorAfter?: { code: string };
  ms: number;
  /** Memory of the process in MiB, at the first page, and the most at any. */
  memory: { first: number; most: number };
}

const [taskFile = "", resultFile = ""] = process.argv.slice(2);
const task = JSON.parse(readFileSync(taskFile, "utf8")) as ReaderTask;
process.env["CERTWIRE_DATABASE_STANDIN"] = task.standin;

const result: ReaderResult = {
  rows: [],
  single: [],
  crls: [],
  partitioned: [],
  changed: { submitted: [], resolved: [], revoked: [] },
  wanted: [],
  ids: { count: 0, first: 0, last: 0, ascending: true },
  dispositions: {},
  pages: [],
  lacking: [],
  waits: [],
  ms: 0,
  memory: { first: 0, most: 0 },
};

const database = new CaDatabase(nativeCaDatabase(), {
  config: task.config,
  ...(task.certificates && { certificates: new Set(task.certificates) }),
  ...(task.secretAttributes && { secretAttributes: task.secretAttributes }),
  ...(task.stuckAfterMs !== undefined && { stuckAfterMs: task.stuckAfterMs }),
  waiting: ({ code, message }, delayMs) => result.waits.push({ code, message, delayMs }),
  // Pauses would only make the test slow: how long they are is tested without Windows.
  sleep: async (_, signal) => signal.throwIfAborted(),
});

const started = performance.now();
try {
  await read(new AbortController().signal);
} catch (error) {
  if (!(error instanceof CertwireError)) throw error;
  result.error = { code: error.code, message: error.message };
  await database.facts().catch((after: unknown) => {
    if (after instanceof CertwireError) result.errorAfter = { code: after.code };
  });
}
result.ms = performance.now() - started;
writeFileSync(resultFile, JSON.stringify(result));

async function read(signal: AbortSignal): Promise<void> {
  const { after, columns, single, keepsRows } = task;
  for await (const page of database.pages({ after, columns }, signal)) {
    result.pages.push(page.rows.length);
    Object.assign(result, { lacking: page.lackingColumns });
    const used = process.memoryUsage().rss / 2 ** 20;
    result.memory.first ||= used;
    result.memory.most = Math.max(result.memory.most, used);
    for (const row of page.rows) {
      take(row);
      if (keepsRows) result.rows.push(rowJson(row));
    }
  }
  if (task.sinceMs !== undefined) await readChanged(task.sinceMs, signal);
  for await (const page of database.crls(0, signal)) {
    for (const { id, record, publishedMs } of page) {
      result.crls.push({ id, publishedMs, crls: crlsJson(record) });
    }
  }
  for await (const { record } of database.partitionedCrls(signal)) {
    result.partitioned.push(...crlsJson(record));
  }
  const newest = await database.newest(signal);
  if (newest !== undefined) result.newest = newest.context;
  for await (const { context } of database.rows(task.wanted ?? [], signal)) {
    result.wanted.push(context);
  }
  for (const id of single) {
    const row = await database.row(id, signal);
    result.single.push(row === undefined ? null : rowJson(row));
  }
}

async function readChanged(sinceMs: number, signal: AbortSignal): Promise<void> {
  const { submitted, resolved, revoked } = result.changed;
  const revokedPages = database.revokedSince({ sinceMs, upTo: result.ids.last }, signal);
  for (const [ids, pages] of [
    [submitted, database.rowsSince("SubmittedWhen", sinceMs, signal)],
    [resolved, database.rowsSince("ResolvedWhen", sinceMs, signal)],
    [revoked, revokedPages],
  ] as const) {
    for await (const { rows } of pages) ids.push(...rows.map(({ context }) => context));
  }
}

function crlsJson({ crls }: ExitRecord): unknown[] {
  return plainJson(crls) as unknown[];
}

function take({ context, request }: ExitRecord): void {
  const { ids, dispositions } = result;
  if (ids.count === 0) ids.first = context;
  else if (context <= ids.last) ids.ascending = false;
  ids.count += 1;
  ids.last = context;
  const disposition = Number(request.get("Disposition"));
  dispositions[disposition] = (dispositions[disposition] ?? 0) + 1;
}
