import type { Stats } from "node:fs";
import { lstat } from "node:fs/promises";

/**
 * What is at a path, a link itself and not what it leads to; `undefined` if nothing is. Rejects when that cannot be
 * known, for want of a right for instance.
 */
export async function statIfExists(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return undefined;
  }
}

/** True for a link too, wherever it leads. Rejects like `statIfExists`. */
export async function exists(path: string): Promise<boolean> {
  return (await statIfExists(path)) !== undefined;
}
