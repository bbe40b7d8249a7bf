/** Text of the CA: a string, or the UTF-16LE bytes when it is not valid UTF-16. */
export type RecordText = string | { readonly utf16: Buffer };

/** A binary that was cut at the exit module because the record would have been too large. */
export interface CutBinary {
  readonly length: number;
  readonly sha256: Buffer;
  readonly first: Buffer;
  readonly last: Buffer;
}

/** A date of the CA: the 8 bytes of the OLE automation date (UTC), little-endian IEEE 754 double. */
export interface RecordDate {
  readonly oleDate: Buffer;
}

/** A property value as the CA served it. */
export type RecordValue = number | bigint | RecordText | Buffer | CutBinary | RecordDate;

/** An attribute's value; `redacted` where the exit module blanked a secret. */
export type AttributeValue = RecordText | CutBinary | { readonly redacted: true };

/** A property that could not be read: the qualified name and why. */
export interface RecordProblem {
  /** Group and name, for example `request.StatusCode`, `attribute.ccm`, `extension.2.5.29.17`. */
  readonly name: string;
  /** HRESULT as an unsigned number, or a word of the exit module (`budget`, `cut`, `limit`, `type`, `fault`). */
  readonly reason: number | string;
}

/** One CRL of the snapshot that a CRL event holds. */
export interface RecordCrl {
  /** Index of the CA certificate. */
  readonly index: number;
  readonly kind: "base" | "delta";
  readonly der: Buffer | CutBinary;
}

/** One record of the exit module: what the CA said, nothing else. */
export interface ExitRecord {
  /** EXITEVENT_* bit; 0x80 is the exit module's own start record. */
  readonly event: number;
  readonly context: number;
  /** UTC of Notify, 100 ns since 1601-01-01. */
  readonly time: bigint;
  readonly processId: number;
  readonly threadId: number;
  readonly ca: ReadonlyMap<string, RecordValue>;
  readonly request: ReadonlyMap<string, RecordValue>;
  readonly certificate: ReadonlyMap<string, RecordValue>;
  readonly attributes: readonly (readonly [name: RecordText, value: AttributeValue])[];
  readonly extensions: readonly {
    readonly oid: RecordText;
    readonly flags: number;
    readonly der: Buffer | CutBinary;
  }[];
  readonly crls: readonly RecordCrl[];
  readonly problems: readonly RecordProblem[];
}
