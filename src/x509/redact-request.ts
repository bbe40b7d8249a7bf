import { chunkedOctetString } from "./octet-string.ts";
import { oidText } from "./oid.ts";
import { type DerElement, DerError, DerReader, tags } from "./reader.ts";
import { mentionsSecretName, secretRequestAttributes, secretsIn } from "./secret-attributes.ts";

const signedData = "1.2.840.113549.1.7.2";
const maxNesting = 32;
const blank = 0x2d;

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

/** Blanks secrets in place, and counts their OIDs. */
class Redaction {
  /** OIDs of secrets whose value was reached. */
  #reached = 0;
  #expected: number;

  constructor(raw: Buffer) {
    this.#expected = secretsIn(raw);
  }

  /** False if a secret may stand outside the structure that the walk covers; it would be published. */
  get isComplete(): boolean {
    return this.#reached === this.#expected;
  }

  /**
   * Walks a list of elements and everything inside, and blanks the values that follow the OID of a secret
   * attribute. Throws `DerError`.
   */
  blankSecrets(reader: DerReader, depth: number): void {
    if (depth > maxNesting) throw new DerError("nested too deeply");
    let type = "";
    let isReached = false;
    const strings: Buffer[] = [];
    while (reader.hasMore) {
      const element = reader.next();
      const rule = secretRequestAttributes.get(type);
      if (element.tag === tags.oid) {
        isReached = false;
        type = oidText(reader.bytes, element);
      } else if (rule !== undefined) {
        const wasReached: boolean = isReached;
        isReached = this.#readValue(reader, element, depth, rule) || wasReached;
        if (isReached && !wasReached) this.#reached += 1;
      } else if (element.tag === chunkedOctetString) {
        this.#blankChunks(reader, element, depth);
      } else if (isConstructed(element)) {
        this.blankSecrets(reader.inside(element), depth + 1);
      } else if (element.tag === tags.octetString) {
        strings.push(reader.content(element));
        this.#blankInside(reader.content(element), depth);
      } else if (element.tag === tags.bitString) {
        strings.push(reader.content(element).subarray(1));
      }
    }
    this.#expectJoined(strings, Buffer.concat(strings));
  }

  /** Blanks the value of a secret attribute if `rule` says so; false if it has nothing to blank. */
  #readValue(
    reader: DerReader,
    element: DerElement,
    depth: number,
    rule: "always" | "by-name",
  ): boolean {
    const chunks = chunksOf(reader, element, depth);
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    if (rule === "always" || [Buffer.concat(chunks), ...chunks].some(mentionsSecretName)) {
      for (const chunk of chunks) {
        this.#expected -= secretsIn(chunk);
        chunk.fill(blank);
      }
    }
    return rule === "by-name" || bytes > 0;
  }

  /** Blanks what the chunks of an OCTET STRING hold together. */
  #blankChunks(reader: DerReader, element: DerElement, depth: number): void {
    const chunks = chunksOf(reader, element, depth);
    const joined = Buffer.concat(chunks);
    this.#expectJoined(chunks, joined);
    this.#blankInside(joined, depth);
    let at = 0;
    for (const chunk of chunks) at += joined.copy(chunk, 0, at, at + chunk.length);
  }

  /** An OID that stands in two chunks of a string is not found in the raw bytes, but those who join them find it. */
  #expectJoined(chunks: readonly Buffer[], joined: Buffer): void {
    if (chunks.length < 2) return;
    this.#expected += secretsIn(joined);
    for (const chunk of chunks) this.#expected -= secretsIn(chunk);
  }

  /** Blanks what stands in an OCTET STRING that begins with a SEQUENCE, as CMS wraps requests. */
  #blankInside(content: Buffer, depth: number): void {
    const sequence = firstSequence(content);
    if (sequence === undefined) return;
    const { element, isWhole } = sequence;
    try {
      this.blankSecrets(new DerReader(content, element.offset, element.after), depth + 1);
    } catch (error) {
      // A hash may begin like a SEQUENCE. The OIDs in it are expected, and not reached.
      if (isWhole || !(error instanceof DerError)) throw error;
    }
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

/** The SEQUENCE that an OCTET STRING begins with, and whether it holds nothing else. */
function firstSequence(content: Buffer): { element: DerElement; isWhole: boolean } | undefined {
  if (content[0] !== tags.sequence) return undefined;
  try {
    const element = new DerReader(content).next();
    return { element, isWhole: element.after === content.length };
  } catch {
    return undefined;
  }
}
