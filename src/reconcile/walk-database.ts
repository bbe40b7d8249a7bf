import { hash } from "node:crypto";
import type { CaDatabase } from "../ca-database/ca-database.ts";
import { isSameCaName } from "../events/ca-identity.ts";
import { unixMsOf } from "../events/times.ts";
import type { ExitRecord } from "../exit/record.ts";
import type { NativeCaFacts } from "../native/ca-database.ts";
import { ContentIndex, crlRequestId, type IndexEntry } from "./content-index.ts";
import type { Contents } from "./journal-contents.ts";

/** How long before a row was read something may have happened that is not in the journal yet, in ms. */
export const defaultSettleMs = 600_000;

/** What is compared. */
export interface Compared {
  readonly database: CaDatabase;
  readonly contents: Contents;
  /** Journal directory, or the name of a topic or stream. */
  readonly journal: string;
}

/** Some thousand requests, in both. */
export interface WalkedPart {
  /** Number of the file of the index. */
  readonly part: number;
  /** The rows of the database, by rising RequestID, as scans read them. */
  readonly rows: readonly ExitRecord[];
  readonly entries: OwnEntries;
  /** When the database was asked for them, in ms since 1970; `undefined` if it has no row. */
  readonly readMs: number | undefined;
  /** `Contents.knownUntilMs` of these entries. */
  readonly knownUntilMs: number | undefined;
}

/** What the journal says of some requests, as far as it is about the CA that is read. */
export interface OwnEntries {
  readonly byRequest: ReadonlyMap<number, IndexEntry[]>;
  /** Its CRLs. */
  readonly crls: readonly IndexEntry[];
  /** Number of entries that are about another CA. */
  readonly others: number;
  /** How else than the CA the journal writes its name: in another case. */
  readonly otherNames: readonly string[];
}

/**
 * Goes through database and journal together, by rising RequestID, from the part that follows `after`. The journal is read
 * after the rows, so that what happens meanwhile is not taken for missing. Rejects as `CaDatabase.pages` and
 * `JournalContents.update` do.
 */
export async function* walkDatabase(
  { database, contents, journal }: Compared,
  { facts, after }: { facts: NativeCaFacts; after: number },
  signal: AbortSignal,
): AsyncGenerator<WalkedPart> {
  let part = after === 0 ? 0 : ContentIndex.partOf(after + 1);
  let rows: ExitRecord[] = [];
  /** The first row of the page. */
  let first: ExitRecord | undefined;
  const finish = async (): Promise<WalkedPart> => {
    await contents.update(journal, signal);
    signal.throwIfAborted();
    const { knownUntilMs } = contents;
    const asked = rows[0] ?? first;
    const readMs = asked && unixMsOf(asked.time);
    return { part, rows, entries: await ownEntries(contents, facts, part), readMs, knownUntilMs };
  };
  // Parts of which neither has anything are left out: numbers may be far apart.
  const next = async (before: number): Promise<number[]> =>
    (await contents.parts()).filter((each) => each > part && each < before);
  for await (const page of database.pages({ after, columns: "scan" }, signal)) {
    first = page.rows[0] ?? first;
    for (const row of page.rows) {
      const own = ContentIndex.partOf(row.context);
      if (own > part) {
        yield await finish();
        rows = [];
        for (part of await next(own)) yield await finish();
        part = own;
      }
      rows.push(row);
    }
  }
  yield await finish();
  rows = [];
  // What only the journal knows.
  for (part of await next(Number.POSITIVE_INFINITY)) yield await finish();
}

/** What a file of the index says about the CA with these facts. */
export async function ownEntries(
  contents: Contents,
  facts: NativeCaFacts,
  part: number,
): Promise<OwnEntries> {
  const all = await contents.read(part);
  const isOwn = ownCas(contents, facts);
  let others = 0;
  let crls: readonly IndexEntry[] = [];
  const byRequest = new Map<number, IndexEntry[]>();
  for (const [id, entries] of all) {
    const own = entries.filter(({ ca }) => isOwn[ca]);
    others += entries.length - own.length;
    if (id === crlRequestId) crls = own;
    else if (own.length > 0) byRequest.set(id, own);
  }
  const names = contents.cas
    .filter(({ name }, at) => isOwn[at] && name !== "")
    .map(({ name }) => name);
  const otherNames = [...new Set(names)].filter((name) => name !== facts.sanitizedName);
  return { byRequest, crls, others, otherNames };
}

/** Which of the CAs in the journal is the one with these facts; a renewal has added certificates to it. */
export function ownCas(
  { cas }: Pick<Contents, "cas">,
  { sanitizedName, certificates }: NativeCaFacts,
): boolean[] {
  const own = new Set(certificates.map((der) => hash("sha256", der)));
  // The exit module may have failed to read either.
  return cas.map(
    ({ name, certificate }) =>
      (name === "" || isSameCaName(name, sanitizedName)) &&
      (certificate === "" ? name !== "" : own.has(certificate)),
  );
}

/** Numbers of requests by the file of the index that has them. */
export function groupIds(ids: Iterable<number>): Map<number, number[]> {
  const parts = new Map<number, number[]>();
  for (const id of ids) {
    const part = ContentIndex.partOf(id);
    const others = parts.get(part);
    if (others === undefined) parts.set(part, [id]);
    else others.push(id);
  }
  return parts;
}

/** Rows by the file of the index that has their requests. */
export function groupByPart(rows: Iterable<ExitRecord>): Map<number, ExitRecord[]> {
  const parts = new Map<number, ExitRecord[]>();
  for (const row of rows) {
    const part = ContentIndex.partOf(row.context);
    const others = parts.get(part);
    if (others === undefined) parts.set(part, [row]);
    else others.push(row);
  }
  return parts;
}
