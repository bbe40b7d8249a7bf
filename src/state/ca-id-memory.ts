import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { CertwireError } from "../errors/certwire-error.ts";
import type { CaIds, FramePlace } from "../events/ca-identity.ts";
import { noFollow, openForAppend } from "../files/append-file.ts";
import { mebibyte } from "../units.ts";

/** A line has 130 bytes, and an epoch begins when the CA starts: enough for 500,000 starts. */
const maxBytes = 64 * mebibyte;

interface Entry {
  /** Sequence of the first frame of the epoch that has the id. */
  readonly sequence: bigint;
  readonly id: string;
}

/**
 * Remembers which CA id each frame was given, by epoch and first frame. A frame keeps its id wherever
 * reading begins, because the id is part of an event's `source`.
 */
export class CaIdMemory implements CaIds {
  readonly #epochs = new Map<string, Entry[]>();
  readonly #append: (line: string) => void;

  private constructor(text: string, append: (line: string) => void) {
    this.#append = append;
    for (const line of text.split("\n")) {
      const entry = parseEntry(line);
      if (entry !== undefined) this.#insert(entry.epochId, entry);
    }
  }

  /**
   * Reads what a service has stored, without ever writing; empty if `path` is `undefined` or does not exist.
   * Rejects with CERTWIRE_CHECKPOINT_FAILED.
   */
  static async read(path: string | undefined): Promise<CaIdMemory> {
    const text = path === undefined ? "" : await readText(path);
    return new CaIdMemory(text, () => undefined);
  }

  /** Reads a file, and appends to it whatever `keep` adds. Rejects with CERTWIRE_CHECKPOINT_FAILED. */
  static async open(file: CaIdFile): Promise<CaIdMemory> {
    return new CaIdMemory(await file.read(), (line) => file.append(line));
  }

  idAt({ epochId, sequence }: FramePlace): string | undefined {
    return this.#epochs.get(epochId)?.findLast((entry) => entry.sequence <= sequence)?.id;
  }

  keep({ epochId, sequence }: FramePlace, id: string): void {
    this.#insert(epochId, { sequence, id });
    this.#append(`${JSON.stringify({ epochId, sequence: String(sequence), id })}\n`);
  }

  #insert(epochId: string, { sequence, id }: Entry): void {
    const entries = this.#epochs.get(epochId) ?? [];
    const isLast = (entries.at(-1)?.sequence ?? 0n) <= sequence;
    entries.push({ sequence, id });
    if (!isLast) entries.sort((a, b) => Number(a.sequence - b.sequence));
    this.#epochs.set(epochId, entries);
  }
}

/** The file of a service's CA ids. Lines are appended and flushed in the background. */
export class CaIdFile {
  readonly #path: string;
  readonly #failed: (error: unknown) => void;
  #unwritten = "";
  #writing: Promise<void> | undefined;

  /** `failed` is called with the error of a write, whose lines are written again with the next ones. */
  constructor(path: string, failed: (error: unknown) => void) {
    this.#path = path;
    this.#failed = failed;
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
    return await readLimited(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw new CertwireError("CERTWIRE_CHECKPOINT_FAILED", `cannot read ${path}`, { cause });
  }
}

async function readLimited(path: string): Promise<string> {
  const file = await open(path, constants.O_RDONLY | noFollow);
  try {
    const { size } = await file.stat();
    if (size > maxBytes) throw new RangeError(`larger than ${maxBytes} bytes`);
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}

/** An entry with its epoch; `undefined` for a line that a crash cut off. */
function parseEntry(line: string): (Entry & { readonly epochId: string }) | undefined {
  try {
    const { epochId, sequence, id } = JSON.parse(line) as Record<string, unknown>;
    if (!isShortText(epochId) || !isShortText(sequence) || !isShortText(id)) return undefined;
    return { epochId, sequence: BigInt(sequence), id };
  } catch {
    return undefined;
  }
}

/** No member of an entry has more than 64 characters; a number of millions would take minutes to read. */
function isShortText(value: unknown): value is string {
  return typeof value === "string" && value.length <= 128;
}
