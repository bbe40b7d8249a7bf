import { z } from "zod";

/** Bytes in base64; the alphabet is not checked, because a CRL may be megabytes long. */
export const binary = z.string().meta({
  id: "Binary",
  contentEncoding: "base64",
  description:
    "Bytes in base64; absent if they were too large, and `problems` has length and hash.",
});

/** A text of the CA. */
export const text = z.string().meta({
  id: "Text",
  description:
    "Text as the CA returned it; do not trust it. Absent if it was too large, and `problems` has length and hash.",
});

/** A LONG of the CA. */
export const integer = z.int().meta({ id: "Integer", description: "Integer of 32 bits." });

/** A number that may pass 2^53. */
export const decimal = z
  .string()
  .regex(/^-?\d+$/)
  .meta({ id: "Decimal", description: "Integer in decimal; it may pass 2^53." });

/** Members that stand for a value; see `Digest`. */
export const digestShape = {
  length: z.int().min(0).describe("Length in bytes; of a text as UTF-16LE (cut) or UTF-8."),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional()
    .describe("SHA-256 of the bytes, lower-case hex; absent if there was no time to compute it."),
};

/** A value that is or may hold a secret. */
export const digest = z.object(digestShape).meta({
  id: "Digest",
  description: "Length and hash of a value that is not published.",
});

/** A value whose type is not known beforehand; see `TypedText`. */
export const typedTextShape = {
  type: z.enum(["text", "integer", "date", "binary"]),
  value: z
    .string()
    .optional()
    .describe("The value: text as it is, decimal, RFC 3339 or base64, by its `type`."),
};

/** A date and time in UTC, with the fractional digits that the source has. */
export const dateTime = z.iso
  .datetime()
  .meta({ id: "DateTime", description: "RFC 3339 time in UTC." });

/** An HRESULT in hex, as `hresultHex` writes it. */
export const hresult = z.string().regex(/^0x[0-9a-f]{8}$/);

/** SHA-256 in lower-case hex. */
export const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** A dotted OID. */
export const oid = z.string().regex(/^[0-2](\.\d+)+$/);
