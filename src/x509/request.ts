import { oidText } from "./oid.ts";
import { type DerElement, DerError, DerReader, tags } from "./reader.ts";

/** Attributes whose values are secret: always, or if they mention a challenge. */
const secretAttributes: ReadonlyMap<string, "always" | "if-challenge"> = new Map([
  ["1.2.840.113549.1.9.7", "always"], // challengePassword
  ["1.3.6.1.4.1.311.13.2.1", "if-challenge"], // name and value pair of an enrolment client
  ["1.3.6.1.5.5.7.7.18", "if-challenge"], // CMC registration info: request attributes as text
]);

const challengePassword = Buffer.from("06092a864886f70d010907", "hex");
const signedData = "1.2.840.113549.1.7.2";
const maxNesting = 32;
const blank = 0x2d;

/**
 * A copy of a certification request (PKCS#10, alone or in CMC or PKCS#7) with its challenge passwords
 * overwritten by hyphens. All lengths stay; the signature no longer verifies. `undefined` if it is not such a
 * request or is malformed, because it may then hold secrets anywhere.
 */
export function redactRequest(raw: Buffer): Buffer | undefined {
  const copy = Buffer.from(raw);
  try {
    expectRequest(new DerReader(copy));
    const blanked = blankSecrets(new DerReader(copy), 0);
    // Without this, a password outside the DER structure that the walk covers would be published.
    return blanked === occurrences(raw, challengePassword) ? copy : undefined;
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

function expectRequest(reader: DerReader): void {
  const outer = reader.sequence();
  if (reader.hasMore) throw new DerError("bytes after the request");
  const contentType = outer.optional(tags.oid);
  if (contentType !== undefined) {
    if (oidText(outer.bytes, contentType) !== signedData) throw new DerError("not signed data");
    return;
  }
  const info = outer.sequence();
  info.next(tags.integer);
  info.next(tags.sequence);
  info.next(tags.sequence);
  outer.next(tags.sequence);
  outer.next(tags.bitString);
}

/**
 * Walks a list of elements and everything inside, and blanks the values that follow the OID of a secret
 * attribute. Returns how many challenge passwords were blanked, not counting one without a value.
 */
function blankSecrets(reader: DerReader, depth: number): number {
  if (depth > maxNesting) throw new DerError("nested too deeply");
  let secret: "always" | "if-challenge" | undefined;
  let isCounted = false;
  let count = 0;
  while (reader.hasMore) {
    const element = reader.next();
    if (element.tag === tags.oid) {
      isCounted = false;
      secret = secretAttributes.get(oidText(reader.bytes, element));
    } else if (secret === "always") {
      const bytes = blankContent(reader, element, depth);
      if (bytes > 0 && !isCounted) count++;
      isCounted ||= bytes > 0;
    } else if (secret && mentionsChallenge(reader.content(element))) {
      blankContent(reader, element, depth);
    } else if (isConstructed(element) || holdsDer(reader, element)) {
      count += blankSecrets(reader.inside(element), depth + 1);
    }
  }
  return count;
}

function isConstructed({ tag }: DerElement): boolean {
  return (tag & 0x20) !== 0;
}

/** Overwrites every primitive value inside; returns the number of bytes. */
function blankContent(reader: DerReader, element: DerElement, depth: number): number {
  if (depth > maxNesting) throw new DerError("nested too deeply");
  if (!isConstructed(element)) return reader.content(element).fill(blank).length;
  const members = reader.inside(element);
  let bytes = 0;
  while (members.hasMore) bytes += blankContent(members, members.next(), depth + 1);
  return bytes;
}

/** True if a value of any string type, UTF-16 included, contains the word. */
function mentionsChallenge(content: Buffer): boolean {
  return content
    .toString("latin1")
    .replaceAll(/[\0 -]/g, "")
    .toLowerCase()
    .includes("challenge");
}

/** True for an OCTET STRING that holds exactly one SEQUENCE, as CMS wraps requests. */
function holdsDer(reader: DerReader, element: DerElement): boolean {
  if (element.tag !== tags.octetString) return false;
  try {
    const content = reader.inside(element);
    content.next(tags.sequence);
    return !content.hasMore;
  } catch {
    return false;
  }
}

function occurrences(bytes: Buffer, part: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(part); at >= 0; at = bytes.indexOf(part, at + 1)) count++;
  return count;
}
