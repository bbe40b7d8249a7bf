import { type DerReader, tags } from "./reader.ts";

/** Reads a SubjectKeyIdentifier: lower-case hex. */
export function readSubjectKeyIdentifier(value: DerReader): string {
  return value.content(value.next(tags.octetString)).toString("hex");
}

/** Reads the key identifier of an AuthorityKeyIdentifier: lower-case hex, `undefined` if it has none. */
export function readAuthorityKeyIdentifier(value: DerReader): string | undefined {
  const identifier = value.sequence();
  const key = identifier.optional(0x80);
  return key && identifier.content(key).toString("hex");
}
