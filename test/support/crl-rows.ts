import { fixture } from "./exit-records.ts";
import type { CaCrl } from "./fake-ca-database.ts";

/** A CRL that no other seed gives. */
export function crl(kind: "base" | "delta", seed: number): Buffer {
  return Buffer.concat([fixture(`${kind}-crl`), Buffer.from(String(seed))]);
}

/** The row of a CRL that was published at `publishedMs`, in ms since 1970. */
export function crlRow(
  id: number,
  der: Buffer,
  publishedMs: number,
  changes: Partial<CaCrl> = {},
): CaCrl {
  return { id, der, published: publishedMs / 86_400_000 + 25_569, ...changes };
}
