import { rowDateMs } from "../events/row-events.ts";
import type { ExitRecord } from "../exit/record.ts";

const msPerSecond = 1000;

/** A date of which there is an index in the database. */
export type IndexedDate = "SubmittedWhen" | "ResolvedWhen";

/**
 * How far a scan by a date has come. Many rows may have a date of the same second, so a page begins again with the last
 * second of the one before, and rows that were read come only once.
 */
export class DatePlace {
  readonly #date: IndexedDate;
  #sinceMs: number;
  /** The rows of the second `#sinceMs` that were read. */
  #read = new Set<number>();

  /** `sinceMs`: in ms since 1970. */
  constructor(date: IndexedDate, sinceMs: number) {
    this.#date = date;
    this.#sinceMs = secondOf(sinceMs);
  }

  /** Where the next page begins: whole seconds, in ms since 1970. */
  get sinceMs(): number {
    return this.#sinceMs;
  }

  /**
   * The rows of a page that were not read before; `undefined` if they are out of order. Without a new one the page was
   * full of rows of one second, and has to be larger.
   */
  take(rows: readonly ExitRecord[]): ExitRecord[] | undefined {
    let at = this.#sinceMs;
    const fresh: ExitRecord[] = [];
    for (const row of rows) {
      const ms = rowDateMs(row, this.#date);
      if (ms === undefined || secondOf(ms) < at) return undefined;
      if (secondOf(ms) > at) {
        at = secondOf(ms);
        this.#read = new Set();
      }
      if (!this.#read.has(row.context)) fresh.push(row);
      this.#read.add(row.context);
    }
    this.#sinceMs = at;
    return fresh;
  }
}

function secondOf(ms: number): number {
  return Math.floor(ms / msPerSecond) * msPerSecond;
}
