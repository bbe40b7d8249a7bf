/** Malformed DER. It never leaves `src/x509`: the parsers report it as a problem of the part they read. */
export class DerError extends Error {
  constructor(message: string) {
    // A stack trace takes five times as long as the rest, and a requester may write thousands of broken members.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(message);
    Error.stackTraceLimit = stackTraceLimit;
  }
}

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
  /** Where the next element begins: `end`, or after the end marker of an element of indefinite length. */
  readonly after: number;
}

/** What the header of an element says; `end` is `undefined` for an indefinite length. */
interface Header {
  readonly tag: number;
  readonly start: number;
  readonly end: number | undefined;
}

/** The end marker of an element of indefinite length: two zero bytes. */
const endMarkerBytes = 2;

/**
 * Walks over the elements in a range of bytes, one after the other. It reads only headers, copies nothing and
 * never reads outside its range, so the work is limited by the number of elements that are read. Of BER it
 * accepts what others accept where DER is demanded: indefinite lengths, longer lengths than needed, and tags
 * of several bytes, so that such an element does not hide those after it. Why this is not a library is said in
 * `certificate.ts`.
 */
export class DerReader {
  readonly bytes: Buffer;
  readonly #end: number;
  #position: number;

  /**
   * `end` may lie after the end of `bytes` where only the start of a value is known; reading the content of an
   * element that reaches there throws `DerError`.
   */
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

  /** Offset in `bytes` of the next element. */
  get position(): number {
    return this.#position;
  }

  /** Offset in `bytes` where the elements end. */
  get endsAt(): number {
    return this.#end;
  }

  /** Reads the next element. Throws `DerError` if it is malformed or does not have the given tag. */
  next(tag?: number): DerElement {
    const offset = this.#position;
    const found = this.nextTag;
    if (found < 0) throw new DerError("ends where an element is expected");
    if (tag !== undefined && found !== tag) throw unexpectedTag(found, tag);
    const { start, end } = this.#header(offset);
    if (end !== undefined) {
      this.#position = end;
      return { tag: found, offset, start, end, after: end };
    }
    const marker = this.#endMarker(start);
    this.#position = marker + endMarkerBytes;
    return { tag: found, offset, start, end: marker, after: this.#position };
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

  /** A reader of the content of an element that was read already. Throws `DerError` unless it is a SEQUENCE. */
  insideSequence(element: DerElement): DerReader {
    if (element.tag !== tags.sequence) throw unexpectedTag(element.tag, tags.sequence);
    return this.inside(element);
  }

  /** Throws `DerError` if there is another element. */
  end(): void {
    if (this.hasMore) throw new DerError("more than is expected");
  }

  /** The content octets, as a view. */
  content(element: DerElement): Buffer {
    if (element.end > this.bytes.length) throw new DerError("lies in the part that was cut");
    return this.bytes.subarray(element.start, element.end);
  }

  /** The whole element with its header, as a view. */
  whole(element: DerElement): Buffer {
    return this.bytes.subarray(element.offset, element.after);
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

  #header(offset: number): Header {
    const tag = this.#byte(offset);
    let start = offset + 1;
    if ((tag & 0x1f) === 0x1f) start = this.#afterTag(start);
    let length = this.#byte(start++);
    if (length === 0x80) {
      if ((tag & 0x20) === 0) throw new DerError("primitive element of indefinite length");
      return { tag, start, end: undefined };
    }
    if (length > 0x80) {
      const size = length & 0x7f;
      if (size > 8) throw new DerError("length is too large");
      length = 0;
      for (let i = 0; i < size; i++) length = length * 256 + this.#byte(start++);
    }
    const end = start + length;
    if (end > this.#end) throw new DerError("element exceeds its container");
    return { tag, start, end };
  }

  /** Where a tag of several bytes ends: its last byte is the first one below 0x80. */
  #afterTag(start: number): number {
    let position = start;
    while (this.#byte(position) >= 0x80) position += 1;
    return position + 1;
  }

  /** Where the marker is that ends an element of indefinite length; `start` is where its content begins. */
  #endMarker(start: number): number {
    let open = 1;
    let position = start;
    for (;;) {
      if (this.#byte(position) === 0 && this.#byte(position + 1) === 0) {
        open -= 1;
        if (open === 0) return position;
        position += endMarkerBytes;
        continue;
      }
      const header = this.#header(position);
      if (header.end === undefined) open += 1;
      position = header.end ?? header.start;
    }
  }

  #byte(offset: number): number {
    if (offset >= this.#end) throw new DerError("ends inside a header");
    const byte = this.bytes[offset];
    if (byte === undefined) throw new DerError("lies in the part that was cut");
    return byte;
  }
}

/** The error of an element that stands where none with its tag may. */
export function unexpectedElement({ tag }: DerElement): DerError {
  return new DerError(`element with tag ${hex(tag)} is not expected here`);
}

/** The error of an element that has another tag than the expected one. */
export function unexpectedTag(found: number, expected: number): DerError {
  return new DerError(`tag ${hex(found)} where ${hex(expected)} is expected`);
}

function hex(tag: number): string {
  return `0x${tag.toString(16).padStart(2, "0")}`;
}
