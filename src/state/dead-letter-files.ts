import { type FileHandle, open, readdir, rename, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { clock } from "../clock.ts";
import { isInPlace, readFlags, syncDirectory } from "../files/append-file.ts";
import { ignoreMissing, statIfExists } from "../files/existing.ts";

/** A dead-letter file as it was when it was opened; the service may go on to append to it, or rename it. */
export interface OpenDeadLetters {
  /** Its path when it was opened. */
  readonly path: string;
  readonly handle: FileHandle;
  /** Its size when it was opened, in bytes; what is appended later is not read. */
  readonly size: number;
}

/**
 * Opens the dead-letter files of a directory, those of each sink from the oldest one; none if there is no such
 * directory. Links and whatever else is not a plain file are left out. Rejects with the error of the file system.
 */
export async function openDeadLetters(directory: string): Promise<OpenDeadLetters[]> {
  const opened: OpenDeadLetters[] = [];
  try {
    for (const name of (await namesIn(directory)).filter(isLetterFile)) {
      const file = await openPlain(join(directory, name));
      if (file !== undefined) opened.push(file);
    }
  } catch (error) {
    await Promise.all(opened.map(({ handle }) => handle.close()));
    throw error;
  }
  return opened.toSorted((one, other) => compareAge(one.path, other.path));
}

async function openPlain(path: string): Promise<OpenDeadLetters | undefined> {
  if (!(await statIfExists(path))?.isFile()) return undefined;
  const handle = await open(path, readFlags).catch(ignoreMissing);
  if (handle === undefined) return undefined; // renamed or deleted meanwhile
  const { size } = await handle.stat();
  return { path, handle, size };
}

/**
 * True if these are all dead-letter files of a directory; false also if one has another name by now. What the service has
 * written since is not looked for.
 */
export async function areAll(
  opened: readonly OpenDeadLetters[],
  directory: string,
): Promise<boolean> {
  const handles = new Map(opened.map(({ path, handle }) => [path, handle]));
  for (const name of (await namesIn(directory)).filter(isLetterFile)) {
    const path = join(directory, name);
    const handle = handles.get(path);
    if (handle !== undefined && (await isInPlace(path, handle))) continue;
    if ((await statIfExists(path))?.isFile()) return false;
  }
  return true;
}

function isLetterFile(name: string): boolean {
  return name.endsWith(".ndjson");
}

/** By sink; the current file after those that are full. */
function compareAge(one: string, other: string): number {
  const [a, b] = [ageOf(one), ageOf(other)];
  if (a.stem !== b.stem) return a.stem < b.stem ? -1 : 1;
  return a.number - b.number || Number(isFull(other)) - Number(isFull(one));
}

function ageOf(path: string): Age {
  const [stem = "", part = ""] = basename(path).split(".");
  return { stem, number: /^\d{1,9}$/.test(part) ? Number(part) : Number.MAX_SAFE_INTEGER };
}

interface Age {
  readonly stem: string;
  readonly number: number;
}

/**
 * Deletes a dead-letter file whose letters nobody needs any more; false if it has grown since it was opened. The current
 * file gets a name of its own first: what the service had appended until then is seen, and what it is appending it
 * writes again, to a new file. A file that turns out to have grown keeps that name, and counts as a full one.
 */
export async function deleteDeadLetters({ path, handle, size }: OpenDeadLetters): Promise<boolean> {
  if (!(await isInPlace(path, handle))) return false;
  // Never the name that the service may be giving a file at this moment.
  const aside = isFull(path) ? path : path.replace(/\.ndjson$/, `.${clock.uuid()}.ndjson`);
  if (aside !== path) await rename(path, aside);
  if (!(await isInPlace(aside, handle)) || (await handle.stat()).size !== size) return false;
  await unlink(aside);
  await syncDirectory(dirname(path));
  return true;
}

/** True for a file that is not appended to: one with a number, or one that was to be deleted and had grown. */
function isFull(path: string): boolean {
  return /\.(\d{1,9}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})\.ndjson$/.test(path);
}

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
  const stem = `${basename(current, ".ndjson")}.`;
  const names = await namesIn(dirname(current));
  return names.filter((name) => name.startsWith(stem) && isFull(name));
}

/** The names in a directory; none if it does not exist. */
async function namesIn(directory: string): Promise<string[]> {
  return (await readdir(directory).catch(ignoreMissing)) ?? [];
}

/** The number in the name of a full file; 0 for any other name. */
function numberOf(current: string, name: string): number {
  const stem = `${basename(current, ".ndjson")}.`;
  const rest = name.startsWith(stem) ? name.slice(stem.length) : "";
  return Number(/^(\d{1,9})\.ndjson$/.exec(rest)?.[1] ?? 0);
}

async function sizeOf(path: string): Promise<number> {
  // It may have been deleted meanwhile, after it was redriven.
  return (await statIfExists(path))?.size ?? 0;
}
