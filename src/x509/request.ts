import { oidText } from "./oid.ts";
import { type DerElement, DerError, DerReader, tags } from "./reader.ts";
import { mentionsSecret } from "./secret-names.ts";

const challengePassword = "1.2.840.113549.1.9.7";

/**
 * Attributes and controls whose values are secret: always, or if they mention one by name.
 * docs/reference/what-is-secret.md says why.
 */
export const secretRequestAttributes: ReadonlyMap<string, "always" | "by-name"> = new Map([
  [challengePassword, "always"],
  ["1.3.6.1.4.1.311.21.13", "always"], // archived private key, encrypted for the CA
  ["1.3.6.1.4.1.311.21.28", "always"], // attestation challenge
  ["1.3.6.1.5.5.7.5.1.1", "always"], // CRMF registration token
  ["1.3.6.1.5.5.7.5.1.2", "always"], // CRMF authenticator
  ["1.3.6.1.5.5.7.7.3", "always"], // CMC identity proof, a hash with a shared secret
  ["1.3.6.1.5.5.7.7.10", "always"], // CMC decrypted proof of possession
  ["1.3.6.1.5.5.7.7.34", "always"], // CMC identity proof, version 2
  ["1.3.6.1.4.1.311.13.2.1", "by-name"], // name and value pair of an enrolment client
  ["1.3.6.1.5.5.7.7.18", "by-name"], // CMC registration info: request attributes as text
]);

/** The octets of the OID, to find passwords at places that the walk does not reach. */
const challengePasswordOctets = Buffer.from("2a864886f70d010907", "hex");
const signedData = "1.2.840.113549.1.7.2";
const maxNesting = 32;
const blank = 0x2d;
/** An OCTET STRING in chunks, as BER allows it. */
const chunkedOctetString = 0x24;

/**
 * A copy of a certification request (PKCS#10, alone or in CMC or PKCS#7, also in BER) with the secrets in it
 * overwritten by hyphens. All lengths stay; the signature no longer verifies. `undefined` if it is not such a
 * request or is malformed, because it may then hold secrets anywhere.
 */
export function redactRequest(raw: Buffer): Buffer | undefined {
  const copy = Buffer.from(raw);
  try {
    const request = expectRequest(new DerReader(copy));
    const redaction = new Redaction(raw);
    redaction.blankSecrets(new DerReader(copy, request.offset, request.after), 0);
    return redaction.isComplete ? copy : undefined;
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

/** The element of a request, after which only line ends and spaces may follow. */
function expectRequest(reader: DerReader): DerElement {
  const request = reader.next(tags.sequence);
  if (!/^[\r\n\t ]*$/.test(reader.bytes.toString("latin1", request.after))) {
    throw new DerError("bytes after the request");
  }
  const outer = reader.inside(request);
  const contentType = outer.optional(tags.oid);
  if (contentType !== undefined) {
    if (oidText(outer.bytes, contentType) !== signedData) throw new DerError("not signed data");
    return request;
  }
  const info = outer.sequence();
  info.next(tags.integer);
  info.next(tags.sequence);
  info.next(tags.sequence);
  outer.next(tags.sequence);
  outer.next(tags.bitString);
  return request;
}

/** Blanks secrets in place, and counts the challenge passwords. */
class Redaction {
  #blanked = 0;
  #expected: number;

  constructor(raw: Buffer) {
    this.#expected = passwordsIn(raw);
  }

  /** False if a password may stand outside the structure that the walk covers; it would be published. */
  get isComplete(): boolean {
    return this.#blanked === this.#expected;
  }

  /**
   * Walks a list of elements and everything inside, and blanks the values that follow the OID of a secret
   * attribute. Throws `DerError`.
   */
  blankSecrets(reader: DerReader, depth: number): void {
    if (depth > maxNesting) throw new DerError("nested too deeply");
    let type: string | undefined;
    let isCounted = false;
    while (reader.hasMore) {
      const element = reader.next();
      const secret = type === undefined ? undefined : secretRequestAttributes.get(type);
      if (element.tag === tags.oid) {
        isCounted = false;
        type = oidText(reader.bytes, element);
      } else if (secret === "always") {
        const bytes = blankContent(reader, element, depth);
        if (type === challengePassword && bytes > 0 && !isCounted) this.#blanked += 1;
        isCounted ||= bytes > 0;
      } else if (secret === "by-name" && mentionsSecretName(contentOf(reader, element, depth))) {
        blankContent(reader, element, depth);
      } else if (element.tag === chunkedOctetString) {
        this.#blankChunks(reader, element, depth);
      } else if (isConstructed(element) || holdsDer(reader.content(element), element.tag)) {
        this.blankSecrets(reader.inside(element), depth + 1);
      }
    }
  }

  /** Blanks what the chunks of an OCTET STRING hold together. */
  #blankChunks(reader: DerReader, element: DerElement, depth: number): void {
    const chunks = chunksOf(reader, element, depth);
    const joined = Buffer.concat(chunks);
    if (!holdsDer(joined, tags.octetString)) return;
    // An OID that stands in two chunks was not found in the raw bytes.
    this.#expected += passwordsIn(joined);
    for (const chunk of chunks) this.#expected -= passwordsIn(chunk);
    this.blankSecrets(new DerReader(joined), depth + 1);
    let at = 0;
    for (const chunk of chunks) at += joined.copy(chunk, 0, at, at + chunk.length);
  }
}

function isConstructed({ tag }: DerElement): boolean {
  return (tag & 0x20) !== 0;
}

/** Views of the primitive values inside an element, in their order. */
function chunksOf(
  reader: DerReader,
  element: DerElement,
  depth: number,
  found: Buffer[] = [],
): Buffer[] {
  if (depth > maxNesting) throw new DerError("nested too deeply");
  if (!isConstructed(element)) {
    found.push(reader.content(element));
    return found;
  }
  const members = reader.inside(element);
  while (members.hasMore) chunksOf(members, members.next(), depth + 1, found);
  return found;
}

/** Overwrites every primitive value inside; returns the number of bytes. */
function blankContent(reader: DerReader, element: DerElement, depth: number): number {
  const chunks = chunksOf(reader, element, depth);
  return chunks.reduce((bytes, chunk) => bytes + chunk.fill(blank).length, 0);
}

function contentOf(reader: DerReader, element: DerElement, depth: number): Buffer {
  return Buffer.concat(chunksOf(reader, element, depth));
}

/** True if a text of any string type, UTF-16 of both byte orders included, has the name of a secret in it. */
function mentionsSecretName(content: Buffer): boolean {
  const even = Buffer.from(content.subarray(0, content.length & ~1));
  const texts = [content.toString("latin1"), even.toString("utf16le")];
  texts.push(even.swap16().toString("utf16le"));
  return texts.some(mentionsSecret);
}

/** True for an OCTET STRING that holds exactly one SEQUENCE, as CMS wraps requests. */
function holdsDer(content: Buffer, tag: number): boolean {
  if (tag !== tags.octetString) return false;
  try {
    const reader = new DerReader(content);
    reader.next(tags.sequence);
    return !reader.hasMore;
  } catch {
    return false;
  }
}

function passwordsIn(bytes: Buffer): number {
  let count = 0;
  for (
    let at = bytes.indexOf(challengePasswordOctets);
    at >= 0;
    at = bytes.indexOf(challengePasswordOctets, at + 1)
  ) {
    count += 1;
  }
  return count;
}
