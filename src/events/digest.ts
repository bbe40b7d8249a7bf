import { hash } from "node:crypto";
import type { SecretDigest } from "../exit/record.ts";

/** What an event says of a value that it does not show. */
export interface Digest {
  /** Length of the value in bytes; of a text as UTF-16LE if the exit module cut it, else as UTF-8. */
  readonly length: number;
  /** SHA-256 of these bytes, lower-case hex; absent if the exit module had no time to compute it. */
  readonly sha256?: string;
}

/** Length and hash of a value, or what the exit module recorded of one. */
export function digestOf(value: Buffer | SecretDigest): Digest {
  if (Buffer.isBuffer(value)) return { length: value.length, sha256: hash("sha256", value) };
  const { length, sha256 } = value;
  return sha256.length === 0 ? { length } : { length, sha256: sha256.toString("hex") };
}
