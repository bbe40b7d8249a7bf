import type { FileHandle } from "node:fs/promises";

/**
 * Writes all bytes at a place of a file: the operating system may write less without an error, such as on a disk that is
 * nearly full. Rejects with the error of the file system.
 */
export async function writeWhole(
  file: Pick<FileHandle, "write">,
  bytes: Buffer,
  at: number,
): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, at + done);
    if (bytesWritten === 0) throw new Error(`${done} of ${bytes.length} bytes written`);
    done += bytesWritten;
  }
}
