import { loadConfig } from "../../config/load.ts";
import { kindOf } from "../../events/event-kind.ts";
import { jsonText } from "../../events/json-text.ts";
import { standardOutput } from "../../files/standard-output.ts";
import { type FoundLetter, readDeadLetters } from "../../sources/dead-letters.ts";
import { exitCodes } from "../exit-codes.ts";
import {
  countOther,
  isChosen,
  type LetterFilter,
  type Others,
  othersText,
} from "../letter-filter.ts";
import { bytesBefore, type OpenedLetters, withDeadLetters } from "../open-letters.ts";
import { alignRows, inLine, say } from "../output.ts";
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
    const stop = stopSignal();
    const signal = AbortSignal.any([stop, standardOutput().ended]);
    const list = new LetterList(options);
    const progress = new Progress();
    const others: Others = { count: 0 };
    for await (const found of readDeadLetters(opened.files, signal)) {
      if ("place" in found) countOther(others, found);
      else {
        if (isChosen(found, options)) await list.add(listed(found, opened));
        progress.update(bytesBefore(opened, found), opened.bytes, `${list.total} dead letters`);
      }
    }
    progress.end();
    if (stop.aborted) process.exitCode = exitCodes.interrupted;
    else if (!signal.aborted) list.print(opened);
    if (others.count > 0) say(`warning: ${othersText(others)}`);
  });
}

function listed({ id, letter }: FoundLetter, { marks }: OpenedLetters): ListedLetter {
  const { time, sink, reason, message, event } = letter;
  const redriven = marks.timeOf({ sink, id, time });
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
    const before = this.#counts.get(key) ?? { count: 0, redriven: 0, last: "" };
    const again = before.redriven + (letter.redriven === undefined ? 0 : 1);
    const last = [letter.time, before.last].toSorted().at(-1) ?? "";
    this.#counts.set(key, { count: before.count + 1, redriven: again, last });
    this.#newest.push(letter);
    if (this.#newest.length > 2 * this.#options.limit) this.#keepNewest();
  }

  #keepNewest(): void {
    this.#newest.sort((a, b) => (a.time < b.time ? -1 : Number(a.time > b.time)));
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
  return row.map((cell) => inLine(cell));
}

function letterLines({ id, time, subject, message, redriven }: ListedLetter): string[] {
  const head = [time, id, subject ?? "", redriven === undefined ? "" : `redriven ${redriven}`];
  return [shown(head.filter(Boolean)).join("  "), `  ${inLine(message)}`];
}
