import { oidText } from "./oid.ts";
import { type DerElement, DerError, DerReader, tags } from "./reader.ts";

/** Attributes whose values hold a secret: always, or when they mention a challenge. */
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
 * A copy of a certification request (PKCS#10, or CMC and PKCS#7 around it) with its challenge
 * passwords overwritten by hyphens, so the length of everything stays and its signature no longer
 * fits. `undefined` when it is no such request, or malformed: then nobody knows what it holds.
 */
export function redactRequest(raw: Buffer): Buffer | undefined {
  const copy = Buffer.from(raw);
  try {
    expectRequest(new DerReader(copy));
    const blanked = blankSecrets(new DerReader(copy), 0);
    // One that the walk did not come by is in a place that is no DER of ours.
    return blanked === occurrences(raw, challengePassword) ? copy : undefined;
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

function expectRequest(reader: DerReader): void {
  const outer = reader.sequence();
  if (reader.hasMore) throw new DerError("bytes behind the request");
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
 * Walks a list of elements and everything inside; an attribute is known by its OID. Returns the
 * number of challenge passwords that were blanked: one whose value is not behind its OID does not count.
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

/** Overwrites every primitive value inside; returns how many bytes that were. */
function blankContent(reader: DerReader, element: DerElement, depth: number): number {
  if (depth > maxNesting) throw new DerError("nested too deeply");
  if (!isConstructed(element)) return reader.content(element).fill(blank).length;
  const members = reader.inside(element);
  let bytes = 0;
  while (members.hasMore) bytes += blankContent(members, members.next(), depth + 1);
  return bytes;
}

/** Looks for the word in any of the string types, UTF-16 included. */
function mentionsChallenge(content: Buffer): boolean {
  return content
    .toString("latin1")
    .replaceAll(/[\0 -]/g, "")
    .toLowerCase()
    .includes("challenge");
}

/** True for an OCTET STRING that is exactly one SEQUENCE: CMS puts requests into one. */
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
