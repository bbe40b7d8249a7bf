import { loadConfig } from "../../config/load.ts";
import { printable } from "../../errors/printable.ts";
import { kindOf } from "../../events/event-kind.ts";
import { jsonText } from "../../events/json-text.ts";
import { standardOutput } from "../../files/standard-output.ts";
import { type FoundLetter, readDeadLetters } from "../../sources/dead-letters.ts";
import { exitCodes } from "../exit-codes.ts";
import { isChosen, type LetterFilter } from "../letter-filter.ts";
import { type OpenedLetters, withDeadLetters } from "../open-letters.ts";
import { alignRows, say } from "../output.ts";
import { formatFiles, Progress } from "../progress.ts";
import { stopSignal } from "../stop-signal.ts";

/** The options of `certwire dead-letters list`. */
export interface ListOptions extends LetterFilter {
  readonly limit: number;
  readonly json?: true;
}

/** A dead letter as the list shows it. */
interface ListedLetter {
  readonly id: string;
  readonly time: string;
  readonly sink: string;
  readonly reason: string;
  readonly message: string;
  /** The kind of its event; absent for a record. */
  readonly kind?: string;
  readonly subject?: string;
  /** When it was redriven; absent if it was not. */
  readonly redriven?: string;
}

/** `certwire dead-letters list`: how many there are, and why. */
export async function listDeadLetters(options: ListOptions): Promise<void> {
  const config = loadConfig(options.config, { isNeeded: () => false });
  await withDeadLetters(config, async (opened) => {
    const signal = AbortSignal.any([stopSignal(), standardOutput().ended]);
    const list = new LetterList(options);
    const progress = new Progress();
    let done = 0;
    const others: string[] = [];
    for await (const found of readDeadLetters(opened.files, signal)) {
      if ("place" in found) others.push(found.place);
      else {
        done = bytesBefore(opened, found);
        if (isChosen(found, options)) await list.add(listed(found, opened));
      }
      progress.update(done, opened.bytes, `${list.total} dead letters`);
    }
    progress.end();
    if (signal.aborted) process.exitCode = exitCodes.interrupted;
    else list.print(opened);
    if (others.length > 0) sayOthers(others);
  });
}

function sayOthers(places: readonly string[]): void {
  say(`warning: ${places.length} lines are not dead letters and are left out, first ${places[0]}`);
}

/** Bytes of all files up to the end of a letter. */
function bytesBefore({ files }: OpenedLetters, { file, endsAt }: FoundLetter): number {
  const before = files.slice(0, files.indexOf(file));
  return before.reduce((sum, { size }) => sum + size, endsAt);
}

function listed({ id, letter }: FoundLetter, { marks }: OpenedLetters): ListedLetter {
  const { time, sink, reason, message, event } = letter;
  const redriven = marks.timeOf({ sink, id });
  return {
    id,
    time,
    sink,
    reason,
    message,
    ...(event && { kind: kindOf(event) }),
    ...(event?.subject !== undefined && { subject: event.subject }),
    ...(redriven !== undefined && { redriven }),
  };
}

/** Counts all letters and keeps the newest; with `--json` it prints each at once. */
class LetterList {
  readonly #options: ListOptions;
  readonly #counts = new Map<string, { count: number; redriven: number; last: string }>();
  #newest: ListedLetter[] = [];
  total = 0;

  constructor(options: ListOptions) {
    this.#options = options;
  }

  async add(letter: ListedLetter): Promise<void> {
    this.total += 1;
    if (this.#options.json) return standardOutput().print(`${jsonText(letter)}\n`);
    const key = [letter.sink, letter.reason, letter.kind ?? "record"].join("\0");
    const { count, redriven } = this.#counts.get(key) ?? { count: 0, redriven: 0 };
    const again = redriven + (letter.redriven === undefined ? 0 : 1);
    this.#counts.set(key, { count: count + 1, redriven: again, last: letter.time });
    this.#newest.push(letter);
    if (this.#newest.length > 2 * this.#options.limit) this.#keepNewest();
  }

  #keepNewest(): void {
    this.#newest = this.#newest.slice(-this.#options.limit);
  }

  print({ files, bytes }: OpenedLetters): void {
    if (this.#options.json) return;
    this.#keepNewest();
    const size = formatFiles(files.length, bytes);
    const lines = [
      `${this.total} dead letters (${size})`,
      ...(this.total === 0 ? [] : ["", ...this.#countTable(), ""]),
      ...this.#newest.flatMap(letterLines),
    ];
    standardOutput().post(`${lines.join("\n")}\n`);
  }

  #countTable(): string[] {
    const rows = [...this.#counts].map(([key, { count, redriven, last }]) => [
      ...key.split("\0"),
      String(count),
      String(redriven),
      last,
    ]);
    return alignRows([["SINK", "REASON", "KIND", "COUNT", "REDRIVEN", "LAST"], ...rows].map(shown));
  }
}

function shown(row: readonly string[]): string[] {
  return row.map((cell) => printable(cell));
}

function letterLines({ id, time, subject, message, redriven }: ListedLetter): string[] {
  const head = [time, id, subject ?? "", redriven === undefined ? "" : `redriven ${redriven}`];
  return shown([head.filter(Boolean).join("  "), `  ${message}`]);
}
