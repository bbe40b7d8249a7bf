import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { patienceMs } from "../../support/until.ts";

const directories = new Set<string>();

process.once("exit", () => {
  for (const directory of directories) removeTempDirectory(directory);
});

/**
 * Makes a private directory that is removed when the process ends. Where a process was killed before
 * it could do that, the next one that makes a directory removes its directories too.
 */
export function makeTempDirectory(purpose: string): string {
  if (directories.size === 0) removeOrphans();
  const directory = mkdtempSync(join(tmpdir(), `certwire-test-${process.pid}-${purpose}-`));
  directories.add(directory);
  return directory;
}

/** Removes a directory of `makeTempDirectory`. */
export function removeTempDirectory(directory: string): void {
  directories.delete(directory);
  const deadline = performance.now() + patienceMs;
  while (!isRemoved(directory, performance.now() < deadline)) {
    // Also as the process ends, when nothing can be awaited any more.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
  }
}

/** False where a child of a process that was just killed wrote a file there meanwhile, which `maxRetries` would not remove. */
function isRemoved(directory: string, mayBeFalse: boolean): boolean {
  try {
    rmSync(directory, { recursive: true, force: true });
    return true;
  } catch (error) {
    if (mayBeFalse && (error as NodeJS.ErrnoException).code === "ENOTEMPTY") return false;
    throw error;
  }
}

function removeOrphans(): void {
  for (const name of readdirSync(tmpdir())) {
    const owner = /^certwire-test-(\d+)-/.exec(name)?.[1];
    if (owner !== undefined && !isRunning(Number(owner))) removeTempDirectory(join(tmpdir(), name));
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
