import { hash } from "node:crypto";
import type { ExitRecord, RecordValue } from "../exit/record.ts";
import type { EventKind } from "./event.ts";
import { oleDateMs } from "./times.ts";

/** First line of what is hashed: another rule would need another one. */
const rule = "certwire-content-v1";

/** Length of a content id: 132 bits in base64url. */
const contentIdLength = 22;

/** What a content id is made of: its lines after the first, without their line breaks. */
export type ContentLines = readonly (string | number)[];

/**
 * The content id of an event that is about a request or a certificate: the same from a record of the exit module and
 * from a row of the CA's database, so that one can be found by the other. `undefined` for other kinds, and where
 * something that it is made of is missing. `sha1`: that of the certificate in the record, where it is known already.
 */
export function contentId(kind: EventKind, record: ExitRecord, sha1?: string): string | undefined {
  const lines = contentLines(kind, record, sha1);
  return lines && contentHash(lines);
}

/** The content id of a `crl.issued` event. `sha256`: of the DER, lower-case hex; without it there is none. */
export function crlContentId(sha256: string | undefined): string | undefined {
  return sha256 === undefined ? undefined : contentHash(["crl", sha256]);
}

/** The id of some lines. */
export function contentHash(lines: ContentLines): string {
  return hash("sha256", [rule, ...lines].join("\n"), "base64url").slice(0, contentIdLength);
}

function contentLines(
  kind: EventKind,
  record: ExitRecord,
  sha1: string | undefined,
): ContentLines | undefined {
  switch (kind) {
    // The database does not always show which of the two it was.
    case "certificate.issued":
    case "certificate.imported":
      return complete("certificate", certificateSha1(record, sha1));
    case "certificate.revoked":
      return complete(
        "revoked",
        certificateSha1(record, sha1),
        signed(record.request.get("RevokedReason")),
        seconds(record.request.get("RevokedWhen")),
      );
    case "certificate.unrevoked":
      return complete(
        "unrevoked",
        certificateSha1(record, sha1),
        seconds(record.request.get("RevokedWhen")),
      );
    case "request.pending":
      return complete("pending", ...submission(record));
    case "request.denied":
      return complete("denied", ...submission(record), signed(record.request.get("StatusCode")));
    case "request.failed":
      return complete("failed", ...submission(record), signed(record.request.get("StatusCode")));
    default:
      return undefined;
  }
}

function complete(...lines: readonly (string | number | undefined)[]): ContentLines | undefined {
  return lines.every((line) => line !== undefined) ? lines : undefined;
}

/** Names one submission: after a restore of the database, a CA gives the number of a request to another one. */
function submission({ ca, request }: ExitRecord): (string | number | undefined)[] {
  const name = ca.get("SanitizedCAName");
  return [
    typeof name === "string" ? name : undefined,
    signed(request.get("RequestID")),
    seconds(request.get("SubmittedWhen")),
  ];
}

/** Of the certificate itself, else as the CA keeps it beside it: `0a 1b ...`. */
function certificateSha1(
  { certificate }: ExitRecord,
  sha1: string | undefined,
): string | undefined {
  const der = certificate.get("RawCertificate");
  if (Buffer.isBuffer(der)) return der.length === 0 ? undefined : (sha1 ?? hash("sha1", der));
  const kept = certificate.get("CertificateHash");
  const hex = typeof kept === "string" ? kept.replaceAll(/\s/g, "").toLowerCase() : "";
  return /^[0-9a-f]{40}$/.test(hex) ? hex : undefined;
}

/** A LONG as a signed number, because a negative one may also be recorded as unsigned. */
function signed(value: RecordValue | undefined): number | undefined {
  return typeof value === "number" ? value | 0 : undefined;
}

/** A date in whole seconds since 1970. */
function seconds(value: RecordValue | undefined): number | undefined {
  if (typeof value !== "object" || !("oleDate" in value)) return undefined;
  const ms = oleDateMs(value.oleDate);
  return ms === undefined ? undefined : Math.floor(ms / 1000);
}
