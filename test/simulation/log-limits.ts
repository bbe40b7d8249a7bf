import { maxOfMessageInHour } from "./limits.ts";
import type { LoggedLine } from "./service-process.ts";

const hourMs = 3_600_000;

/** Counts the lines of the newest hour. */
export class LogLimits {
  readonly #lines: readonly LoggedLine[];
  readonly #counts = new Map<string, number>();
  /** Lines that have been counted, and those of them that are older than an hour. */
  #counted = 0;
  #old = 0;

  constructor(lines: readonly LoggedLine[]) {
    this.#lines = lines;
  }

  /** A message that a service has logged too often; `undefined` if there is none. */
  exceeded(now: number): string | undefined {
    let found: string | undefined;
    for (; this.#counted < this.#lines.length; this.#counted += 1) {
      const line = this.#lines[this.#counted]!;
      while (this.#lines[this.#old]!.at < line.at - hourMs) this.#forgetOldest();
      const count = this.#add(line, 1);
      if (count > maxOfMessageInHour) {
        found ??= `"${line.message}" is in the log ${count} times within an hour`;
      }
    }
    while (this.#old < this.#counted && this.#lines[this.#old]!.at < now - hourMs) {
      this.#forgetOldest();
    }
    return found;
  }

  #forgetOldest(): void {
    this.#add(this.#lines[this.#old]!, -1);
    this.#old += 1;
  }

  #add({ process, sink, message }: LoggedLine, by: number): number {
    const key = `${process} ${sink} ${message}`;
    const count = (this.#counts.get(key) ?? 0) + by;
    if (count === 0) this.#counts.delete(key);
    else this.#counts.set(key, count);
    return count;
  }
}
