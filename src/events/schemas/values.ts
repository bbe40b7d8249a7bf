import { z } from "zod";

/** Bytes in base64; the alphabet is not checked, because a CRL may be megabytes long. */
const base64 = z.string().meta({ contentEncoding: "base64" });

/** Length and hash in place of a value; see `OmittedValue`. */
export const omittedValue = z
  .object({
    length: z.int().min(0).describe("Length in bytes; of a text as UTF-16LE (cut) or UTF-8."),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .optional()
      .describe(
        "SHA-256 of the bytes, lower-case hex; absent if the exit module could not compute it in time.",
      ),
    omitted: z.literal(true),
    first: base64.optional().describe("First bytes of a value cut at the exit module, base64."),
    last: base64.optional().describe("Last bytes of a value cut at the exit module, base64."),
  })
  .meta({
    id: "OmittedValue",
    description:
      "Replaces a value that is not published, or was too large for the journal or the sink.",
  });

/** A binary value, or what is left of it. */
export const binary = z
  .union([base64, omittedValue])
  .meta({ id: "Binary", description: "Bytes in base64, or length and hash of omitted bytes." });

/** A text of the CA, or what is left of it. */
export const text = z
  .union([z.string(), omittedValue])
  .meta({ id: "Text", description: "Text as the CA returned it; do not trust it." });

/** An integer of the CA. */
export const integer = z
  .union([z.int(), z.string().regex(/^-?\d+$/)])
  .meta({ id: "Integer", description: "Integer; beyond 2^53 a decimal string." });

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
