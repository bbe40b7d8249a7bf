import { clock, type Timer } from "../clock.ts";
import { describeCause } from "../errors/describe-cause.ts";
import { printable } from "../errors/printable.ts";
import { windowsSystem } from "../native/windows-system.ts";
import { type ServiceEntry, serviceEntries } from "./entries.ts";

/** Writes one entry: its number in the log and what its message says in place of `%1`, `%2` and so on. */
export type WriteEntry = (id: number, texts: readonly string[]) => Promise<void>;

/** Longest text of an entry, in UTF-16 code units. Windows takes 31,839. */
const longestText = 1000;

/** Entries that wait while the log does not answer or refuses them. */
const mostWaiting = 16;

/** Options of an event log. */
export interface EventLogOptions {
  readonly write: WriteEntry;
  /** Called at the first entry in a row that could not be written, with what failed in one line. Default nothing. */
  readonly failed?: (error: string) => void;
  /** A clock in ms. Default `Clock.now`. */
  readonly now?: () => number;
  /** After which time an entry that could not be written is tried again, in ms. Default 60000. */
  readonly retryMs?: number;
}

/** An entry that waits. */
interface Waiting {
  readonly id: number;
  readonly texts: readonly string[];
}

/**
 * The service's entries in the Application log of Windows, source `Certwire`. They are written one after the other in the
 * background, and what could not be written is tried again later: a log that hangs or refuses holds up nothing but its own
 * entries, and no more than 16 of them wait.
 */
export class EventLog {
  readonly #options: EventLogOptions;
  readonly #now: () => number;
  readonly #reportedAt = new Map<string, number>();
  readonly #waiting: Waiting[] = [];
  #isFailing = false;
  #writing: Promise<void> | undefined;
  #retry: Timer | undefined;

  constructor(options: EventLogOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => clock.now());
  }

  /**
   * Queues an entry about a subject, such as a sink; the subject is not written. False, and nothing is queued, while the
   * same entry about it is within its quiet time, or too many wait.
   */
  report(entry: ServiceEntry, texts: readonly string[], subject = ""): boolean {
    const { id, quietMs } = serviceEntries[entry];
    const key = `${id} ${subject}`;
    const now = this.#now();
    const before = this.#reportedAt.get(key);
    if (before !== undefined && now - before < quietMs) return false;
    if (this.#waiting.length >= mostWaiting) return false;
    this.#reportedAt.set(key, now);
    this.#waiting.push({ id, texts });
    void this.#writeAll();
    return true;
  }

  /** Tries to write everything queued, for at most `ms`. Never rejects. */
  async flush(ms = 2000): Promise<void> {
    let timer: Timer | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = clock.setTimeout(resolve, ms);
    });
    await Promise.race([this.#writeAll(), timeout]);
    clock.clear(timer);
  }

  /** Until all are written or one fails. Never rejects. */
  #writeAll(): Promise<void> {
    this.#writing ??= this.#writeQueue().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async #writeQueue(): Promise<void> {
    clock.clear(this.#retry);
    for (let [entry] = this.#waiting; entry !== undefined; [entry] = this.#waiting) {
      if (!(await this.#write(entry))) {
        const { retryMs = 60_000 } = this.#options;
        this.#retry = clock.setTimeout(() => void this.#writeAll(), retryMs).unref();
        return;
      }
      this.#waiting.shift();
    }
  }

  async #write({ id, texts }: Waiting): Promise<boolean> {
    try {
      await this.#options.write(id, texts.map(safeText));
      this.#isFailing = false;
      return true;
    } catch (error) {
      if (!this.#isFailing) this.#options.failed?.(describeCause(error));
      this.#isFailing = true;
      return false;
    }
  }
}

/**
 * The event log of this machine; `undefined` elsewhere than on Windows. `failed` is that of
 * `EventLogOptions`.
 */
export function openEventLog(failed?: (error: string) => void): EventLog | undefined {
  if (process.platform !== "win32") return undefined;
  const write: WriteEntry = (id, texts) => windowsSystem().writeEventLogEntry(id, texts);
  return new EventLog({ write, ...(failed && { failed }) });
}

/**
 * One line without control and bidi characters. The viewer replaces `%1` and `%%1` in texts too, by other texts and
 * without an end, so a percent sign is kept apart from what follows.
 */
function safeText(text: string): string {
  const line = printable(text.replaceAll(/\s+/g, " ").trim()).replaceAll(/%(?=[\d%])/g, "% ");
  return line.length <= longestText ? line : `${line.slice(0, longestText - 1)}…`;
}
