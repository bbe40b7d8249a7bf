import type { FileHandle } from "node:fs/promises";
import { clock } from "../clock.ts";
import { CertwireError } from "../errors/certwire-error.ts";
import { CaMemory, type CaMemoryEntry } from "../events/ca-memory.ts";
import { openForAppend } from "../files/append-file.ts";
import { readLimitedText } from "../files/limited-text.ts";
import { mebibyte } from "../units.ts";

/** A line has 230 bytes, and an epoch begins when the CA starts: enough for 290,000 starts. */
const maxBytes = 64 * mebibyte;

/**
 * Reads what a service has stored about the CA of each frame, without ever writing; empty if `path` is `undefined` or
 * does not exist. Rejects with CERTWIRE_CHECKPOINT_FAILED.
 */
export async function readCaMemory(path: string | undefined): Promise<CaMemory> {
  return new CaMemory(path === undefined ? [] : entriesOf(await readText(path)));
}

/** Reads a file, and appends to it whatever the memory keeps. Rejects with CERTWIRE_CHECKPOINT_FAILED. */
export async function openCaMemory(file: CaIdFile): Promise<CaMemory> {
  return new CaMemory(entriesOf(await file.read()), (entry) => file.append(lineOf(entry)));
}

function lineOf({ sequence, ...entry }: CaMemoryEntry): string {
  return `${JSON.stringify({ ...entry, sequence: String(sequence) })}\n`;
}

function entriesOf(text: string): CaMemoryEntry[] {
  return text
    .split("\n")
    .map(parseEntry)
    .filter((entry) => entry !== undefined);
}

/** The file of a service's CA ids. Lines are appended and flushed in the background. */
export class CaIdFile {
  readonly #path: string;
  readonly #failed: (error: unknown) => void;
  readonly #retryMs: number;
  #unwritten = "";
  #writing: Promise<void> | undefined;
  #failedAt = 0;

  /**
   * `failed` is called with the error of a write, whose lines are written again with the next ones, or with the next
   * record after `retryMs` (default 1000).
   */
  constructor(path: string, failed: (error: unknown) => void, retryMs = 1000) {
    this.#path = path;
    this.#failed = failed;
    this.#retryMs = retryMs;
  }

  /** Reads the file, and creates it if needed. Rejects with CERTWIRE_CHECKPOINT_FAILED. */
  async read(): Promise<string> {
    try {
      await (await this.#open()).close();
    } catch (cause) {
      const message = `cannot open ${this.#path}`;
      throw new CertwireError("CERTWIRE_CHECKPOINT_FAILED", message, { cause });
    }
    return readText(this.#path);
  }

  /** Starts writing a line, which must end with a line break. Never throws; see `failed` and `pending`. */
  append(line: string): void {
    this.#unwritten += line;
    this.#writing ??= this.#writeAll();
  }

  /**
   * The write in progress, or `undefined`. An event may be published only after it, so that a restart gives
   * the event the same `source`. Never rejects: an id that cannot be written holds up no event.
   */
  get pending(): Promise<void> | undefined {
    const isDue = this.#unwritten !== "" && clock.now() - this.#failedAt >= this.#retryMs;
    if (isDue) this.#writing ??= this.#writeAll();
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    try {
      while (this.#unwritten !== "") {
        const text = this.#unwritten;
        await this.#write(text);
        this.#unwritten = this.#unwritten.slice(text.length);
      }
    } catch (error) {
      this.#failedAt = clock.now();
      this.#failed(error);
    }
    // Together with the last look at what is unwritten: a line that comes later starts a new write.
    this.#writing = undefined;
  }

  /** The state directory itself may be a link: it was chosen by whoever wrote the configuration. */
  #open(): Promise<FileHandle> {
    return openForAppend(this.#path, "private");
  }

  async #write(text: string): Promise<void> {
    const file = await this.#open();
    try {
      await file.appendFile(text);
      await file.datasync();
    } finally {
      await file.close();
    }
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readLimitedText(path, maxBytes);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw new CertwireError("CERTWIRE_CHECKPOINT_FAILED", `cannot read ${path}`, { cause });
  }
}

/** `undefined` for a line that a crash cut off. */
function parseEntry(line: string): CaMemoryEntry | undefined {
  try {
    const { epochNumber, epochId, sequence, id, certificate } = JSON.parse(line) as Record<
      string,
      unknown
    >;
    if (typeof epochNumber !== "number" || !isShortText(epochId)) return undefined;
    if (!isShortText(sequence) || !isShortText(id)) return undefined;
    const place = { epochNumber, epochId, sequence: BigInt(sequence), id };
    return isShortText(certificate) ? { ...place, certificate } : place;
  } catch {
    return undefined;
  }
}

/** No member of an entry has more than 64 characters; a number of millions would take minutes to read. */
function isShortText(value: unknown): value is string {
  return typeof value === "string" && value.length <= 128;
}
