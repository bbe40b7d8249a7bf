import { isAscii, isUtf8 } from "node:buffer";
import type { DerReport } from "./der-report.ts";
import { type DerElement, DerError, type DerReader } from "./reader.ts";

/**
 * The text of a string element; `undefined` if its type is not a string. Invalid characters become U+FFFD, and
 * the report gets the octets of a text with any of them, or with U+0000, which stays; `withoutNul` removes it.
 */
export function stringText(
  reader: DerReader,
  element: DerElement,
  report: DerReport,
): string | undefined {
  const octets = reader.content(element);
  switch (element.tag) {
    case 0x0c: // UTF8String
      if (!isUtf8(octets)) report.add("text is not valid UTF-8", octets);
      return reportNul(octets.toString("utf8"), octets, report);
    case 0x14: // TeletexString, Latin-1 in practice
      return reportNul(octets.toString("latin1"), octets, report);
    case 0x12: // NumericString
    case 0x13: // PrintableString
    case 0x16: // IA5String
    case 0x1a: // VisibleString
      return asciiText(octets, report);
    case 0x1e: // BMPString
      return reportNul(utf16Text(octets, report), octets, report);
    case 0x1c: // UniversalString
      return reportNul(utf32Text(octets, report), octets, report);
    default:
      return undefined;
  }
}

/**
 * The text of a string type that allows only ASCII. Other octets are reported, and read as UTF-8 if they are
 * valid, else as Latin-1.
 */
export function asciiText(octets: Buffer, report: DerReport): string {
  if (isAscii(octets)) return reportNul(octets.toString("latin1"), octets, report);
  report.add("text is not ASCII", octets);
  return octets.toString(isUtf8(octets) ? "utf8" : "latin1");
}

function reportNul(text: string, octets: Buffer, report: DerReport): string {
  if (text.includes("\0")) report.add("text has a U+0000", octets);
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
