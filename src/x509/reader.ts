/** Malformed DER. It never leaves `src/x509`: the parsers report it as a problem of the part they read. */
export class DerError extends Error {}

/** Identifier octets that are read by name. */
export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** One element: its identifier octet, and its place in the reader's bytes. */
export interface DerElement {
  /** The identifier octet. */
  readonly tag: number;
  /** Where the header begins. */
  readonly offset: number;
  /** Where the content begins. */
  readonly start: number;
  /** Where the content ends. */
  readonly end: number;
}

/**
 * Walks over the elements in a range of bytes, one after the other. It reads only headers, copies nothing and
 * never reads outside its range, so the work is limited by the number of elements that are read. Why this is
 * not a library is said in `certificate.ts`.
 */
export class DerReader {
  readonly bytes: Buffer;
  readonly #end: number;
  #position: number;

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.#position = start;
    this.#end = end;
  }

  get hasMore(): boolean {
    return this.#position < this.#end;
  }

  /** Identifier octet of the next element; -1 at the end. */
  get nextTag(): number {
    return this.hasMore ? (this.bytes[this.#position] ?? -1) : -1;
  }

  /** Reads the next element. Throws `DerError` if it is malformed or does not have the given tag. */
  next(tag?: number): DerElement {
    const offset = this.#position;
    const found = this.nextTag;
    if (found < 0) throw new DerError("ends where an element is expected");
    if (tag !== undefined && found !== tag) {
      throw new DerError(`tag ${hex(found)} where ${hex(tag)} is expected`);
    }
    if ((found & 0x1f) === 0x1f) throw new DerError("tag of more than one byte");
    const first = this.#byte(offset + 1);
    let start = offset + 2;
    let length = first;
    if (first >= 0x80) {
      const size = first & 0x7f;
      if (size === 0 || size > 4) throw new DerError("length is indefinite or too large");
      length = 0;
      for (let i = 0; i < size; i++) length = length * 256 + this.#byte(start + i);
      start += size;
    }
    const end = start + length;
    if (end > this.#end) throw new DerError("element exceeds its container");
    this.#position = end;
    return { tag: found, offset, start, end };
  }

  /** Reads the next element if it has the given tag; otherwise stays before it. */
  optional(tag: number): DerElement | undefined {
    return this.nextTag === tag ? this.next() : undefined;
  }

  /** A reader of the content of an element. */
  inside(element: DerElement): DerReader {
    return new DerReader(this.bytes, element.start, element.end);
  }

  /** Reads the next element, a SEQUENCE, and returns a reader of its content. */
  sequence(): DerReader {
    return this.inside(this.next(tags.sequence));
  }

  /** The content octets, as a view. */
  content(element: DerElement): Buffer {
    return this.bytes.subarray(element.start, element.end);
  }

  /** The whole element with its header, as a view. */
  whole(element: DerElement): Buffer {
    return this.bytes.subarray(element.offset, element.end);
  }

  /** The content of `element`, whatever its tag, as an integer from 0 to 2^47 - 1. */
  smallInteger(element: DerElement): number {
    const length = element.end - element.start;
    if (length < 1 || length > 6) throw new DerError("integer out of range");
    const value = this.bytes.readIntBE(element.start, length);
    if (value < 0) throw new DerError("integer is negative");
    return value;
  }

  /** The octets of a BIT STRING (content of `element`), without the count of unused bits. */
  bits(element: DerElement): Buffer {
    if (element.end === element.start) throw new DerError("empty bit string");
    return this.bytes.subarray(element.start + 1, element.end);
  }

  #byte(offset: number): number {
    if (offset >= this.#end) throw new DerError("ends inside a header");
    return this.bytes[offset] ?? 0;
  }
}

function hex(tag: number): string {
  return `0x${tag.toString(16).padStart(2, "0")}`;
}
