import type { Dirent } from "node:fs";
import { lstat, open, readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import { optionOf } from "../ca/service-setup.ts";
import { readFlags, refuseLinkedDirectory, refuseLinks } from "../files/append-file.ts";
import { mebibyte } from "../units.ts";

/** One entry of a directory. */
export interface StateFile {
  /** Below the state directory, with slashes. */
  readonly path: string;
  readonly kind: "file" | "directory" | "link" | "other";
  readonly bytes: number;
  /** RFC 3339. */
  readonly modified: string;
}

const mostFiles = 5000;

/** What lies below a state directory; follows no link, and leaves out what cannot be read. */
export async function listState(directory: string | undefined): Promise<StateFile[]> {
  if (directory === undefined) return [];
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(
    () => [],
  );
  const files: StateFile[] = [];
  for (const entry of entries.slice(0, mostFiles)) {
    const path = join(entry.parentPath, entry.name);
    const found = await lstat(path).catch(() => undefined);
    if (found === undefined) continue;
    files.push({
      path: relative(directory, path).replaceAll("\\", "/"),
      kind: kindOf(entry),
      bytes: found.size,
      modified: found.mtime.toISOString(),
    });
  }
  return files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function kindOf(entry: Dirent): StateFile["kind"] {
  if (entry.isSymbolicLink()) return "link";
  if (entry.isDirectory()) return "directory";
  return entry.isFile() ? "file" : "other";
}

/** The end of a log file. */
export interface LogTail {
  readonly name: string;
  readonly lines: readonly string[];
}

const mostLogs = 5;
const mostLogBytes = mebibyte;

/**
 * The ends of the newest logs of the Windows service, in the state directory or where its command line has them. Elsewhere
 * whoever runs the service keeps its log. Links are not followed: the account of the service may put one there, and
 * whoever runs this may read more than it.
 */
export async function logsOf(
  stateDirectory: string | undefined,
  serviceCommandLine = "",
): Promise<LogTail[]> {
  const own = optionOf(serviceCommandLine, "--log-directory");
  const directory = own ?? (stateDirectory && join(stateDirectory, "log"));
  if (directory === undefined) return [];
  const root = own ?? stateDirectory ?? directory;
  const names = (await listUnlinked(directory, root))
    .filter((name) => /^service-\d+\.log$/.test(name))
    .toSorted()
    .slice(-mostLogs);
  const tails = await Promise.all(
    names.map(async (name) => ({ name, lines: await tailOf(join(directory, name), root) })),
  );
  return tails.filter(({ lines }) => lines.length > 0);
}

async function listUnlinked(directory: string, root: string): Promise<string[]> {
  try {
    await refuseLinkedDirectory(directory, root);
    return await readdir(directory);
  } catch {
    return [];
  }
}

async function tailOf(path: string, root: string): Promise<string[]> {
  try {
    const file = await open(path, readFlags);
    try {
      await refuseLinks(path, file, "private", root);
      const { size } = await file.stat();
      const start = Math.max(0, size - mostLogBytes);
      const part = Buffer.alloc(size - start);
      const { bytesRead } = await file.read(part, 0, part.length, start);
      const lines = part.toString("utf8", 0, bytesRead).split(/\r?\n/);
      // The first one is cut, and a part of a name would not be recognized.
      return (start > 0 ? lines.slice(1) : lines).filter(Boolean);
    } finally {
      await file.close();
    }
  } catch {
    return [];
  }
}
