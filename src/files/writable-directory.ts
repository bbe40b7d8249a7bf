import { randomUUID } from "node:crypto";
import { open, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";

/**
 * Tries whether files can be made in a directory; while it is not there, in the nearest one above it.
 * Leaves nothing behind. Rejects with the error of the file system.
 */
export async function checkWritable(directory: string): Promise<void> {
  try {
    await makeAndDelete(join(directory, `.certwire-${randomUUID()}`));
  } catch (error) {
    const parent = dirname(directory);
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || parent === directory) throw error;
    await checkWritable(parent);
  }
}

async function makeAndDelete(path: string): Promise<void> {
  await (await open(path, "wx")).close();
  await unlink(path);
}
