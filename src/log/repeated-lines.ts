import type { Logger } from "pino";

/** How long the repeats of a line are counted before their number is logged, in ms. */
const intervalMs = 60_000;

type Level = "info" | "warn" | "error";
type Details = Readonly<Record<string, unknown>>;

/** A line that was logged, and what was held back since. */
interface Repeated {
  readonly level: Level;
  readonly message: string;
  /** Fields of the newest line. */
  details: Details;
  /** Lines held back. */
  count: number;
}

/**
 * Logs a line at once when it is new, and then once a minute for as long as it repeats, with the number of the
 * lines held back in `repeated`. So a broker that is wrong takes a few lines a minute, whatever the number of
 * lanes and events. Lines are the same if level, message, `kind`, `code` and `reason` are.
 */
export class RepeatedLines {
  readonly #log: Logger;
  readonly #lines = new Map<string, Repeated>();
  #timer: NodeJS.Timeout | undefined;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Logs a line, or counts it. `details` are its fields. */
  write(level: Level, details: Details, message: string): void {
    const { kind, code, reason } = details;
    const key = JSON.stringify([level, message, kind, code, reason]);
    const known = this.#lines.get(key);
    if (known !== undefined) {
      known.details = details;
      known.count += 1;
      return;
    }
    this.#lines.set(key, { level, message, details, count: 0 });
    this.#log[level](details, message);
    this.#timer ??= setInterval(() => this.#report(), intervalMs).unref();
  }

  /** Logs the numbers of what was held back, and ends. */
  close(): void {
    this.#report();
    this.#lines.clear();
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #report(): void {
    for (const [key, line] of this.#lines) {
      const { level, message, details, count } = line;
      // A line that was quiet since the last report is news when it comes up again.
      if (count === 0) this.#lines.delete(key);
      else this.#log[level]({ ...details, repeated: count }, message);
      line.count = 0;
    }
  }
}
