import { open, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { clock } from "../clock.ts";
import { statIfExists } from "./existing.ts";

/**
 * Checks that files can be created in a directory or, if it does not exist yet, in its nearest existing
 * parent. Deletes the file it creates. Rejects with the error of the file system.
 */
export async function checkWritable(directory: string): Promise<void> {
  try {
    await makeAndDelete(join(directory, `.certwire-${clock.uuid()}`));
  } catch (error) {
    const parent = dirname(directory);
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || parent === directory) throw error;
    // A link whose target is missing exists, but no directory can be made in its place.
    if ((await statIfExists(directory))?.isSymbolicLink() === true) throw error;
    await checkWritable(parent);
  }
}

async function makeAndDelete(path: string): Promise<void> {
  await (await open(path, "wx")).close();
  await unlink(path);
}
