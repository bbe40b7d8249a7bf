import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { z } from "zod";
import { noFollow, openForAppend } from "../files/append-file.ts";
import { splitLines } from "../files/lines.ts";

/** Longest line that is read, in bytes; a mark has about 150. */
const maxLineBytes = 4096;

const mark = z.object({ sink: z.string(), id: z.string(), time: z.string() });

/** A dead letter: the name of its sink, and its id. */
export interface LetterName {
  readonly sink: string;
  readonly id: string;
}

/**
 * Which dead letters were published since. One line for each, flushed once the sink has acknowledged its events, so that
 * no later redrive publishes it again. Holds one time in memory for each letter that was ever redriven.
 */
export class RedrivenMarks {
  readonly #path: string;
  readonly #times: Map<string, string>;
  #file: FileHandle | undefined;

  private constructor(path: string, times: Map<string, string>) {
    this.#path = path;
    this.#times = times;
  }

  /** Reads the marks; none if the file does not exist. Rejects with the error of the file system. */
  static async read(path: string): Promise<RedrivenMarks> {
    const times = new Map<string, string>();
    const file = await open(path, constants.O_RDONLY | noFollow).catch(ignoreMissing);
    if (file === undefined) return new RedrivenMarks(path, times);
    try {
      for await (const line of splitLines(
        file.createReadStream({ autoClose: false }),
        maxLineBytes,
      )) {
        const found = parse(line.toString("utf8"));
        if (found !== undefined) times.set(keyOf(found), found.time);
      }
    } finally {
      await file.close();
    }
    return new RedrivenMarks(path, times);
  }

  /** When a letter was redriven, RFC 3339; `undefined` if it was not. */
  timeOf(letter: LetterName): string | undefined {
    return this.#times.get(keyOf(letter));
  }

  /** Marks letters, durably. Rejects with the error of the file system; the letters are then not marked. */
  async add(letters: readonly LetterName[]): Promise<void> {
    if (letters.length === 0) return;
    const time = new Date().toISOString();
    const lines = letters.map(({ sink, id }) => `${JSON.stringify({ sink, id, time })}\n`);
    this.#file ??= await openForAppend(this.#path, "private");
    await this.#file.appendFile(lines.join(""));
    await this.#file.datasync();
    for (const letter of letters) this.#times.set(keyOf(letter), time);
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }
}

/** No sink has a space in its name. */
function keyOf({ sink, id }: LetterName): string {
  return `${sink} ${id}`;
}

/** `undefined` for a line that a crash cut off: its letter counts as not redriven. */
function parse(line: string): z.infer<typeof mark> | undefined {
  try {
    return mark.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
