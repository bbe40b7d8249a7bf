import { type FoundLetter, type OtherLine, readDeadLetters } from "../sources/dead-letters.ts";
import { areAll, type OpenDeadLetters } from "../state/dead-letter-files.ts";
import type { UnfoundMarks } from "../state/redriven.ts";
import {
  countOther,
  isChosen,
  type LetterFilter,
  type Others,
  unknownLetter,
} from "./letter-filter.ts";
import { bytesBefore, type OpenedLetters } from "./open-letters.ts";
import { Progress } from "./progress.ts";

/** How many letters of a sink a redrive finds, and of which reasons. */
export interface SinkPlan {
  letters: number;
  readonly reasons: Map<string, number>;
}

/** What a redrive will do with a file. */
interface FilePlan {
  /** The sinks whose letters in it are to be sent. */
  readonly sinks: Set<string>;
  /** True if something in it stays, whatever is sent. */
  isKept: boolean;
  /** True if it has letters that are not chosen; such a letter may be marked with a chosen one of its event. */
  hasOthers: boolean;
}

/** What a redrive sends: each event once, however many letters it has, and what it may delete afterwards. */
export class RedrivePlan {
  readonly #opened: OpenedLetters;
  readonly #filter: LetterFilter;
  /** The sinks that have letters to be sent. */
  readonly sinks = new Map<string, SinkPlan>();
  readonly #files: ReadonlyMap<OpenDeadLetters, FilePlan>;
  /** The letters to be sent that were not taken yet. */
  readonly #names = new Set<string>();
  /** When the further letters of an event were written, the one that is sent apart. */
  readonly #again = new Map<string, string[]>();
  /** Lines that are not dead letters. */
  readonly others: Others = { count: 0 };
  /** How many chosen letters were redriven before. */
  redriven = 0;
  /** The marks of letters that are in none of the files. */
  readonly #unfound: UnfoundMarks;

  constructor(opened: OpenedLetters, filter: LetterFilter) {
    this.#opened = opened;
    this.#filter = filter;
    this.#unfound = opened.marks.unfound();
    this.#files = new Map(
      opened.files.map((file) => [
        file,
        { sinks: new Set<string>(), isKept: false, hasOthers: false },
      ]),
    );
  }

  /**
   * Reads all letters; ends early if the signal is aborted. Rejects with CERTWIRE_USAGE if no letter has an id of the
   * filter, or as `readDeadLetters` does.
   */
  async read(signal: AbortSignal): Promise<void> {
    const progress = new Progress();
    const { files, bytes } = this.#opened;
    const ids = new Set(this.#filter.id);
    for await (const found of readDeadLetters(files, signal)) {
      if ("place" in found) {
        this.#keep(found);
        continue;
      }
      progress.update(bytesBefore(this.#opened, found), bytes, "counting");
      this.#add(found);
      if (isChosen(found, this.#filter)) ids.delete(found.id);
    }
    progress.end();
    const [missing] = ids;
    if (missing !== undefined && !signal.aborted) throw unknownLetter(missing);
    if (this.#filter.reason !== undefined) await this.#addOtherReasons(signal);
  }

  /**
   * Drops the marks of letters that are in no file any more. None if a line is not a letter, or if a file was not read:
   * one that is renamed while it is looked for is not found. Rejects with the error of the file system. Call it after
   * `read`, while no other redrive runs.
   */
  async dropOldMarks(directory: string): Promise<void> {
    const { files, marks } = this.#opened;
    if (this.others.count > 0 || this.#unfound.count === 0) return;
    if (await areAll(files, directory)) await marks.drop(this.#unfound);
  }

  /** True for a letter to be sent, once for each event of a sink; never for one that was redriven before. */
  take(found: FoundLetter): boolean {
    if (!isChosen(found, this.#filter) || this.#isRedriven(found)) return false;
    return this.#names.delete(nameOf(found));
  }

  /** When all letters of an event were written. */
  timesOf(found: FoundLetter): string[] {
    return [found.letter.time, ...(this.#again.get(nameOf(found)) ?? [])];
  }

  /** The files with letters of a sink that are to be sent. */
  filesOf(sink: string): OpenDeadLetters[] {
    return this.#opened.files.filter((file) => this.#files.get(file)?.sinks.has(sink));
  }

  /**
   * The files of which every line is a letter of a chosen sink that was redriven. `done` are the sinks of which every
   * letter of the plan was. Reads the others once more.
   */
  async redrivenFiles(done: ReadonlySet<string>, signal: AbortSignal): Promise<OpenDeadLetters[]> {
    const files: OpenDeadLetters[] = [];
    for (const [file, { sinks, isKept, hasOthers }] of this.#files) {
      if (isKept) continue;
      const isDone = !hasOthers && [...sinks].every((sink) => done.has(sink));
      if (isDone || (await this.#isRedrivenWhole(file, signal))) files.push(file);
    }
    return files;
  }

  #keep(found: OtherLine): void {
    countOther(this.others, found);
    const plan = this.#files.get(found.file);
    if (plan !== undefined) plan.isKept = true;
  }

  #add(found: FoundLetter): void {
    const { sink } = found.letter;
    this.#unfound.found({ ...found.letter, id: found.id });
    const isRedriven = this.#isRedriven(found);
    const isOfSink = this.#filter.sink?.includes(sink) ?? true;
    const isWanted = isChosen(found, this.#filter);
    const file = this.#files.get(found.file);
    if (file !== undefined) {
      if (!isOfSink) file.isKept = true;
      if (!isRedriven && isWanted) file.sinks.add(sink);
      if (!isRedriven && !isWanted) file.hasOthers = true;
    }
    if (!isWanted) return;
    if (isRedriven) this.redriven += 1;
    else this.#addLetter(found);
  }

  #addLetter(found: FoundLetter): void {
    const name = nameOf(found);
    if (this.#names.has(name)) this.#addTime(name, found);
    else this.#count(found);
    this.#names.add(name);
  }

  #count({ letter: { sink, reason } }: FoundLetter): void {
    const plan = this.sinks.get(sink) ?? { letters: 0, reasons: new Map<string, number>() };
    plan.letters += 1;
    plan.reasons.set(reason, (plan.reasons.get(reason) ?? 0) + 1);
    this.sinks.set(sink, plan);
  }

  /** An event that stands in the files with a reason that is not chosen too is redriven with the chosen one. */
  async #addOtherReasons(signal: AbortSignal): Promise<void> {
    if (this.#names.size === 0) return;
    for await (const found of readDeadLetters(this.#opened.files, signal)) {
      if ("place" in found || isChosen(found, this.#filter) || this.#isRedriven(found)) continue;
      const name = nameOf(found);
      if (this.#names.has(name)) this.#addTime(name, found);
    }
  }

  #addTime(name: string, { letter }: FoundLetter): void {
    this.#again.set(name, [...(this.#again.get(name) ?? []), letter.time]);
  }

  #isRedriven({ id, letter }: FoundLetter): boolean {
    return this.#opened.marks.timeOf({ ...letter, id }) !== undefined;
  }

  async #isRedrivenWhole(file: OpenDeadLetters, signal: AbortSignal): Promise<boolean> {
    for await (const found of readDeadLetters([file], signal)) {
      if ("place" in found || !this.#isRedriven(found)) return false;
    }
    return true;
  }
}

/** No sink has a space in its name. */
function nameOf({ id, letter: { sink } }: FoundLetter): string {
  return `${sink} ${id}`;
}
