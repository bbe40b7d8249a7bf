import { closeSync, openSync, readSync } from "node:fs";
import { kibibyte, mebibyte } from "../units.ts";
import { decodeText, EncodingError, textStart } from "./text-encoding.ts";

/** Why a file cannot be used as text; never holds any of its content. */
export class TextFileError extends Error {
  override readonly name = "TextFileError";
}

/**
 * The text of a file that people or tools of the system write: UTF-8, or UTF-16 with a byte order mark. Throws
 * a TextFileError when it is larger than `maxBytes`, an EncodingError, or the error of the file system.
 */
export function readTextFile(path: string, maxBytes: number): string {
  return decodeText(readBytes(path, maxBytes));
}

/** A larger file is not one of certificates: the bundle of all public CAs has 200 KiB. */
export const maxPemBytes = 16 * mebibyte;

/**
 * The text of a PEM file. Only its ASCII counts, so that notes around the PEM may have any encoding of single
 * bytes. Throws as `readTextFile`.
 */
export function readPemFile(path: string, maxBytes: number): string {
  const bytes = readBytes(path, maxBytes);
  return textStart(bytes).encoding === "utf-8" ? bytes.toString("latin1") : decodeText(bytes);
}

/** What is wrong with a text file. */
export interface TextFileProblem {
  /** Follows the name of the file; never holds any of its content. */
  readonly message: string;
  /** True if the file was read: its size or its encoding is wrong. */
  readonly isContent: boolean;
}

/** Describes an error of `readTextFile`. */
export function textFileProblem(error: unknown): TextFileProblem {
  if (error instanceof EncodingError || error instanceof TextFileError) {
    return { message: `is ${error.message}`, isContent: true };
  }
  const reason = (error as NodeJS.ErrnoException).code ?? "unknown error";
  return { message: `cannot be read: ${reason}`, isContent: false };
}

/** Reads at most `maxBytes`, whatever the file system says of the size: the file may be a pipe or a device. */
function readBytes(path: string, maxBytes: number): Buffer {
  const file = openSync(path, "r");
  try {
    const parts: Buffer[] = [];
    let size = 0;
    for (;;) {
      const part = Buffer.alloc(64 * kibibyte);
      const count = readSync(file, part);
      if (count === 0) return Buffer.concat(parts);
      parts.push(part.subarray(0, count));
      size += count;
      if (size > maxBytes) throw new TextFileError(`larger than ${maxBytes} bytes`);
    }
  } finally {
    closeSync(file);
  }
}
