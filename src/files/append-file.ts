import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, lstat, mkdir, open, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

/** Who may read what Certwire writes; without effect on Windows, where the directory's rights are inherited. */
export type FileAccess = "shared" | "private";

/** Permissions of new files; the umask restricts those of `shared` ones further. */
export const fileModes = { shared: 0o666, private: 0o600 } as const;
/** Permissions of new directories. */
export const directoryModes = { shared: 0o777, private: 0o700 } as const;

/** Never follows a link in the place of the file itself; Windows has no such flag. */
export const noFollow = constants.O_NOFOLLOW ?? 0;

/** Reads what others may have put there: follows no link, and does not wait for the writer of a FIFO. */
export const readFlags: number = constants.O_RDONLY | noFollow | (constants.O_NONBLOCK ?? 0);

const appendFlags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | noFollow;

/**
 * Opens an NDJSON file for appending, and creates it and its directory if needed. A last line that a crash
 * cut off is ended first. So that nobody leads an administrator's write elsewhere, the file may not be a link,
 * nor a directory below `root` (default: the directory of the file), and a `private` file may not have a second
 * name. Rejects with the error of the file system.
 */
export async function openForAppend(
  path: string,
  access: FileAccess,
  root = dirname(path),
): Promise<FileHandle> {
  const directory = dirname(path);
  await mkdir(directory, { recursive: true, mode: directoryModes[access] });
  const file = await open(path, appendFlags, fileModes[access]);
  try {
    await refuseLinks(path, file, access, root);
    const { size } = await file.stat();
    if (size === 0) await syncDirectory(directory);
    else if (await isTorn(file, size)) await file.appendFile("\n");
  } catch (error) {
    await file.close();
    throw error;
  }
  return file;
}

/**
 * Rejects if an open file is a link, below one, or known by a second name. Called after opening, so that whoever
 * exchanges the path meanwhile gains nothing: nothing was written yet.
 */
export async function refuseLinks(
  path: string,
  file: FileHandle,
  access: FileAccess,
  root: string,
): Promise<void> {
  const stats = await file.stat();
  const isPlain = stats.isFile() && (access === "shared" || stats.nlink === 1);
  const isLinked = (await isLink(path)) || (await isBelowLink(path, root));
  if (isPlain && !isLinked && (await isInPlace(path, file))) return;
  throw linked(`${path} is a link, or not a file`);
}

/** Rejects if a directory below `root` is a link, or one above it is; `root` itself may be one. */
export async function refuseLinkedDirectory(path: string, root: string): Promise<void> {
  if (await isBelowLink(join(path, "file"), root)) throw linked(`${path} is a link`);
}

function linked(message: string): Error {
  return Object.assign(new Error(`ELOOP: ${message}; use the directory itself`), { code: "ELOOP" });
}

async function isBelowLink(path: string, root: string): Promise<boolean> {
  const directory = dirname(path);
  if (directory === root || directory === path) return false;
  return (await isLink(directory)) || isBelowLink(directory, root);
}

async function isLink(path: string): Promise<boolean> {
  return (await lstat(path)).isSymbolicLink();
}

/** True if an open file is still the one at its path: nobody has deleted, renamed or replaced it. */
export async function isInPlace(path: string, file: FileHandle): Promise<boolean> {
  try {
    const [opened, found] = await Promise.all([
      file.stat({ bigint: true }),
      process.platform === "win32" ? statByHandle(path) : stat(path, { bigint: true }),
    ]);
    return opened.ino === found.ino && opened.dev === found.dev;
  } catch {
    return false;
  }
}

/** Windows has two ways to number a file, and `stat` by path may take another one than that of open files. */
async function statByHandle(path: string): Promise<BigIntStats> {
  const file = await open(path, "r");
  try {
    return await file.stat({ bigint: true });
  } finally {
    await file.close();
  }
}

async function isTorn(file: FileHandle, size: number): Promise<boolean> {
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] !== 0x0a;
}

/** Creates a private directory, with those above it, durably. Rejects with the error of the file system. */
export async function makeDirectory(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: directoryModes.private });
  if (first === undefined) return;
  for (let each = resolve(path); each.length >= resolve(first).length; each = dirname(each)) {
    await syncDirectory(dirname(each));
  }
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
