import { hash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { CertwireError } from "../errors/certwire-error.ts";
import { decodeRecord } from "../exit/decode-record.ts";
import type { ExitRecord, RecordValue } from "../exit/record.ts";
import type {
  NativeCaDatabase,
  NativeCaFacts,
  NativeRowPage,
  NativeRowRequest,
} from "../native/ca-database.ts";
import { databaseError } from "./errors.ts";
import { nextPageRows, type PageSizes } from "./page-size.ts";

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
  /** How long one call may take before it counts as stuck, in ms. Default 120 000. */
  readonly stuckAfterMs?: number;
}

/** Where to begin, and what to read of each row. */
export interface RowSelection {
  /** Only rows with a greater RequestID. */
  readonly after: number;
  readonly columns: NativeRowRequest["columns"];
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

/** A row is not begun later than this after its view was opened, in ms; the CA itself closes a view after 16 minutes. */
const maxViewMs = 60_000;
/** The least pause between two views, in ms. It is never shorter than the view before. */
const leastPauseMs = 250;
const firstBackOffMs = 60_000;
const longestBackOffMs = 900_000;

const pageSizes: Readonly<Record<NativeRowRequest["columns"], PageSizes>> = {
  scan: { least: 50, first: 500, most: 2000 },
  whole: { least: 10, first: 100, most: 500 },
};

/**
 * The database of one CA. It is read in small pages, one view at a time, with pauses at least as long as the views, so
 * that the CA has half of the time for itself. Before each page the CA says who it is: rows of two CAs are never mixed.
 */
export class CaDatabase {
  readonly #native: NativeCaDatabase;
  readonly #options: CaDatabaseOptions;
  readonly #sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  #first: NativeCaFacts | undefined;
  /** A call that the CA has not answered in time; it may still be on its way. */
  #stuck: CertwireError | undefined;

  constructor(native: NativeCaDatabase, options: CaDatabaseOptions) {
    this.#native = native;
    this.#options = options;
    this.#sleep = options.sleep ?? sleep;
  }

  /**
   * What the CA says of itself. Rejects with CERTWIRE_CA_DATABASE_REFUSED, CERTWIRE_CA_DATABASE_FAILED,
   * CERTWIRE_CA_DATABASE_STUCK, and with CERTWIRE_CA_DATABASE_OTHER if it is not the CA that is meant.
   */
  async facts(): Promise<NativeCaFacts> {
    const { config } = this.#options;
    try {
      return this.#assertSame(await this.#inTime(() => this.#native.readFacts(config)));
    } catch (error) {
      if (error instanceof CertwireError) throw error;
      throw databaseError(config, error).error;
    }
  }

  /**
   * The rows from a place on, page by page, until the database has no more. A failure that may pass, such as a restart
   * of the CA, is waited for and the page begins again; each row comes once. Rejects as `facts` does, and with the
   * signal's reason.
   */
  async *pages(selection: RowSelection, signal: AbortSignal): AsyncGenerator<RowPage> {
    const sizes = pageSizes[selection.columns];
    let [after, maxRows] = [selection.after, sizes.first];
    for (;;) {
      const { columns } = selection;
      const request = { columns, exact: false, from: after, maxRows };
      const { page, ca } = await this.#untilRead(request, signal);
      const read = pageOf(page, ca, after);
      after = read.lastId;
      yield read;
      if (page.isEnd) return;
      if (page.rows.length === 0) throw this.#failed("a view took too long for a single row");
      if (page.rows.length === maxRows) maxRows = nextPageRows(maxRows, page.viewMs, sizes);
      await this.#sleep(Math.max(leastPauseMs, page.viewMs), signal);
    }
  }

  /** One whole row; `undefined` if the database does not have it. Waits and rejects as `pages` does. */
  async row(id: number, signal: AbortSignal): Promise<ExitRecord | undefined> {
    const request = { columns: "whole", exact: true, from: id, maxRows: 1 } as const;
    const { page, ca } = await this.#untilRead(request, signal);
    return pageOf(page, ca, id).rows[0];
  }

  async #untilRead(
    request: Pick<NativeRowRequest, "columns" | "exact" | "from" | "maxRows">,
    signal: AbortSignal,
  ): Promise<{ page: NativeRowPage; ca: CaProperties }> {
    const { config, secretAttributes = [], waiting } = this.#options;
    for (let backOffMs = firstBackOffMs; ; ) {
      signal.throwIfAborted();
      try {
        const facts = await this.#inTime(() => this.#native.readFacts(config));
        const ca = caProperties(this.#assertSame(facts));
        const whole = { ...request, config, maxViewMs, secretAttributes };
        return { page: await this.#inTime(() => this.#native.readRows(whole)), ca };
      } catch (cause) {
        if (cause instanceof CertwireError) throw cause;
        const { error, isPassing } = databaseError(config, cause);
        if (!isPassing) throw error;
        waiting?.(error, backOffMs);
        await this.#sleep(backOffMs, signal);
        backOffMs = Math.min(longestBackOffMs, backOffMs * 2);
      }
    }
  }

  /** A call that hangs cannot be ended: it is left alone, and no further one is made until it is back. */
  async #inTime<T>(call: () => Promise<T>): Promise<T> {
    if (this.#stuck !== undefined) throw this.#stuck;
    const { stuckAfterMs = 120_000 } = this.#options;
    const timer = new AbortController();
    const answer = call();
    const late = (async () => {
      await delay(stuckAfterMs, undefined, { signal: timer.signal });
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
      facts.sanitizedName === first.sanitizedName &&
      first.certificates.every((der) => found.includes(hash("sha256", der)));
    if (!isSame) throw this.#other(`"${facts.name}" answers, where "${first.name}" did before`);
    return facts;
  }

  #other(what: string): CertwireError {
    return this.#error("OTHER", what);
  }

  #failed(what: string): CertwireError {
    return this.#error("FAILED", what);
  }

  #error(code: "OTHER" | "FAILED" | "STUCK", what: string): CertwireError {
    const message = `CA database of "${this.#options.config}": ${what}`;
    return new CertwireError(`CERTWIRE_CA_DATABASE_${code}`, message);
  }
}

async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal });
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
