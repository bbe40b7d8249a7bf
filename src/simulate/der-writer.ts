/** Encoded DER: one complete element. */
export type Der = Buffer;

/** One element: identifier octet, length, content. */
export function element(tag: number, ...content: readonly Uint8Array[]): Der {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag]), lengthBytes(body.length), body]);
}

function lengthBytes(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes = Buffer.from(evenHex(length.toString(16)), "hex");
  return Buffer.concat([Buffer.from([0x80 | bytes.length]), bytes]);
}

function evenHex(hex: string): string {
  return hex.length % 2 === 0 ? hex : `0${hex}`;
}

/** SEQUENCE of the given elements. */
export function sequence(...elements: readonly Uint8Array[]): Der {
  return element(0x30, ...elements);
}

/** SET OF, its elements sorted by their bytes as DER requires. */
export function setOf(...elements: readonly Uint8Array[]): Der {
  return element(0x31, ...inOrder(elements));
}

/** The elements sorted by their bytes, as DER requires in a SET OF. */
export function inOrder(elements: readonly Uint8Array[]): Uint8Array[] {
  return elements.toSorted((a, b) => Buffer.compare(a, b));
}

/** An element with an explicit context-specific tag. */
export function explicit(tag: number, ...elements: readonly Uint8Array[]): Der {
  return element(0xa0 | tag, ...elements);
}

/** A primitive element with an implicit context-specific tag. */
export function implicit(tag: number, content: Uint8Array): Der {
  return element(0x80 | tag, content);
}

/** INTEGER; `value` must not be negative. */
export function integer(value: number | bigint): Der {
  const bytes = Buffer.from(evenHex(value.toString(16)), "hex");
  const first = bytes[0] ?? 0;
  return element(0x02, first >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);
}

/** ENUMERATED; `value` must be below 128. */
export function enumerated(value: number): Der {
  return element(0x0a, Buffer.from([value]));
}

/** BOOLEAN. */
export function boolean(value: boolean): Der {
  return element(0x01, Buffer.from([value ? 0xff : 0]));
}

/** NULL. */
export const nullValue: Der = Buffer.from([0x05, 0x00]);

/** OCTET STRING. */
export function octetString(content: Uint8Array): Der {
  return element(0x04, content);
}

/** BIT STRING of whole bytes. */
export function bitString(content: Uint8Array): Der {
  return element(0x03, Buffer.from([0]), content);
}

/** BIT STRING of named bits, without trailing zero bits, as DER requires. */
export function namedBits(bits: readonly number[]): Der {
  const highest = Math.max(...bits);
  const bytes = Buffer.alloc(Math.floor(highest / 8) + 1);
  for (const bit of bits) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (0x80 >> (bit & 7));
  return element(0x03, Buffer.from([7 - (highest & 7)]), bytes);
}

/** OBJECT IDENTIFIER from its dotted form. */
export function objectIdentifier(dotted: string): Der {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return element(0x06, Buffer.from([first * 40 + second, ...rest].flatMap(base128)));
}

function base128(value: number): number[] {
  const bytes = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.unshift(0x80 | (rest % 128));
  }
  return bytes;
}

/** UTF8String. */
export function utf8String(text: string): Der {
  return element(0x0c, Buffer.from(text, "utf8"));
}

/** PrintableString; the characters are not checked. */
export function printableString(text: string): Der {
  return element(0x13, Buffer.from(text, "latin1"));
}

/** IA5String; the characters are not checked. */
export function ia5String(text: string): Der {
  return element(0x16, Buffer.from(text, "latin1"));
}

/** BMPString (UTF-16, big-endian). */
export function bmpString(text: string): Der {
  return element(0x1e, Buffer.from(text, "utf16le").swap16());
}

/** Time as X.509 requires, in whole seconds: UTCTime until 2049, GeneralizedTime from 2050. */
export function time(date: Date): Der {
  const digits = `${date.toISOString().slice(0, 19).replaceAll(/[-:T]/g, "")}Z`;
  const isLate = date.getUTCFullYear() >= 2050;
  return element(isLate ? 0x18 : 0x17, Buffer.from(isLate ? digits : digits.slice(2), "latin1"));
}
