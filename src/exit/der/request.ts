import { oidText } from "./oid.ts";
import { type DerElement, DerError, DerReader, tags } from "./reader.ts";

/** Attributes whose values hold a secret: always, or when they mention a challenge. */
const secretAttributes: ReadonlyMap<string, "always" | "if-challenge"> = new Map([
  ["1.2.840.113549.1.9.7", "always"], // challengePassword
  ["1.3.6.1.4.1.311.13.2.1", "if-challenge"], // name and value pair of an enrolment client
  ["1.3.6.1.5.5.7.7.18", "if-challenge"], // CMC registration info: request attributes as text
]);

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
    blankSecrets(new DerReader(copy), 0);
    return copy;
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
    if (oidText(outer.content(contentType)) !== signedData) throw new DerError("not signed data");
    return;
  }
  const info = outer.sequence();
  info.next(tags.integer);
  info.next(tags.sequence);
  info.next(tags.sequence);
  outer.next(tags.sequence);
  outer.next(tags.bitString);
}

/** Walks a list of elements and everything inside; an attribute is known by its OID. */
function blankSecrets(reader: DerReader, depth: number): void {
  if (depth > maxNesting) throw new DerError("nested too deeply");
  let secret: "always" | "if-challenge" | undefined;
  while (reader.hasMore) {
    const element = reader.next();
    if (element.tag === tags.oid) {
      secret = secretAttributes.get(oidText(reader.content(element)));
    } else if (secret === "always" || (secret && mentionsChallenge(reader.content(element)))) {
      blankContent(reader, element, depth);
    } else if ((element.tag & 0x20) !== 0) {
      blankSecrets(reader.inside(element), depth + 1);
    } else if (element.tag === tags.octetString && holdsDer(reader.content(element))) {
      blankSecrets(reader.inside(element), depth + 1);
    }
  }
}

function blankContent(reader: DerReader, element: DerElement, depth: number): void {
  if (depth > maxNesting) throw new DerError("nested too deeply");
  if ((element.tag & 0x20) === 0) {
    reader.content(element).fill(blank);
    return;
  }
  const members = reader.inside(element);
  while (members.hasMore) blankContent(members, members.next(), depth + 1);
}

/** Looks for the word in any of the string types, UTF-16 included. */
function mentionsChallenge(content: Buffer): boolean {
  return content
    .toString("latin1")
    .replaceAll(/[\0 -]/g, "")
    .toLowerCase()
    .includes("challenge");
}

/** True when the octets are exactly one SEQUENCE, as where CMS puts a request into an OCTET STRING. */
function holdsDer(octets: Buffer): boolean {
  try {
    const reader = new DerReader(octets);
    reader.next(tags.sequence);
    return !reader.hasMore;
  } catch {
    return false;
  }
}
