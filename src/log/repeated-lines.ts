import { clock, type Timer } from "../clock.ts";
import {
  defaultLevel,
  type FieldsOf,
  type LevelOf,
  type LineLog,
  type LogMessage,
} from "./log-line.ts";
import type { LogLevel } from "./message-entry.ts";

/** How often it is checked what is due, in ms. */
const tickMs = 60_000;
/** Longest time between two lines about repeats, in ticks. */
const mostTicks = 60;
/** A line that did not repeat for this many ticks is news when it repeats. */
const quietTicks = 5;
/** How many different errors of a line are each logged at once. */
const mostErrors = 16;

/** A line that was logged, and what was held back since. */
interface Repeated {
  readonly level: LogLevel;
  readonly message: LogMessage;
  /** Fields of the newest line. */
  fields: object;
  /** Lines held back. */
  count: number;
  /** The same at the last tick. */
  countBefore: number;
  /** Ticks between two lines, and those that are left. */
  wait: number;
  left: number;
  /** Ticks without a repeat. */
  quiet: number;
  /** The errors that were logged at once, without their numbers. */
  readonly errors: Set<string>;
}

/**
 * Logs a line at once when it is new, and then, for as long as it repeats, after 1, 2, 4 and so on minutes, at last once an
 * hour, with the number of the lines held back in `repeated`. So a broker that is down for a day takes about 30 lines of
 * a message, whatever the number of lanes and events. Lines are the same if level, message, `kind`, `code` and `reason` are;
 * another `error`, of which numbers do not count, is logged at once too, up to 16 of them.
 */
export class RepeatedLines {
  readonly #log: LineLog<LogLevel>;
  readonly #lines = new Map<string, Repeated>();
  #timer: Timer | undefined;

  constructor(log: LineLog<LogLevel>) {
    this.#log = log;
  }

  /** Logs a line, or counts it. `level` as of `logLine`. */
  write<M extends LogMessage>(message: M, fields: FieldsOf<M>, level?: LevelOf<M>): void {
    const chosen: LogLevel = level ?? defaultLevel(message);
    const { kind, code, reason } = fields as Readonly<Record<string, unknown>>;
    const key = JSON.stringify([chosen, message, kind, code, reason]);
    const known = this.#lines.get(key);
    const error = errorOf(fields);
    if (known !== undefined && !known.errors.has(error) && known.errors.size < mostErrors) {
      known.errors.add(error);
      known.quiet = 0;
      this.#log[chosen](fields, message);
      return;
    }
    if (known !== undefined) {
      known.fields = fields;
      known.count += 1;
      return;
    }
    const fresh = {
      count: 0,
      countBefore: 0,
      wait: 1,
      left: 1,
      quiet: 0,
      errors: new Set([error]),
    };
    this.#lines.set(key, { level: chosen, message, fields, ...fresh });
    this.#log[chosen](fields, message);
    this.#timer ??= clock.setInterval(() => this.#tick(), tickMs).unref();
  }

  /** Logs the numbers of what was held back, and ends. */
  close(): void {
    for (const line of this.#lines.values()) this.#report(line);
    this.#lines.clear();
    clock.clear(this.#timer);
    this.#timer = undefined;
  }

  #tick(): void {
    for (const [key, line] of this.#lines) {
      line.quiet = line.count > line.countBefore ? 0 : line.quiet + 1;
      line.left -= 1;
      const isOver = line.quiet >= quietTicks;
      if (isOver) this.#lines.delete(key);
      if (isOver || (line.left <= 0 && line.count > 0)) {
        this.#report(line);
        line.wait = Math.min(line.wait * 2, mostTicks);
        line.left = line.wait;
      }
      line.countBefore = line.count;
    }
    if (this.#lines.size === 0) this.close();
  }

  #report(line: Repeated): void {
    const { level, message, fields, count } = line;
    if (count > 0) this.#log[level]({ ...fields, repeated: count }, message);
    line.count = 0;
  }
}

/** The beginning of a line's error, without what differs from one to the next: numbers, addresses, ids. */
function errorOf(fields: object): string {
  const { error = "" } = fields as Readonly<Record<string, unknown>>;
  const text = String(error).slice(0, 200);
  return text.replaceAll(/[\da-f:.-]+/gi, (run) => (/\d/.test(run) ? "#" : run));
}
