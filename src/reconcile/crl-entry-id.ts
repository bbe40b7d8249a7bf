import { contentHash, crlContentId } from "../events/content-id.ts";
import type { IssuedCrl } from "../events/crl-data.ts";

/** What an entry of the index has as content id of a CRL: without a hash, an id of its subject. */
export function crlEntryId({ sha256, subject }: Pick<IssuedCrl, "sha256" | "subject">): string {
  return crlContentId(sha256) ?? crlSubjectId(subject);
}

/** The id of a subject. */
export function crlSubjectId(subject: string): string {
  return contentHash(["crl-subject", subject]);
}
