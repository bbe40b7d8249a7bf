import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Opens an NDJSON file for appending, and creates it and its directory if needed. A last line that a crash
 * cut off is ended first. Rejects with the error of the file system.
 */
export async function openForAppend(path: string): Promise<FileHandle> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, "a+");
  try {
    const { size } = await file.stat();
    if (size === 0) await syncDirectory(dirname(path));
    else if (await isTorn(file, size)) await file.appendFile("\n");
  } catch (error) {
    await file.close();
    throw error;
  }
  return file;
}

async function isTorn(file: FileHandle, size: number): Promise<boolean> {
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] !== 0x0a;
}

/** Makes a new file name in a directory durable. Does nothing on Windows, which neither needs nor allows it. */
export async function syncDirectory(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
