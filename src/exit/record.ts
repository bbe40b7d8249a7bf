/** Text of the CA: a string, or its UTF-16LE bytes if it is not valid UTF-16. */
export type RecordText = string | { readonly utf16: Buffer };

/** What the exit module records of a binary that is a secret. */
export interface SecretDigest {
  /** Length of the whole value in bytes. */
  readonly length: number;
  /** SHA-256 of the whole value; empty if the exit module had no time to compute it. */
  readonly sha256: Buffer;
}

/** A binary value or text that the exit module cut because the record would have been too large. */
export interface CutBinary extends SecretDigest {
  /** The first bytes of the value. */
  readonly first: Buffer;
  /** The last bytes of the value. */
  readonly last: Buffer;
}

/** True for a value that the exit module cut. */
export function isCut(value: unknown): value is CutBinary {
  return typeof value === "object" && value !== null && "sha256" in value && "first" in value;
}

/** True for a value of which only length and hash were recorded. */
export function isSecretDigest(value: unknown): value is SecretDigest {
  return typeof value === "object" && value !== null && "sha256" in value && !("first" in value);
}

/** A date of the CA: the 8 bytes of the OLE automation date (UTC), little-endian IEEE 754 double. */
export interface RecordDate {
  readonly oleDate: Buffer;
}

/** A property value as the CA returned it; a number is a LONG, a BigInt one beyond 2^53. */
export type RecordValue =
  | number
  | bigint
  | RecordText
  | Buffer
  | CutBinary
  | SecretDigest
  | RecordDate;

/** The value of a request attribute; `redacted` if the exit module blanked a secret. */
export type AttributeValue = RecordText | CutBinary | { readonly redacted: true };

/** A property that the exit module could not read, and why. */
export interface RecordProblem {
  /** Group and name, for example `request.StatusCode`, `attribute.ccm`, `extension.2.5.29.17`. */
  readonly name: RecordText;
  /** HRESULT as an unsigned number, or a word of the exit module (`budget`, `cut`, `limit`, `type`, `fault`). */
  readonly reason: number | string;
}

/** One CRL of the snapshot in a CRL record. */
export interface RecordCrl {
  /** Index of the CA certificate whose key signed it. */
  readonly index: number;
  readonly kind: "base" | "delta";
  /** Which of the CA's certificates it is about, from 1; absent for a CRL about all of them. Only from the CA's database. */
  readonly partition?: number;
  readonly der: Buffer | CutBinary;
}

/**
 * One record of the exit module: what the CA said in one call of Notify, uninterpreted. Properties are under
 * the CA's own names; groups and lists that the record does not have are empty.
 */
export interface ExitRecord {
  /** The event bit of Notify; `exitEvents` has those that are known. */
  readonly event: number;
  /** The context number of Notify: the request ID for events of a request. */
  readonly context: number;
  /** When the CA called Notify: 100 ns since 1601-01-01 UTC. */
  readonly time: bigint;
  /** Process ID of certsrv. */
  readonly processId: number;
  /** ID of the thread that called Notify. */
  readonly threadId: number;
  /** Properties of the CA; those of one of its certificates end with the index (`CertState.0`). */
  readonly ca: ReadonlyMap<string, RecordValue>;
  /** The row of the request, from GetRequestProperty. */
  readonly request: ReadonlyMap<string, RecordValue>;
  /** The row of the certificate, from GetCertificateProperty. */
  readonly certificate: ReadonlyMap<string, RecordValue>;
  /** The request attributes, in the order of the CA. */
  readonly attributes: readonly (readonly [name: RecordText, value: AttributeValue])[];
  /** The extensions of the certificate, those that are disabled included. */
  readonly extensions: readonly {
    readonly oid: RecordText;
    /** Bit 0: critical; bit 1: disabled; bits 16 to 19: origin. */
    readonly flags: number;
    readonly der: Buffer | CutBinary;
  }[];
  /** All current CRLs of the CA; only in the record of a CRL event or of an unknown one. */
  readonly crls: readonly RecordCrl[];
  /** What could not be read. */
  readonly problems: readonly RecordProblem[];
}
