import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { noFollow, refuseLinkedDirectory, refuseLinks } from "../files/append-file.ts";
import { exists } from "../files/existing.ts";
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
    ...sinks.flatMap((sink) => [
      layout.checkpoint(sink),
      layout.deadLetters(sink),
      layout.routedKinds(sink),
    ]),
  ];
  const directories = new Set([directory, quarantine, ...files.map((file) => dirname(file))]);
  for (const each of directories) {
    await checkWritable(each);
    if (await exists(each)) await refuseLinkedDirectory(each, directory);
  }
  for (const file of files) await checkFile(file, directory);
}

/** A file that does not exist yet is fine; one that exists is opened as the service opens it. */
async function checkFile(path: string, root: string): Promise<void> {
  if (!(await exists(path))) return;
  const file = await open(path, constants.O_RDWR | noFollow);
  try {
    await refuseLinks(path, file, "private", root);
  } finally {
    await file.close();
  }
}
