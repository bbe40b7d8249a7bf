import { open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { checkWritable } from "../files/writable-directory.ts";
import type { StateLayout } from "./layout.ts";

/**
 * Checks that a service could write everything in its state directory that it writes for these sinks, and leaves
 * nothing there. Rejects with the error of the file system.
 */
export async function checkState(layout: StateLayout, sinks: readonly string[]): Promise<void> {
  const { directory, lockName, caIds, quarantine } = layout;
  const files = [
    join(directory, lockName),
    caIds,
    ...sinks.flatMap((sink) => [layout.checkpoint(sink), layout.deadLetters(sink)]),
  ];
  const directories = new Set([directory, quarantine, ...files.map((file) => dirname(file))]);
  for (const each of directories) await checkWritable(each);
  for (const file of files) await checkFile(file);
}

async function checkFile(path: string): Promise<void> {
  try {
    await (await open(path, "r+")).close();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
