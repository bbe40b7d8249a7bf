import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { z } from "zod";
import { noFollow, openForAppend } from "../files/append-file.ts";
import { ignoreMissing } from "../files/existing.ts";
import { readChunks } from "../files/read-chunks.ts";

/** Longest line that is read, in bytes; a mark has about 150. */
const maxLineBytes = 4096;

const mark = z.object({ sink: z.string(), id: z.string(), time: z.iso.datetime() });

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
  #tail: Promise<unknown> = Promise.resolve();

  private constructor(path: string, times: Map<string, string>) {
    this.#path = path;
    this.#times = times;
  }

  /**
   * Reads the marks; none if the file does not exist. What is not a mark, such as a line that a crash cut off, is passed
   * over: its letter counts as not redriven. Rejects with the error of the file system.
   */
  static async read(path: string): Promise<RedrivenMarks> {
    const times = new Map<string, string>();
    const file = await open(path, constants.O_RDONLY | noFollow).catch(ignoreMissing);
    try {
      for await (const line of shortLines(file)) {
        const found = parse(line);
        if (found !== undefined) times.set(keyOf(found), found.time);
      }
    } finally {
      await file?.close();
    }
    return new RedrivenMarks(path, times);
  }

  /**
   * When a letter was redriven, RFC 3339; `undefined` if it was not. A mark that is older than the letter is of an
   * earlier one: the same event became a dead letter once more.
   */
  timeOf(letter: LetterName & { readonly time: string }): string | undefined {
    const time = this.#times.get(keyOf(letter));
    return time !== undefined && Date.parse(time) >= Date.parse(letter.time) ? time : undefined;
  }

  /** Marks letters, durably, after the calls made before. Rejects with the error of the file system. */
  add(letters: readonly LetterName[]): Promise<void> {
    const result = this.#tail.then(() => this.#add(letters));
    this.#tail = result.catch(() => undefined);
    return result;
  }

  /** Closes the file after the calls made so far. */
  async close(): Promise<void> {
    await this.#tail;
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async #add(letters: readonly LetterName[]): Promise<void> {
    if (letters.length === 0) return;
    const time = new Date().toISOString();
    const lines = letters.map(({ sink, id }) => `${JSON.stringify({ sink, id, time })}\n`);
    this.#file ??= await openForAppend(this.#path, "private");
    await this.#file.appendFile(lines.join(""));
    await this.#file.datasync();
    for (const letter of letters) this.#times.set(keyOf(letter), time);
  }
}

/** No sink has a space in its name. */
function keyOf({ sink, id }: LetterName): string {
  return `${sink} ${id}`;
}

/** The lines of a file, without those that are too long to be a mark. */
async function* shortLines(file: FileHandle | undefined): AsyncGenerator<string> {
  if (file === undefined) return;
  let rest = "";
  for await (const chunk of readChunks(file, (await file.stat()).size)) {
    const lines = (rest + chunk.toString("latin1")).split("\n");
    // Too long already: what is cut off is not a mark either.
    rest = (lines.pop() ?? "").slice(0, maxLineBytes);
    yield* lines.filter(({ length }) => length < maxLineBytes);
  }
  yield rest;
}

function parse(line: string): z.infer<typeof mark> | undefined {
  try {
    return mark.safeParse(JSON.parse(Buffer.from(line, "latin1").toString("utf8"))).data;
  } catch {
    return undefined;
  }
}
