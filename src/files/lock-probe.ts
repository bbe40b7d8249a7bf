import { open, readFile, readlink, stat } from "node:fs/promises";
import { ignoreMissing } from "./existing.ts";

/** The first namespace of process ids of a kernel; only there `/proc/locks` has every lock. */
const firstNamespace = "pid:[4026531836]";

/**
 * True if a process holds the lock of a file, without taking it: whoever wants it at this moment gets it. `undefined` if
 * that cannot be known, in a container for instance, whose kernel shows no locks of others. Rejects with the error of the
 * file system; a file that does not exist is not locked.
 */
export function isLocked(path: string): Promise<boolean | undefined> {
  return process.platform === "win32" ? isFirstByteLocked(path) : isListed(path);
}

/** On Windows nobody else can read a byte that is locked. */
async function isFirstByteLocked(path: string): Promise<boolean> {
  const file = await open(path, "r").catch(ignoreMissing);
  if (file === undefined) return false;
  try {
    await file.read(Buffer.alloc(1), 0, 1, 0);
    return false;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EBUSY") throw error;
    return true;
  } finally {
    await file.close();
  }
}

/** By its inode alone: some file systems report another device there than to `stat`. */
async function isListed(path: string): Promise<boolean | undefined> {
  const found = await stat(path).catch(ignoreMissing);
  if (found === undefined) return false;
  const locks = await readFile("/proc/locks", "utf8").catch(() => undefined);
  if (locks === undefined) return undefined;
  const own = new RegExp(`^\\d+: FLOCK .* WRITE .*:${found.ino} 0 EOF$`, "m");
  if (own.test(locks)) return true;
  const namespace = await readlink("/proc/self/ns/pid").catch(() => undefined);
  return namespace === firstNamespace ? false : undefined;
}
