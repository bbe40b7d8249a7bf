import { mostOfMessage } from "./limits.ts";
import type { LoggedLine } from "./service-process.ts";

/** Each line of it is about another loss: a power cut leaves as many as it has torn frames. */
const lineOfEachLoss = "gap in the journal";

/** Counts the lines of a message within a time that ends now. */
class Window {
  readonly #lines: readonly LoggedLine[];
  readonly #withinMs: number;
  readonly #most: number;
  readonly #counts = new Map<string, number>();
  /** Lines that have been counted, and those of them that are older. */
  #counted = 0;
  #old = 0;

  constructor(lines: readonly LoggedLine[], { withinMs, most }: (typeof mostOfMessage)[number]) {
    this.#lines = lines;
    this.#withinMs = withinMs;
    this.#most = most;
  }

  exceeded(): string | undefined {
    let found: string | undefined;
    for (; this.#counted < this.#lines.length; this.#counted += 1) {
      const line = this.#lines[this.#counted]!;
      for (; this.#lines[this.#old]!.at < line.at - this.#withinMs; this.#old += 1) {
        this.#add(this.#lines[this.#old]!, -1);
      }
      const count = this.#add(line, 1);
      if (count > this.#most && line.message !== lineOfEachLoss) {
        const minutes = this.#withinMs / 60_000;
        found ??= `"${line.message}" is in the log ${count} times within ${minutes} minutes`;
      }
    }
    return found;
  }

  #add({ process, sink, message }: LoggedLine, by: number): number {
    const key = `${process} ${sink} ${message}`;
    const count = (this.#counts.get(key) ?? 0) + by;
    if (count === 0) this.#counts.delete(key);
    else this.#counts.set(key, count);
    return count;
  }
}

/** Counts how often each service logs each message about each sink. */
export class LogLimits {
  readonly #windows: readonly Window[];

  /** `lines`: it sees those that are added later. */
  constructor(lines: readonly LoggedLine[]) {
    this.#windows = mostOfMessage.map((limit) => new Window(lines, limit));
  }

  /** A message that was logged too often since the last call; `undefined` if there is none. */
  exceeded(): string | undefined {
    return this.#windows.map((window) => window.exceeded()).find((found) => found !== undefined);
  }
}
