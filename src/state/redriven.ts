import { type FileHandle, open } from "node:fs/promises";
import { z } from "zod";
import { clock } from "../clock.ts";
import { openForAppend, readFlags } from "../files/append-file.ts";
import { ignoreMissing } from "../files/existing.ts";
import { readChunks } from "../files/read-chunks.ts";
import { replaceFile } from "../files/replace-file.ts";

/** Longest line that is read, in bytes; a mark has about 150. */
const maxLineBytes = 4096;

/** How many marks are written at a time when the file is replaced. */
const marksAtOnce = 1000;

const mark = z.object({
  sink: z.string(),
  id: z.string(),
  /** When the letter was written. */
  letter: z.iso.datetime(),
  time: z.iso.datetime(),
});

/** A dead letter, however often its event became one. */
export interface LetterName {
  /** Name of its sink. */
  readonly sink: string;
  readonly id: string;
  /** When it was written, RFC 3339: once for each of its lines. */
  readonly times: readonly string[];
}

/** One line of a dead-letter file. */
export interface WrittenLetter {
  /** Name of its sink. */
  readonly sink: string;
  readonly id: string;
  /** When it was written, RFC 3339. */
  readonly time: string;
}

/** The marks of letters that were not found so far. */
export class UnfoundMarks {
  readonly #keys: Set<string>;

  constructor(keys: Iterable<string>) {
    this.#keys = new Set(keys);
  }

  /** Number of these marks. */
  get count(): number {
    return this.#keys.size;
  }

  /** Call it for each letter that stands in a file. */
  found({ sink, id, time }: WrittenLetter): void {
    this.#keys.delete(keyOf(sink, id, time));
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }
}

/**
 * Which dead letters were published since. One mark for each, flushed once the sink has acknowledged its events, so that
 * no later redrive publishes it again. A mark is needed as long as its letter stands in a file. Holds a key of about 100
 * characters in memory for each.
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
    let last = "";
    const file = await open(path, readFlags).catch(ignoreMissing);
    try {
      for await (const line of shortLines(file)) {
        const found = parse(line);
        if (found === undefined) continue;
        // Letters that were marked together share one string.
        if (found.time !== last) last = found.time;
        times.set(keyOf(found.sink, found.id, found.letter), last);
      }
    } finally {
      await file?.close();
    }
    return new RedrivenMarks(path, times);
  }

  /**
   * When a letter was redriven, RFC 3339; `undefined` if it was not. A letter that was written at another time is another
   * one: the same event became a dead letter once more. Times are not compared, since a clock may have been wrong.
   */
  timeOf({ sink, id, time }: WrittenLetter): string | undefined {
    return this.#times.get(keyOf(sink, id, time));
  }

  /** Marks letters, durably, after the calls made before. Rejects with the error of the file system. */
  add(letters: readonly LetterName[]): Promise<void> {
    const result = this.#tail.then(() => this.#add(letters));
    this.#tail = result.catch(() => undefined);
    return result;
  }

  /** All marks, to be compared with the letters that stand in the files. */
  unfound(): UnfoundMarks {
    return new UnfoundMarks(this.#times.keys());
  }

  /**
   * Drops the marks of letters that are in no file any more, after the calls made before. Rejects with the error of the
   * file system; all marks are then still there.
   */
  drop(unfound: UnfoundMarks): Promise<void> {
    const result = this.#tail.then(() => this.#drop(unfound));
    this.#tail = result.catch(() => undefined);
    return result;
  }

  /** Closes the file after the calls made so far. */
  async close(): Promise<void> {
    await this.#tail;
    await this.#closeFile();
  }

  async #closeFile(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async #drop(unfound: UnfoundMarks): Promise<void> {
    if (unfound.count === 0) return;
    await this.#closeFile();
    const kept = new Map([...this.#times].filter(([key]) => !unfound.has(key)));
    await replaceFile(this.#path, "private", linesOf(kept));
    for (const key of this.#times.keys()) if (unfound.has(key)) this.#times.delete(key);
  }

  async #add(letters: readonly LetterName[]): Promise<void> {
    if (letters.length === 0) return;
    const time = new Date(clock.time()).toISOString();
    const marks = letters.flatMap(({ sink, id, times }) =>
      times.map((letter) => ({ sink, id, letter, time })),
    );
    this.#file ??= await openForAppend(this.#path, "private");
    await this.#file.appendFile(marks.map(lineOf).join(""));
    await this.#file.datasync();
    for (const { sink, id, letter } of marks) this.#times.set(keyOf(sink, id, letter), time);
  }
}

/** Neither the name of a sink nor a time has a space in it. */
function keyOf(sink: string, id: string, letter: string): string {
  return `${sink} ${id} ${letter}`;
}

function lineOf(each: z.infer<typeof mark>): string {
  return `${JSON.stringify(each)}\n`;
}

/** The lines of marks, many at a time. */
function* linesOf(times: ReadonlyMap<string, string>): Generator<string> {
  let lines: string[] = [];
  for (const [key, time] of times) {
    lines.push(lineOf({ ...letterOf(key), time }));
    if (lines.length < marksAtOnce) continue;
    yield lines.join("");
    lines = [];
  }
  yield lines.join("");
}

/** The opposite of `keyOf`; an id may have spaces. */
function letterOf(key: string): Omit<z.infer<typeof mark>, "time"> {
  const [start, end] = [key.indexOf(" "), key.lastIndexOf(" ")];
  return { sink: key.slice(0, start), id: key.slice(start + 1, end), letter: key.slice(end + 1) };
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
