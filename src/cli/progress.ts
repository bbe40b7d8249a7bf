import { formatBytes, formatDuration } from "../units.ts";
import { say } from "./output.ts";

/** How often the line is drawn on a terminal, and how often one is printed elsewhere, in ms. */
const intervalMs = { plain: 5000, terminal: 100 } as const;

/**
 * Shows the progress of long work on standard error: one line that is redrawn on a terminal, a new line
 * every 5 s elsewhere.
 */
export class Progress {
  readonly #stream: NodeJS.WriteStream;
  readonly #startedAt = performance.now();
  #shownAt = this.#startedAt;
  #isDrawn = false;

  constructor(stream: NodeJS.WriteStream = process.stderr) {
    this.#stream = stream;
  }

  /** Call it often; it draws at its own pace. `what` is appended to the line as it is. */
  update(doneBytes: number, totalBytes: number, what: string): void {
    this.#show((elapsedMs) => progressLine(doneBytes, totalBytes, elapsedMs, what));
  }

  /** The same for things that are counted; `total` is `undefined` while it is not known. */
  count(done: number, total: number | undefined, things: string): void {
    this.#show((elapsedMs) => countLine(done, total, elapsedMs, things));
  }

  #show(lineAfter: (elapsedMs: number) => string): void {
    const now = performance.now();
    const { isTTY, columns } = this.#stream;
    if (now - this.#shownAt < intervalMs[isTTY ? "terminal" : "plain"]) return;
    this.#shownAt = now;
    const line = lineAfter(now - this.#startedAt);
    if (!isTTY) return say(line);
    this.#isDrawn = true;
    this.#stream.write(`\r\u001B[K${line.slice(0, columns - 1)}`);
  }

  /** Erases the line. */
  end(): void {
    if (this.#isDrawn) this.#stream.write("\r\u001B[K");
    this.#isDrawn = false;
  }
}

/** The progress line: `42 % of 1.2 GiB, 310 MiB/s, 3 s left, <what>`. */
export function progressLine(
  doneBytes: number,
  totalBytes: number,
  elapsedMs: number,
  what: string,
): string {
  const share = totalBytes === 0 ? 1 : Math.min(1, doneBytes / totalBytes);
  const bytesPerSecond = (doneBytes / Math.max(1, elapsedMs)) * 1000;
  const left = bytesPerSecond === 0 ? undefined : (totalBytes - doneBytes) / bytesPerSecond;
  return [
    `${Math.floor(share * 100)} % of ${formatBytes(totalBytes)}`,
    `${formatBytes(bytesPerSecond)}/s`,
    ...(left === undefined ? [] : [`${formatSeconds(Math.max(0, left))} left`]),
    what,
  ].join(", ");
}

/** The progress line of things that are counted: `42 % of 120000 messages, 31000/s, 3 s left`. */
export function countLine(
  done: number,
  total: number | undefined,
  elapsedMs: number,
  things: string,
): string {
  const perSecond = (done / Math.max(1, elapsedMs)) * 1000;
  const rate = `${Math.round(perSecond)}/s`;
  if (total === undefined || total === 0) return `${done} ${things}, ${rate}`;
  const share = Math.floor(Math.min(1, done / total) * 100);
  const left = formatSeconds(Math.max(0, total - done) / Math.max(1, perSecond));
  return `${share} % of ${total} ${things}, ${rate}, ${left} left`;
}

function formatSeconds(seconds: number): string {
  return formatDuration(Math.ceil(seconds) * 1000);
}

/** A number of files and their size, such as `3 files, 1.2 GiB`. */
export function formatFiles(count: number, bytes: number): string {
  return `${count} ${count === 1 ? "file" : "files"}, ${formatBytes(bytes)}`;
}
