import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const directories = new Set<string>();

process.once("exit", () => {
  for (const directory of directories) removeTempDirectory(directory);
});

/** Makes a private directory that is removed when the process ends, at the latest. */
export function makeTempDirectory(purpose: string): string {
  const directory = mkdtempSync(join(tmpdir(), `certwire-${purpose}-`));
  directories.add(directory);
  return directory;
}

/** Removes a directory of `makeTempDirectory`. */
export function removeTempDirectory(directory: string): void {
  directories.delete(directory);
  // A process that was just killed may still be closing files in there.
  rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}
