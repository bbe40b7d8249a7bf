import { CertwireError } from "../errors/certwire-error.ts";
import { loadNative } from "./addon.ts";

/** What a CA says of itself. */
export interface NativeCaFacts {
  readonly name: string;
  readonly sanitizedName: string;
  readonly dnsName: string;
  /** As the property CAType of the exit module. */
  readonly type: number;
  /** Rights of this account: CA_ACCESS_* bits, such as 0x100 for *Read*; 0 if it may not read the database. */
  readonly roles: number;
  /** DER of the CA's own certificates, the oldest first. */
  readonly certificates: readonly Buffer[];
}

/** Which rows are read, through one connection and one view. */
export interface NativeRowRequest {
  /** `COMPUTER\name of the CA`. */
  readonly config: string;
  /** `scan`: what tells which events a row stands for. `whole`: everything that the exit module reads of a request. */
  readonly columns: "scan" | "whole";
  /**
   * `one`: the row `from`. `new`: rows with an id above `from`. `newest`: the one with the greatest id. `submitted`, `resolved`: rows whose SubmittedWhen or
   * ResolvedWhen is `since` or later, in the order of that date. `revoked`: rows with an id above `from` and at most `to`
   * whose RevokedWhen is `since` or later. All others are in the order of their ids.
   */
  readonly scan: "one" | "new" | "newest" | "submitted" | "resolved" | "revoked";
  readonly from: number;
  readonly to: number;
  /** An OLE automation date (UTC), in days. */
  readonly since: number;
  /** At most; fewer if they are large. */
  readonly maxRows: number;
  /** No row is begun this long after the view was opened, in ms. */
  readonly maxViewMs: number;
  /** Names of attributes whose values are secrets, beside those that are built in. */
  readonly secretAttributes: readonly string[];
}

/** The rows of one view. */
export interface NativeRowPage {
  /** The records of all rows, one after the other (docs/reference/record-format.md). */
  readonly records: Buffer;
  readonly rows: readonly (readonly [id: number, offset: number, size: number])[];
  /** True if the database has no further row of the request. */
  readonly isEnd: boolean;
  /** Columns that this server does not have. */
  readonly lackingColumns: readonly string[];
  /** How long the CA was asked, with the opening of the view, in ms. */
  readonly viewMs: number;
}

/** Which rows of the table of CRLs are read, through one connection and one view, in the order of their ids. */
export interface NativeCrlRequest {
  /** `COMPUTER\name of the CA`. */
  readonly config: string;
  /** Only rows with a greater CRLRowId. */
  readonly after: number;
  /** At most; fewer if their CRLs are large. */
  readonly maxRows: number;
  /** No row is begun this long after the view was opened, in ms. */
  readonly maxViewMs: number;
}

/** A row of the table of CRLs. */
export interface NativeCrlRow {
  /** Its CRLRowId. */
  readonly id: number;
  /** Where its record is, which has a CRL unless the row has none. */
  readonly offset: number;
  readonly size: number;
  /** When it was published: OLE automation date, UTC; absent if the row does not say. */
  readonly published?: number;
}

/** The rows of one view. */
export interface NativeCrlPage {
  /** The records of all rows, one after the other (docs/reference/record-format.md). */
  readonly records: Buffer;
  readonly rows: readonly NativeCrlRow[];
  /** True if the table has no further row. */
  readonly isEnd: boolean;
  /** How long the CA was asked, with the opening of the view, in ms. */
  readonly viewMs: number;
}

/** Which partitioned CRLs a CA publishes: for each certificate, one in each partition from 1 to `count`. */
export interface NativeCrlPartitions {
  /** 0: the CA does not partition its CRLs. */
  readonly count: number;
  /** Indexes of the CA's certificates that have CRLs of their own. */
  readonly certificates: readonly number[];
}

/** Which of them is read. */
export interface NativePartitionedCrl {
  /** Index of the certificate. */
  readonly certificate: number;
  readonly partition: number;
  readonly kind: "base" | "delta";
}

/**
 * Reads the database of a CA through its COM interfaces. Each call has a thread of its own, which lasts as long as the
 * CA takes to answer and does not keep the process alive. What fails rejects with an error that has the HRESULT as
 * `hresult`, unsigned, and the method as `call`.
 */
export interface NativeCaDatabase {
  readFacts(config: string): Promise<NativeCaFacts>;
  readRows(request: NativeRowRequest): Promise<NativeRowPage>;
  readCrls(request: NativeCrlRequest): Promise<NativeCrlPage>;
  readCrlPartitions(config: string): Promise<NativeCrlPartitions>;
  /** Record of the current CRL of a partition, without a CRL if there is none. */
  readPartitionedCrl(config: string, which: NativePartitionedCrl): Promise<Buffer>;
}

/** The interfaces of this machine. Throws CERTWIRE_WINDOWS_ONLY elsewhere than on Windows. */
export function nativeCaDatabase(): NativeCaDatabase {
  const found = process.platform === "win32" ? loadNative().caDatabase : undefined;
  if (found === undefined) {
    throw new CertwireError("CERTWIRE_WINDOWS_ONLY", `this machine runs ${process.platform}`);
  }
  return found;
}

/** The failed call of a CA; `undefined` for an error of another kind. */
export function failedCall(error: unknown): { call: string; hresult: number } | undefined {
  const { call, hresult } = Object(error) as { call?: unknown; hresult?: unknown };
  return typeof call === "string" && typeof hresult === "number" ? { call, hresult } : undefined;
}
