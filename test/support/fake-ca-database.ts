import { createHash } from "node:crypto";
import { filetimeOf, unixMsOf } from "../../src/events/times.ts";
import type {
  NativeCaDatabase,
  NativeCaFacts,
  NativeCrlPage,
  NativeCrlPartitions,
  NativeCrlRequest,
  NativeCrlRow,
  NativePartitionedCrl,
  NativeRowPage,
  NativeRowRequest,
} from "../../src/native/ca-database.ts";
import { encodeRecord, fixture, oleDateOf, type RecordParts, recordTime } from "./exit-records.ts";

/** A request as the CA has it in its database. Times are in ms since 1970. */
export interface CaRow {
  readonly id: number;
  readonly disposition?: number;
  readonly submitted?: number;
  readonly resolved?: number;
  readonly revoked?: number;
  readonly reason?: number;
  readonly status?: number;
  /** DER. */
  readonly certificate?: Buffer;
  readonly generalFlags?: number;
  /** Such as `CORP\\alice`. */
  readonly requester?: string;
}

/** A CRL as the CA has it in its database. */
export interface CaCrl {
  readonly id: number;
  readonly index?: number;
  readonly kind?: "base" | "delta";
  readonly partition?: number;
  /** Absent: the row holds none. */
  readonly der?: Buffer;
  /** The CA has it, and says only this HRESULT. */
  readonly failure?: number;
  /** OLE automation date. */
  readonly published?: number;
}

/** A page ends with the row whose CRL takes it beyond this. */
const mostCrlBytes = 16 * 2 ** 20;

/** The CA of the tests. */
export const caFacts: NativeCaFacts = {
  name: "Contoso",
  sanitizedName: "Contoso",
  dnsName: "ca01.contoso.com",
  type: 1,
  roles: 0x100,
  certificates: [fixture("ca-rsa")],
};

/** The database of a CA in memory. It evaluates what is asked as the CA does. */
export class FakeCaDatabase implements NativeCaDatabase {
  readonly requests: NativeRowRequest[] = [];
  readonly crlRequests: NativeCrlRequest[] = [];
  readonly rows = new Map<number, CaRow>();
  /** In the order of their ids. */
  crls: readonly CaCrl[] = [];
  /** How long a view of CRLs is open. */
  crlViewMs = 1000;
  partitions: NativeCrlPartitions = { count: 0, certificates: [] };
  /** The current CRLs of the partitions. */
  partitioned: readonly Required<Pick<CaCrl, "index" | "kind" | "partition" | "der">>[] = [];
  facts = caFacts;
  /** When rows are read, in ms since 1970. Default the time of the test records. */
  now: () => number = () => unixMsOf(recordTime);
  /** How the CA shows a row, other than it is stored. */
  shows: (row: CaRow) => CaRow = (row) => row;
  /** How the next calls fail or what they wait for, in order; the others succeed. */
  readonly next: (() => Promise<void>)[] = [];
  readonly #viewMs: (request: NativeRowRequest) => number;
  #ids: number[] | undefined;

  /** `viewMs`: how long a view is open, default 1 s. */
  constructor(
    rows: Iterable<CaRow> = [],
    viewMs: (request: NativeRowRequest) => number = () => 1000,
  ) {
    for (const row of rows) this.put(row);
    this.#viewMs = viewMs;
  }

  put(row: CaRow): void {
    if (!this.rows.has(row.id)) this.#ids = undefined;
    this.rows.set(row.id, row);
  }

  delete(id: number): void {
    this.rows.delete(id);
    this.#ids = undefined;
  }

  async readFacts(): Promise<NativeCaFacts> {
    return this.facts;
  }

  async readRows(request: NativeRowRequest): Promise<NativeRowPage> {
    this.requests.push(request);
    await this.next.shift()?.();
    const found = this.#select(request);
    const rows: [number, number, number][] = [];
    const records: Buffer[] = [];
    let offset = 0;
    for (const row of found.slice(0, request.maxRows)) {
      const record = encodeRecord({
        ...rowParts(this.shows(row), request.columns),
        time: filetimeOf(this.now()),
      });
      rows.push([row.id, offset, record.length]);
      records.push(record);
      offset += record.length;
    }
    return {
      records: Buffer.concat(records),
      rows,
      isEnd: found.length < request.maxRows,
      lackingColumns: [],
      viewMs: this.#viewMs(request),
    };
  }

  async readCrls(request: NativeCrlRequest): Promise<NativeCrlPage> {
    this.crlRequests.push(request);
    await this.next.shift()?.();
    const found = this.crls.filter(({ id }) => id > request.after);
    const rows: NativeCrlRow[] = [];
    const records: Buffer[] = [];
    let [offset, bytes] = [0, 0];
    for (const row of found.slice(0, request.maxRows)) {
      if (bytes >= mostCrlBytes) break;
      const { id, published, der } = row;
      const record = this.#crlRecord(id, row);
      const size = record.length;
      rows.push({ id, offset, size, ...(published !== undefined && { published }) });
      records.push(record);
      offset += size;
      bytes += der?.length ?? 0;
    }
    const isEnd = rows.length === found.length && rows.length < request.maxRows;
    return { records: Buffer.concat(records), rows, isEnd, viewMs: this.crlViewMs };
  }

  async readCrlPartitions(): Promise<NativeCrlPartitions> {
    return this.partitions;
  }

  async readPartitionedCrl(_config: string, which: NativePartitionedCrl): Promise<Buffer> {
    const found = this.partitioned.find(
      ({ index, kind, partition }) =>
        index === which.certificate && kind === which.kind && partition === which.partition,
    );
    return this.#crlRecord(0, found ?? {});
  }

  #crlRecord(id: number, row: Partial<CaCrl>): Buffer {
    const { index = 0, kind = "base", partition, der, failure } = row;
    const crl = [
      index,
      kind === "base" ? 0 : 1,
      der,
      ...(partition === undefined ? [] : [partition]),
    ];
    return encodeRecord({
      event: 0,
      context: id,
      time: filetimeOf(this.now()),
      ...(der !== undefined && { crls: [crl] }),
      ...(failure !== undefined && { errors: [["ca.RawCRL", failure]] }),
    });
  }

  #select({ scan, from, to, since, maxRows }: NativeRowRequest): CaRow[] {
    const isSince = (ms: number | undefined) => ms !== undefined && storedDate(ms) >= since;
    if (scan === "one") return [this.rows.get(from)].filter((row) => row !== undefined);
    if (scan === "submitted" || scan === "resolved") {
      return [...this.rows.values()]
        .filter((row) => isSince(row[scan]))
        .toSorted((a, b) => (a[scan] ?? 0) - (b[scan] ?? 0) || a.id - b.id);
    }
    this.#ids ??= [...this.rows.keys()].toSorted((a, b) => a - b);
    const ids = this.#ids;
    if (scan === "newest") return ids.slice(-1).flatMap((id) => this.rows.get(id) ?? []);
    let [low, high] = [0, ids.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((ids[middle] ?? 0) <= from) low = middle + 1;
      else high = middle;
    }
    if (scan === "new") {
      return ids.slice(low, low + maxRows).flatMap((id) => this.rows.get(id) ?? []);
    }
    return ids
      .slice(low)
      .filter((id) => id <= to)
      .flatMap((id) => this.rows.get(id) ?? [])
      .filter((row) => isSince(row.revoked));
  }
}

/** How the exit module, or the reader of the database, records a request. */
export function rowParts(row: CaRow, columns: NativeRowRequest["columns"]): RecordParts {
  const { id, disposition, submitted, resolved, revoked, reason, status, certificate } = row;
  const date = (ms: number | undefined) =>
    ms === undefined ? undefined : oleDateOf(storedDate(ms));
  return {
    event: 0,
    context: id,
    request: present({
      RequestID: id,
      Disposition: disposition,
      StatusCode: status,
      SubmittedWhen: date(submitted),
      ResolvedWhen: date(resolved),
      RevokedWhen: date(revoked),
      RevokedReason: reason,
      ...(columns === "whole" && {
        RawRequest: Buffer.from([0x30, 0]),
        RequesterName: row.requester,
      }),
    }),
    certificate: present({
      RequestID: id,
      CertificateHash: certificate && spacedSha1(certificate),
      GeneralFlags: row.generalFlags,
      RawCertificate: columns === "whole" ? certificate : undefined,
    }),
  };
}

/** The date as Windows makes it of a FILETIME: a little less than `ms / 86_400_000 + 25_569` for many seconds. */
function storedDate(ms: number): number {
  return ((ms + 11_644_473_600_000) * 10_000) / 864_000_000_000 - 109_205;
}

function present(values: Readonly<Record<string, unknown>>): RecordParts {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** `0a 1b ...`, as the database has it. */
export function spacedSha1(der: Buffer): string {
  const hex = createHash("sha1").update(der).digest("hex");
  return hex.replaceAll(/..(?!$)/g, "$& ");
}
