import { rowDateMs } from "../events/row-events.ts";
import type { ExitRecord } from "../exit/record.ts";

const msPerSecond = 1000;
/**
 * How far a page begins before the last date of the one before, in ms. The CA compares what it has stored, which it shows up
 * to a second away, and a date has other last bits when Windows computes it.
 */
const marginMs = 2000;

/** A date of which there is an index in the database. */
export type IndexedDate = "SubmittedWhen" | "ResolvedWhen";

/** How far a scan by a date has come. A page begins again a little before the end of the one before; each row comes once. */
export class DatePlace {
  readonly #date: IndexedDate;
  readonly #beginMs: number;
  #lastMs: number;
  /** The rows that were read and may come again, with their second in ms since 1970. */
  #read = new Map<number, number>();

  /** `sinceMs`: in ms since 1970. */
  constructor(date: IndexedDate, sinceMs: number) {
    this.#date = date;
    this.#beginMs = secondOf(sinceMs);
    this.#lastMs = this.#beginMs;
  }

  /** Where the next page begins: whole seconds, in ms since 1970. */
  get sinceMs(): number {
    return Math.max(this.#beginMs, this.#lastMs - marginMs);
  }

  /**
   * The rows of a page that were not read before; `undefined` if they are out of order. Without a new one the page was
   * full of rows of the same seconds, and has to be larger.
   */
  take(rows: readonly ExitRecord[]): ExitRecord[] | undefined {
    let at = this.sinceMs - msPerSecond;
    const fresh: ExitRecord[] = [];
    for (const row of rows) {
      const ms = rowDateMs(row, this.#date);
      if (ms === undefined || secondOf(ms) < at) return undefined;
      at = secondOf(ms);
      if (!this.#read.has(row.context)) fresh.push(row);
      this.#read.set(row.context, at);
    }
    this.#lastMs = Math.max(this.#lastMs, at);
    const oldest = this.sinceMs - msPerSecond;
    this.#read = new Map([...this.#read].filter(([, second]) => second >= oldest));
    return fresh;
  }
}

function secondOf(ms: number): number {
  return Math.floor(ms / msPerSecond) * msPerSecond;
}
