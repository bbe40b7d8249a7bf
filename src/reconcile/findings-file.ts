import { constants } from "node:fs";
import { type FileHandle, mkdir, open, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { CertwireError } from "../errors/certwire-error.ts";
import { directoryModes, fileModes, noFollow } from "../files/append-file.ts";
import { splitLines } from "../files/lines.ts";
import { readChunks } from "../files/read-chunks.ts";
import { writeWhole } from "../files/write-whole.ts";
import type { Finding } from "./reconcile.ts";
import type { RunningState } from "./run-file.ts";

/** How many findings are kept in memory. */
const mostListed = 1000;
const maxLineBytes = 4096;

/** What a run has found: all on disk, one JSON object per line, and the first ones in memory. */
export class FindingsFile {
  readonly #file: FileHandle;
  readonly path: string;
  readonly #first: Finding[];
  #lines: string[] = [];
  #count: number;
  #bytes: number;

  private constructor(
    path: string,
    file: FileHandle,
    first: Finding[],
    { findings, findingsBytes }: RunningState,
  ) {
    this.path = path;
    this.#file = file;
    this.#first = first;
    this.#count = findings;
    this.#bytes = findingsBytes;
  }

  /** Opens the file, and drops what was written after the state of the run. Rejects with CERTWIRE_CHECKPOINT_FAILED. */
  static async open(path: string, running: RunningState): Promise<FindingsFile> {
    try {
      await mkdir(dirname(path), { recursive: true, mode: directoryModes.private });
      const flags = constants.O_RDWR | constants.O_CREAT | noFollow;
      const file = await open(path, flags, fileModes.private);
      try {
        return new FindingsFile(path, file, await resume(file, running.findingsBytes), running);
      } catch (cause) {
        await file.close();
        throw cause;
      }
    } catch (cause) {
      const hint = "If the file is damaged, delete it: the next run compares every row.";
      throw new CertwireError("CERTWIRE_CHECKPOINT_FAILED", `cannot open ${path}`, { cause, hint });
    }
  }

  /** The first findings of the run. */
  get first(): readonly Finding[] {
    return this.#first;
  }

  get count(): number {
    return this.#count;
  }

  /** Adds a finding; `write` makes it durable. */
  add(finding: Finding): void {
    this.#count += 1;
    this.#lines.push(`${JSON.stringify(finding)}\n`);
    if (this.#first.length < mostListed) this.#first.push(finding);
  }

  /** Writes what was added, and puts the place into the state of the run. Rejects with CERTWIRE_CHECKPOINT_FAILED. */
  async write(running: RunningState): Promise<void> {
    const text = Buffer.from(this.#lines.join(""));
    try {
      await writeWhole(this.#file, text, this.#bytes);
      await this.#file.datasync();
    } catch (cause) {
      throw new CertwireError("CERTWIRE_CHECKPOINT_FAILED", `cannot write ${this.path}`, {
        cause,
      });
    }
    this.#lines = [];
    this.#bytes += text.length;
    running.findings = this.#count;
    running.findingsBytes = this.#bytes;
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

/** False if somebody has deleted what an interrupted run had found, `bytes` in all: then it cannot go on. */
export async function hasFindings(path: string, bytes: number): Promise<boolean> {
  // Opening the file reports whatever else is wrong with it.
  const found = await stat(path).catch(() => undefined);
  return (found?.size ?? 0) >= bytes;
}

/** The first findings of an interrupted run, whose file had so many bytes. */
async function resume(file: FileHandle, bytes: number): Promise<Finding[]> {
  await file.truncate(bytes);
  return firstOf(file, bytes);
}

async function firstOf(file: FileHandle, bytes: number): Promise<Finding[]> {
  const found: Finding[] = [];
  if (bytes === 0) return found;
  for await (const line of splitLines(readChunks(file, bytes), maxLineBytes)) {
    if (found.length >= mostListed) break;
    if (line.length > 0) found.push(JSON.parse(line.toString("utf8")) as Finding);
  }
  return found;
}

/** All findings of a run that has ended. Rejects with the error of the file system, or for a damaged file. */
export async function* readFindings(path: string): AsyncGenerator<Finding> {
  const file = await open(path, constants.O_RDONLY | noFollow);
  try {
    const { size } = await file.stat();
    for await (const line of splitLines(readChunks(file, size), maxLineBytes)) {
      yield JSON.parse(line.toString("utf8")) as Finding;
    }
  } finally {
    await file.close();
  }
}
