import { type DerElement, DerError, type DerReader } from "./reader.ts";

/**
 * The text of a string element; `undefined` if its type is not a string. Invalid characters become U+FFFD;
 * the original bytes are in the DER of the event.
 */
export function stringText(reader: DerReader, element: DerElement): string | undefined {
  const { bytes } = reader;
  switch (element.tag) {
    case 0x0c: // UTF8String
      return bytes.toString("utf8", element.start, element.end);
    case 0x12: // NumericString
    case 0x13: // PrintableString
    case 0x14: // TeletexString, Latin-1 in practice
    case 0x16: // IA5String
    case 0x1a: // VisibleString
      return bytes.toString("latin1", element.start, element.end);
    case 0x1e: // BMPString
      return utf16Text(reader.content(element));
    case 0x1c: // UniversalString
      return utf32Text(reader.content(element));
    default:
      return undefined;
  }
}

function utf16Text(bigEndian: Buffer): string {
  if (bigEndian.length % 2 !== 0) throw new DerError("BMPString of odd length");
  return wellFormed(Buffer.from(bigEndian).swap16().toString("utf16le"));
}

function utf32Text(bigEndian: Buffer): string {
  if (bigEndian.length % 4 !== 0) throw new DerError("UniversalString of odd length");
  let text = "";
  for (let offset = 0; offset < bigEndian.length; offset += 4) {
    const point = bigEndian.readUInt32BE(offset);
    text += point > 0x10ffff ? "\ufffd" : String.fromCodePoint(point);
  }
  return wellFormed(text);
}

/** The text with each lone surrogate replaced by U+FFFD, so that it can be encoded as UTF-8. */
export function wellFormed(text: string): string {
  return Buffer.from(text, "utf8").toString("utf8");
}
