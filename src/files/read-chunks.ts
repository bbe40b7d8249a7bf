import type { FileHandle } from "node:fs/promises";

/** Bytes that are read at once. */
const chunkBytes = 256 * 1024;

/**
 * The first `size` bytes of an open file in chunks, or all if it is shorter. Unlike a stream of the handle it may be
 * read any number of times. Rejects with the error of the file system.
 */
export async function* readChunks(file: FileHandle, size: number): AsyncGenerator<Buffer> {
  let at = 0;
  while (at < size) {
    const length = Math.min(chunkBytes, size - at);
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
