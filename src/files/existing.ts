import type { Stats } from "node:fs";
import { lstat } from "node:fs/promises";

/**
 * What is at a path, a link itself and not what it leads to; `undefined` if nothing is. Rejects when that cannot be
 * known, for want of a right for instance.
 */
export async function statIfExists(path: string): Promise<Stats | undefined> {
  return lstat(path).catch(ignoreMissing);
}

/** For the `catch` of a promise: `undefined` if nothing is at the path; throws every other error. */
export function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}

/** True for a link too, wherever it leads. Rejects like `statIfExists`. */
export async function exists(path: string): Promise<boolean> {
  return (await statIfExists(path)) !== undefined;
}
