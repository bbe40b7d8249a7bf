import { isUtf8 } from "node:buffer";

/** Bytes that are not text in an encoding that Certwire reads; its message names the encoding. */
export class EncodingError extends Error {
  override readonly name = "EncodingError";
}

const marks = [
  { encoding: "utf-8", bytes: Buffer.of(0xef, 0xbb, 0xbf) },
  { encoding: "utf-16le", bytes: Buffer.of(0xff, 0xfe) },
  { encoding: "utf-16be", bytes: Buffer.of(0xfe, 0xff) },
] as const;

/** How a text begins: its encoding, and the length of the byte order mark that names it, in bytes. */
export interface TextStart {
  readonly encoding: (typeof marks)[number]["encoding"];
  readonly markBytes: number;
}

/**
 * Finds out how the beginning of a text is encoded: by its byte order mark, else UTF-8. Throws an EncodingError
 * for UTF-16 without a mark, which Windows PowerShell never writes but other programs do.
 */
export function textStart(bytes: Buffer): TextStart {
  const mark = marks.find((each) => bytes.subarray(0, each.bytes.length).equals(each.bytes));
  if (mark) return { encoding: mark.encoding, markBytes: mark.bytes.length };
  // In JSON and in passwords every other byte of UTF-16 is zero.
  const [first, second] = bytes;
  if (bytes.length > 1 && (first === 0) !== (second === 0)) {
    throw new EncodingError("UTF-16 without a byte order mark; save it as UTF-8");
  }
  return { encoding: "utf-8", markBytes: 0 };
}

/**
 * The text of bytes: UTF-8 with or without a byte order mark, or UTF-16 with one. Throws an EncodingError, so
 * that a text is never read half.
 */
export function decodeText(bytes: Buffer): string {
  const { encoding, markBytes } = textStart(bytes);
  const content = bytes.subarray(markBytes);
  if (encoding === "utf-8") return decodeUtf8(content);
  const text = decodeUtf16(content, encoding);
  if (text.includes("\0")) throw new EncodingError("not text: it holds NUL characters");
  return text;
}

/** As `decodeText`, for UTF-8 whose byte order mark was removed. */
export function decodeUtf8(bytes: Buffer): string {
  if (!isUtf8(bytes)) {
    const pages = "an 8-bit code page such as Windows-1252 or Latin-1";
    throw new EncodingError(`not UTF-8 but ${pages}; save it as UTF-8`);
  }
  if (bytes.includes(0)) throw new EncodingError("not text: it holds NUL bytes");
  return bytes.toString("utf8");
}

function decodeUtf16(bytes: Buffer, encoding: "utf-16le" | "utf-16be"): string {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    throw new EncodingError(`damaged ${encoding.toUpperCase()}; save it as UTF-8`);
  }
}
