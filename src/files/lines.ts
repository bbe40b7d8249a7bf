import { EncodingError, type TextStart, textStart } from "./text-encoding.ts";

const newline = 0x0a;

/** A line that is longer than its reader allows. */
export class LongLineError extends Error {
  override readonly name = "LongLineError";

  /** `line`: its number, from 1; `maxBytes`: how long it may be. */
  constructor(line: number, maxBytes: number) {
    super(`line ${line} is longer than ${maxBytes} bytes`);
  }
}

/**
 * The lines of a text as UTF-8, without their line ends. A line ends at \n only: U+2028 and U+2029 may stand
 * in JSON, and readline splits at them. The text may be UTF-16 with a byte order mark. Rejects with a
 * LongLineError before it holds more than `maxBytes` of a line, with an EncodingError, or as `chunks` does.
 */
export async function* splitLines(
  chunks: AsyncIterable<Buffer>,
  maxBytes: number,
): AsyncGenerator<Buffer> {
  let line = 1;
  let parts: Buffer[] = [];
  let length = 0;
  const add = (part: Buffer): void => {
    length += part.length;
    if (length > maxBytes) throw new LongLineError(line, maxBytes);
    parts.push(part);
  };
  for await (const chunk of toUtf8(chunks)) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      add(chunk.subarray(start, end));
      yield whole(parts);
      [line, parts, length, start] = [line + 1, [], 0, end + 1];
    }
    add(chunk.subarray(start));
  }
  if (length > 0) yield whole(parts);
}

/** Most lines are within a chunk, and need no copy. */
function whole(parts: readonly Buffer[]): Buffer {
  const [first] = parts;
  return first !== undefined && parts.length === 1 ? first : Buffer.concat(parts);
}

async function* toUtf8(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let convert: ((chunk?: Buffer) => Buffer) | undefined;
  for await (const chunk of chunks) {
    if (convert !== undefined) {
      yield convert(chunk);
      continue;
    }
    const start = textStart(chunk);
    convert = converter(start);
    yield convert(chunk.subarray(start.markBytes));
  }
  if (convert !== undefined) yield convert();
}

/** A function that makes UTF-8 of each chunk; called without one it reports a last character that is cut off. */
function converter({ encoding }: TextStart): (chunk?: Buffer) => Buffer {
  if (encoding === "utf-8") return (chunk) => chunk ?? Buffer.alloc(0);
  const decoder = new TextDecoder(encoding, { fatal: true, ignoreBOM: true });
  return (chunk) => {
    try {
      return Buffer.from(decoder.decode(chunk, { stream: chunk !== undefined }));
    } catch {
      throw new EncodingError(`damaged ${encoding.toUpperCase()}; save it as UTF-8`);
    }
  };
}
