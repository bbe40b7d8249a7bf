import { hash } from "node:crypto";
import { clock } from "../clock.ts";
import { CertwireError } from "../errors/certwire-error.ts";
import { isSameCaName } from "../events/ca-identity.ts";
import type { CrlRow } from "../events/crl-row-event.ts";
import { oleDateMs } from "../events/times.ts";
import { decodeRecord } from "../exit/decode-record.ts";
import type { ExitRecord, RecordValue } from "../exit/record.ts";
import type {
  NativeCaDatabase,
  NativeCaFacts,
  NativeCrlPage,
  NativeCrlPartitions,
  NativePartitionedCrl,
  NativeRowPage,
  NativeRowRequest,
} from "../native/ca-database.ts";
import { DatePlace, type IndexedDate } from "./date-place.ts";
import { databaseError } from "./errors.ts";
import { type LoadLimits, msUntil, pauseAfter } from "./load.ts";
import { nextPageRows, type PageSizes } from "./page-size.ts";
import { mayRead } from "./rights.ts";

/** How the database of a CA is read. */
export interface CaDatabaseOptions {
  /** `COMPUTER\name of the CA`. */
  readonly config: string;
  /**
   * SHA-256 of certificates of the CA that is meant, lower-case hex: it must have one of them. Default: whichever CA
   * answers first.
   */
  readonly certificates?: ReadonlySet<string>;
  /** Names of attributes whose values are secrets, beside those that are built in. Default none. */
  readonly secretAttributes?: readonly string[];
  /** Called before a wait of `delayMs` after a failure that may pass. */
  readonly waiting?: (error: CertwireError, delayMs: number) => void;
  /** Waits, and rejects when the signal is aborted. Default: real time. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** The time now. Default that of the machine. */
  readonly now?: () => Date;
  /** How long one call may take before it counts as stuck, in ms. Default 120 000. */
  readonly stuckAfterMs?: number;
  /** Default half of the time, at any hour. */
  readonly load?: LoadLimits;
}

/** Which columns of a row are read: those that tell which events it stands for, or all that the exit module reads. */
export type RowColumns = NativeRowRequest["columns"];

/** Where to begin, and what to read of each row. */
export interface RowSelection {
  /** Only rows with a greater RequestID. */
  readonly after: number;
  readonly columns: RowColumns;
}

/** Rows that were revoked, or released from hold. */
export interface RevokedSelection {
  /** At this time or later, in ms since 1970. */
  readonly sinceMs: number;
  /** Only rows with a RequestID up to this. */
  readonly upTo: number;
}

/** Rows of one view, in the order of their RequestID. */
export interface RowPage {
  /** Each row as a record: `context` is its RequestID, `event` 0, `time` when it was read. `ca` is of now. */
  readonly rows: readonly ExitRecord[];
  /** Of the last row; of a page without rows, where it began. */
  readonly lastId: number;
  /** Columns that this server does not have. */
  readonly lackingColumns: readonly string[];
}

/** A row of the table of CRLs. */
export interface StoredCrl extends CrlRow {
  /** Its CRLRowId. */
  readonly id: number;
}

/** A row is not begun later than this after its view was opened, in ms; the CA itself closes a view after 16 minutes. */
const maxViewMs = 60_000;
/** A scan for revoked rows makes the CA read as many rows at a time: the column has no index. */
const revokedWindow = 20_000;
/** A page by date never has more: it begins a little before the end of the one before. */
const mostByDate = 65_536;
const oleDateOfUnixEpoch = 25_569;
const msPerDay = 86_400_000;
/** Longest wait for the hours in one piece, in ms: the clock may be set, and the machine may sleep. */
const longestWaitMs = 60_000;
/** How often `whileWaiting` is called, in ms. */
const whileWaitingEveryMs = 3_600_000;
const firstBackOffMs = 60_000;
const longestBackOffMs = 900_000;

const pageSizes: Readonly<Record<RowColumns, PageSizes>> = {
  scan: { least: 50, first: 500, most: 2000 },
  whole: { least: 10, first: 100, most: 500 },
};

/** CRLs are larger than rows, and of any size. */
const crlSizes: PageSizes = { least: 1, first: 50, most: 500 };
const slowRow = "a view took too long for a single row";

type PageRequest = Pick<NativeRowRequest, "columns" | "scan" | "from" | "maxRows"> &
  Partial<Pick<NativeRowRequest, "to" | "since">>;

/**
 * The database of one CA. It is read in small pages, one view at a time. Before each view there is a pause that is as long as
 * the one before it or longer, so that the CA has at least half of the time for itself unless the options say otherwise.
 * Before each page the CA says who it is: rows of two CAs are never mixed.
 */
export class CaDatabase {
  readonly #native: NativeCaDatabase;
  readonly #options: CaDatabaseOptions;
  readonly #sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  #first: NativeCaFacts | undefined;
  /** A call that the CA has not answered in time; it may still be on its way. */
  #stuck: CertwireError | undefined;
  /** How long the last view was open, in ms; `undefined` after its pause. */
  #lastViewMs: number | undefined;
  /** Called after each hour of views and waits, between two calls of the CA. Default nothing. */
  whileWaiting: (signal: AbortSignal) => Promise<void> = () => Promise.resolve();
  /** Time since that, in ms. */
  #waitedMs = 0;

  constructor(native: NativeCaDatabase, options: CaDatabaseOptions) {
    this.#native = native;
    this.#options = options;
    this.#sleep = options.sleep ?? ((ms, signal) => clock.delay(ms, { signal }));
  }

  /** True while a call is out that the CA has not answered in time: further ones are refused. */
  get isStuck(): boolean {
    return this.#stuck !== undefined;
  }

  /**
   * What the CA says of itself. Rejects with CERTWIRE_CA_DATABASE_REFUSED, CERTWIRE_CA_DATABASE_FAILED,
   * CERTWIRE_CA_DATABASE_STUCK, and with CERTWIRE_CA_DATABASE_OTHER if it is not the CA that is meant. After an abort of
   * the signal an answer is not waited for.
   */
  async facts(signal?: AbortSignal): Promise<NativeCaFacts> {
    const { config } = this.#options;
    try {
      return this.#assertSame(await this.#inTime(() => this.#native.readFacts(config), signal));
    } catch (error) {
      if (error instanceof CertwireError) throw error;
      throw databaseError(config, error).error;
    }
  }

  /** The same, and rejects with CERTWIRE_CA_DATABASE_REFUSED if this account may not read the database. */
  async readableFacts(signal?: AbortSignal): Promise<NativeCaFacts> {
    return this.#assertReadable(await this.facts(signal));
  }

  /** The same, once the CA answers. Waits and rejects as `pages` does. */
  async factsOnceReady(signal: AbortSignal): Promise<NativeCaFacts> {
    const { config } = this.#options;
    const { answer } = await this.#ask(() => this.#native.readFacts(config), signal);
    return this.#assertSame(answer);
  }

  /**
   * The rows from a place on, page by page, until the database has no more. A failure that may pass, such as a restart
   * of the CA, is waited for and the page begins again; each row comes once. Rejects as `facts` does, and with the
   * signal's reason.
   */
  async *pages({ after, columns }: RowSelection, signal: AbortSignal): AsyncGenerator<RowPage> {
    const sizes = pageSizes[columns];
    let [from, maxRows] = [after, sizes.first];
    for (;;) {
      const { read, page } = await this.#page({ columns, scan: "new", from, maxRows }, signal);
      from = read.lastId;
      yield read;
      if (page.isEnd) return;
      if (page.rows.length === maxRows) maxRows = nextPageRows(maxRows, page.viewMs, sizes);
    }
  }

  /**
   * The rows with a date at a time (in ms since 1970) or later, in its order, each once, with the columns of a scan. Waits
   * and rejects as `pages` does.
   */
  async *rowsSince(
    date: IndexedDate,
    sinceMs: number,
    signal: AbortSignal,
  ): AsyncGenerator<RowPage> {
    const sizes = pageSizes.scan;
    const scan = date === "SubmittedWhen" ? "submitted" : "resolved";
    const place = new DatePlace(date, sinceMs);
    for (let maxRows = sizes.first; ; ) {
      const since = place.sinceMs / msPerDay + oleDateOfUnixEpoch;
      const request = { columns: "scan", scan, from: 0, since, maxRows } as const;
      const { read, page } = await this.#page(request, signal);
      const rows = place.take(read.rows);
      if (rows === undefined) throw this.#failed("rows out of order");
      yield { ...read, rows };
      if (page.isEnd) return;
      // A page that shows little that is new is nearly full of the seconds before.
      if (rows.length * 2 > page.rows.length) maxRows = nextPageRows(maxRows, page.viewMs, sizes);
      else if (maxRows < mostByDate) maxRows = Math.min(mostByDate, maxRows * 2);
      else if (rows.length === 0)
        throw this.#failed("too many rows have a date in the same seconds");
    }
  }

  /**
   * The rows that were revoked, or released from hold, in the order of their RequestID, with the columns of a scan. The
   * CA reads every row for it, some thousands at a time. Waits and rejects as `pages` does.
   */
  async *revokedSince(
    { sinceMs, upTo }: RevokedSelection,
    signal: AbortSignal,
  ): AsyncGenerator<RowPage> {
    const since = sinceMs / msPerDay + oleDateOfUnixEpoch;
    const maxRows = pageSizes.scan.first;
    for (let from = 0; from < upTo; ) {
      const to = Math.min(upTo, from + revokedWindow);
      const request = { columns: "scan", scan: "revoked", from, to, since, maxRows } as const;
      const { read, page } = await this.#page(request, signal);
      from = page.isEnd ? to : read.lastId;
      yield read;
    }
  }

  /** One row; `undefined` if the database does not have it. Waits and rejects as `pages` does. */
  async row(
    id: number,
    signal: AbortSignal,
    columns: RowColumns = "whole",
  ): Promise<ExitRecord | undefined> {
    const { read } = await this.#page({ columns, scan: "one", from: id, maxRows: 1 }, signal);
    return read.rows[0];
  }

  /** The row with the greatest RequestID; `undefined` if there is none. Waits and rejects as `pages` does. */
  async newest(signal: AbortSignal): Promise<ExitRecord | undefined> {
    const request = { columns: "scan", scan: "newest", from: 0, maxRows: 1 } as const;
    const { read } = await this.#page(request, signal);
    return read.rows[0];
  }

  /**
   * The rows with these ids, which must rise; without those that the database does not have. Rows that are close to each
   * other are read together. Waits and rejects as `pages` does.
   */
  async *rows(
    ids: readonly number[],
    signal: AbortSignal,
    columns: RowColumns = "whole",
  ): AsyncGenerator<ExitRecord> {
    const sizes = pageSizes[columns];
    let most = sizes.first;
    for (let at = 0; at < ids.length; ) {
      const span = closeTogether(ids, at, most);
      const [first = 0, last = 0] = [ids[at], ids[at + span.count - 1]];
      const request = { columns, scan: "new", from: first - 1, maxRows: span.rows } as const;
      const { read, page } = await this.#page(request, signal);
      const wanted = new Set(ids.slice(at, at + span.count));
      for (const row of read.rows) if (wanted.has(row.context)) yield row;
      if (page.isEnd) return;
      const reached = Math.min(last, read.lastId);
      while (at < ids.length && Number(ids[at]) <= reached) at += 1;
      if (span.rows === most) most = nextPageRows(most, page.viewMs, sizes);
    }
  }

  /**
   * The CRLs that the database keeps, those of partitions among them, with a CRLRowId above `after`, page by page and in its
   * order. Waits and rejects as `pages` does.
   */
  async *crls(after: number, signal: AbortSignal): AsyncGenerator<readonly StoredCrl[]> {
    const { config } = this.#options;
    for (let [last, maxRows] = [after, crlSizes.first]; ; ) {
      const request = { config, after: last, maxRows, maxViewMs };
      const { answer, ca } = await this.#ask(() => this.#native.readCrls(request), signal);
      this.#lastViewMs = answer.viewMs;
      const { rows, isEnd, viewMs } = answer;
      const end = rows.at(-1);
      if (end !== undefined) yield crlsOf(answer, ca);
      if (isEnd) return;
      if (end === undefined) throw this.#failed(slowRow);
      last = end.id;
      if (rows.length === maxRows) maxRows = nextPageRows(maxRows, viewMs, crlSizes);
    }
  }

  /**
   * The current CRLs of the CA's partitions, which no exit module can see; none if the CA has no partitions. When they were
   * published is not known. Waits and rejects as `pages` does.
   */
  async *partitionedCrls(signal: AbortSignal): AsyncGenerator<CrlRow> {
    const { config } = this.#options;
    const { answer } = await this.#ask(() => this.#native.readCrlPartitions(config), signal);
    for (const which of partitionsOf(answer)) {
      const read = () => this.#native.readPartitionedCrl(config, which);
      const { answer: record, ca } = await this.#ask(read, signal);
      this.#lastViewMs = 0; // no view, and a call all the same
      const row = { ...decodeRecord(record), ca };
      if (row.crls.length > 0) yield { record: row, publishedMs: undefined };
    }
  }

  async #page(
    request: PageRequest,
    signal: AbortSignal,
  ): Promise<{ read: RowPage; page: NativeRowPage }> {
    const { config, secretAttributes = [] } = this.#options;
    const whole = { to: 0, since: 0, ...request, config, maxViewMs, secretAttributes };
    const { answer: page, ca } = await this.#ask(() => this.#native.readRows(whole), signal);
    this.#lastViewMs = page.viewMs;
    const isStuck = page.rows.length === 0 && !page.isEnd;
    if (isStuck) throw this.#failed(slowRow);
    return { read: pageOf(page, ca, request.from), page };
  }

  /** What the last view calls for. */
  async #pause(signal: AbortSignal): Promise<void> {
    if (this.#lastViewMs === undefined) return;
    this.#waitedMs += this.#lastViewMs;
    await this.#wait(pauseAfter(this.#lastViewMs, this.#options.load?.share), signal);
    this.#lastViewMs = undefined;
  }

  async #untilHours(signal: AbortSignal): Promise<void> {
    const { load: { hours } = {}, now = () => new Date(clock.time()) } = this.#options;
    if (hours === undefined) return;
    for (let ms = msUntil(hours, now()); ms > 0; ms = msUntil(hours, now())) {
      await this.#wait(Math.min(ms, longestWaitMs), signal);
    }
  }

  async #wait(ms: number, signal: AbortSignal): Promise<void> {
    await this.#sleep(ms, signal);
    this.#waitedMs += ms;
    if (this.#waitedMs < whileWaitingEveryMs) return;
    this.#waitedMs = 0;
    await this.whileWaiting(signal);
  }

  /** Asks the CA until it answers, and who it is before. */
  async #ask<T>(
    call: () => Promise<T>,
    signal: AbortSignal,
  ): Promise<{ answer: T; ca: CaProperties }> {
    const { config, waiting } = this.#options;
    for (let backOffMs = firstBackOffMs; ; ) {
      signal.throwIfAborted();
      await this.#pause(signal);
      await this.#untilHours(signal);
      try {
        const facts = await this.#inTime(() => this.#native.readFacts(config), signal);
        const ca = caProperties(this.#assertReadable(this.#assertSame(facts)));
        return { answer: await this.#inTime(call, signal), ca };
      } catch (cause) {
        signal.throwIfAborted();
        if (cause instanceof CertwireError) throw cause;
        const { error, isPassing } = databaseError(config, cause);
        if (!isPassing) throw error;
        waiting?.(error, backOffMs);
        await this.#wait(backOffMs, signal);
        backOffMs = Math.min(longestBackOffMs, backOffMs * 2);
      }
    }
  }

  /**
   * A call that hangs cannot be ended: it is left alone, and no further one is made until it is back. After an abort of the
   * signal it is not waited for.
   */
  async #inTime<T>(call: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (this.#stuck !== undefined) throw this.#stuck;
    signal?.throwIfAborted();
    const { stuckAfterMs = 120_000 } = this.#options;
    const timer = new AbortController();
    const stop = () => timer.abort();
    signal?.addEventListener("abort", stop);
    const answer = call();
    const late = (async () => {
      await clock.delay(stuckAfterMs, { signal: timer.signal });
      this.#stuck = this.#error("STUCK", `no answer for ${Math.round(stuckAfterMs / 1000)} s`);
      const back = () => {
        this.#stuck = undefined;
      };
      answer.then(back, back);
      throw this.#stuck;
    })();
    late.catch(() => undefined);
    try {
      return await Promise.race([answer, late]);
    } finally {
      signal?.removeEventListener("abort", stop);
      timer.abort();
    }
  }

  #assertSame(facts: NativeCaFacts): NativeCaFacts {
    const found = facts.certificates.map((der) => hash("sha256", der));
    const { certificates } = this.#options;
    if (certificates !== undefined && !found.some((each) => certificates.has(each))) {
      throw this.#other(`"${facts.name}" has no certificate in common with the CA that is meant`);
    }
    const first = (this.#first ??= facts);
    // A renewal adds a certificate, and the others stay.
    const isSame =
      isSameCaName(facts.sanitizedName, first.sanitizedName) &&
      first.certificates.every((der) => found.includes(hash("sha256", der)));
    if (!isSame) throw this.#other(`"${facts.name}" answers, where "${first.name}" did before`);
    return facts;
  }

  /** The CA says who it is to everybody; its database needs a right. */
  #assertReadable(facts: NativeCaFacts): NativeCaFacts {
    if (mayRead(facts.roles)) return facts;
    throw this.#error("REFUSED", "this account may not read it");
  }

  #other(what: string): CertwireError {
    return this.#error("OTHER", what);
  }

  #failed(what: string): CertwireError {
    return this.#error("FAILED", what);
  }

  #error(code: "OTHER" | "FAILED" | "REFUSED" | "STUCK", what: string): CertwireError {
    const message = `CA database of "${this.#options.config}": ${what}`;
    return new CertwireError(`CERTWIRE_CA_DATABASE_${code}`, message);
  }
}

/**
 * How many ids from `at` on are read in one view of at most `most` rows: the CA would read more rows for nothing than it
 * would need views without.
 */
function closeTogether(
  ids: readonly number[],
  at: number,
  most: number,
): { count: number; rows: number } {
  const first = ids[at] ?? 0;
  let count = 1;
  while (at + count < ids.length && count < most) {
    const span = (ids[at + count] ?? 0) - first + 1;
    if (span > most || span > 2 * (count + 1)) break;
    count += 1;
  }
  return { count, rows: (ids[at + count - 1] ?? 0) - first + 1 };
}

function* partitionsOf({
  count,
  certificates,
}: NativeCrlPartitions): Generator<NativePartitionedCrl> {
  for (const certificate of certificates) {
    for (let partition = 1; partition <= count; partition += 1) {
      for (const kind of ["base", "delta"] as const) yield { certificate, partition, kind };
    }
  }
}

function oleBytes(days: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(days);
  return bytes;
}

type CaProperties = ReadonlyMap<string, RecordValue>;

/** The CA as the exit module would have recorded it. */
function caProperties(facts: NativeCaFacts): CaProperties {
  const properties = new Map<string, RecordValue>([
    ["Name", facts.name],
    ["SanitizedCAName", facts.sanitizedName],
    ["MachineDNSName", facts.dnsName],
    ["CAType", facts.type],
  ]);
  const current = facts.certificates.at(-1);
  if (current !== undefined) properties.set("RawCACertificate", current);
  return properties;
}

function pageOf(page: NativeRowPage, ca: CaProperties, after: number): RowPage {
  const rows = page.rows.map(([, offset, size]) => ({
    ...decodeRecord(page.records.subarray(offset, offset + size)),
    ca,
  }));
  const [lastId = after] = page.rows.at(-1) ?? [];
  return { rows, lastId, lackingColumns: page.lackingColumns };
}

function crlsOf({ records, rows }: NativeCrlPage, ca: CaProperties): StoredCrl[] {
  return rows.map(({ id, offset, size, published }) => ({
    id,
    record: { ...decodeRecord(records.subarray(offset, offset + size)), ca },
    publishedMs: published === undefined ? undefined : oleDateMs(oleBytes(published)),
  }));
}
