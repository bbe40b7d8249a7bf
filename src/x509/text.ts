import { isAscii, isUtf8 } from "node:buffer";
import type { DerReport } from "./der-report.ts";
import { type DerElement, DerError, DerReader, tags } from "./reader.ts";

const utf8String = 0x0c;
const teletexString = 0x14;
const universalString = 0x1c;
const bmpString = 0x1e;

/** Bits of the class of a tag, and of its form. */
const universalConstructed = 0xe0;
const constructed = 0x20;

/** NumericString, PrintableString, IA5String, VisibleString. */
const asciiTags: ReadonlySet<number> = new Set([0x12, 0x13, 0x16, 0x1a]);

/**
 * The text of a string element; `undefined` if its type is not a string. Invalid characters become U+FFFD, and
 * the report gets the octets of a text with any of them, or with U+0000, which stays; `withoutNul` removes it.
 */
export function stringText(
  reader: DerReader,
  element: DerElement,
  report: DerReport,
): string | undefined {
  const { tag } = element;
  if ((tag & universalConstructed) === constructed) return chunkedText(reader, element, report);
  if (asciiTags.has(tag)) return asciiText(reader, element, report);
  if (tag === utf8String) return utf8Text(reader, element, report);
  if (tag === teletexString) {
    // Latin-1 in practice.
    return reportNul(
      reader.bytes.toString("latin1", element.start, element.end),
      reader,
      element,
      report,
    );
  }
  const octets = reader.content(element);
  if (tag === bmpString) return reportNul(utf16Text(octets, report), reader, element, report);
  if (tag === universalString) return reportNul(utf32Text(octets, report), reader, element, report);
  return undefined;
}

/** The text of a string in chunks, as BER allows it; `undefined` if it is not a string or its chunks are not. */
function chunkedText(
  reader: DerReader,
  element: DerElement,
  report: DerReport,
): string | undefined {
  const tag = element.tag & ~constructed;
  const list = reader.inside(element);
  const chunks: Buffer[] = [];
  while (list.hasMore) {
    const chunk = list.next();
    if (chunk.tag !== tag && chunk.tag !== tags.octetString) return undefined;
    chunks.push(list.content(chunk));
  }
  const joined = Buffer.concat(chunks);
  const whole = { tag, offset: 0, start: 0, end: joined.length, after: joined.length };
  return stringText(new DerReader(joined), whole, report);
}

/**
 * The text of a string type that allows only ASCII. Other octets are reported, and read as UTF-8 if they are
 * valid, else as Latin-1.
 */
export function asciiText(reader: DerReader, element: DerElement, report: DerReport): string {
  const text = reader.bytes.toString("latin1", element.start, element.end);
  if (isPlain(text)) return text;
  const octets = reader.content(element);
  if (isAscii(octets)) return reportNul(text, reader, element, report);
  report.add("text is not ASCII", octets);
  return isUtf8(octets) ? octets.toString("utf8") : text;
}

function utf8Text(reader: DerReader, element: DerElement, report: DerReport): string {
  const text = reader.bytes.toString("utf8", element.start, element.end);
  if (isPlain(text)) return text;
  const octets = reader.content(element);
  if (!isUtf8(octets)) report.add("text is not valid UTF-8", octets);
  return reportNul(text, reader, element, report);
}

/** True for ASCII without U+0000; asked of each text, because it is much faster than a view of its octets. */
function isPlain(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0 || code > 0x7f) return false;
  }
  return true;
}

function reportNul(
  text: string,
  reader: DerReader,
  element: DerElement,
  report: DerReport,
): string {
  if (text.includes("\0")) report.add("text has a U+0000", reader.content(element));
  return text;
}

function utf16Text(bigEndian: Buffer, report: DerReport): string {
  if (bigEndian.length % 2 !== 0) throw new DerError("BMPString of odd length");
  const text = Buffer.from(bigEndian).swap16().toString("utf16le");
  const valid = wellFormed(text);
  if (valid !== text) report.add("text is not valid UTF-16", bigEndian);
  return valid;
}

function utf32Text(bigEndian: Buffer, report: DerReport): string {
  if (bigEndian.length % 4 !== 0) throw new DerError("UniversalString of odd length");
  let text = "";
  let isValid = true;
  for (let offset = 0; offset < bigEndian.length; offset += 4) {
    const point = bigEndian.readUInt32BE(offset);
    const isCharacter = point <= 0x10ffff && (point & 0xff_f800) !== 0xd800;
    isValid &&= isCharacter;
    text += isCharacter ? String.fromCodePoint(point) : "\ufffd";
  }
  if (!isValid) report.add("text is not valid UTF-32", bigEndian);
  return text;
}

/** The text with each lone surrogate replaced by U+FFFD, so that it can be encoded as UTF-8. */
export function wellFormed(text: string): string {
  return Buffer.from(text, "utf8").toString("utf8");
}

/** The text with each U+0000 replaced by U+FFFD, because databases and C programs cannot store it. */
export function withoutNul(text: string): string {
  return text.includes("\0") ? text.replaceAll("\0", "\ufffd") : text;
}
