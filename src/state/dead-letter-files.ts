import { readdir, rename } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { syncDirectory } from "../files/append-file.ts";
import { statIfExists } from "../files/existing.ts";

/** Bytes of all dead-letter files of a sink, the current one and those that are full. */
export async function totalBytes(current: string): Promise<number> {
  const names = [basename(current), ...(await fullNames(current))];
  const sizes = await Promise.all(names.map((name) => sizeOf(join(dirname(current), name))));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Gives the current file a name of its own, `<sink>.<number>.ndjson`; the next letter begins a new file. */
export async function setAside(current: string): Promise<void> {
  const numbers = (await fullNames(current)).map((name) => numberOf(current, name));
  const next = Math.max(0, ...numbers) + 1;
  await rename(current, current.replace(/\.ndjson$/, `.${next}.ndjson`));
  await syncDirectory(dirname(current));
}

async function fullNames(current: string): Promise<string[]> {
  const names = await readdir(dirname(current)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  return names.filter((name) => numberOf(current, name) > 0);
}

/** The number in the name of a full file; 0 for any other name. */
function numberOf(current: string, name: string): number {
  const stem = `${basename(current, ".ndjson")}.`;
  const rest = name.startsWith(stem) ? name.slice(stem.length) : "";
  return Number(/^(\d{1,9})\.ndjson$/.exec(rest)?.[1] ?? 0);
}

async function sizeOf(path: string): Promise<number> {
  // It may have been deleted meanwhile, after it was replayed.
  return (await statIfExists(path))?.size ?? 0;
}
