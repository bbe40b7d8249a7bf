import { constants, type Stats } from "node:fs";
import { open, rename, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { type FileAccess, fileModes, noFollow, syncDirectory } from "./append-file.ts";
import { ignoreMissing, statIfExists } from "./existing.ts";

const createFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | noFollow;

/**
 * Replaces a file as a whole, durably: after a crash the old one or the new one is there. The new one is written as
 * `<path>.new` first; only one process at a time may do so. The directory must exist. Rejects with the error of the file
 * system; the old file is then still there, or the new one if only the flush of the directory failed. `isFlushed: false`
 * saves the disk two flushes for a file that need not survive a power cut, after which it may be empty.
 */
export async function replaceFile(
  path: string,
  access: FileAccess,
  text: Iterable<string>,
  { isFlushed = true }: { readonly isFlushed?: boolean } = {},
): Promise<void> {
  const draft = `${path}.new`;
  const old = await statIfExists(path);
  // What a crash has left, or a link that was put there: a new file leads nowhere else.
  await unlink(draft).catch(ignoreMissing);
  try {
    await writeNew(draft, access, text, old, isFlushed);
    await rename(draft, path);
  } catch (error) {
    await unlink(draft).catch(() => undefined);
    throw error;
  }
  if (isFlushed) await syncDirectory(dirname(path));
}

async function writeNew(
  path: string,
  access: FileAccess,
  text: Iterable<string>,
  old: Stats | undefined,
  isFlushed: boolean,
): Promise<void> {
  const file = await open(path, createFlags, fileModes[access]);
  try {
    // A command that root runs must not take the file from the service's account. On Windows rights are inherited.
    if (old !== undefined && process.getuid?.() === 0) await file.chown(old.uid, old.gid);
    for (const part of text) await file.appendFile(part);
    if (isFlushed) await file.sync();
  } finally {
    await file.close();
  }
}
