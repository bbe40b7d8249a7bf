import { say } from "./output.ts";

/** How often a line is written where standard error is no terminal, and drawn on a terminal, in ms. */
const intervalMs = { plain: 5000, terminal: 100 } as const;

/**
 * How far long work is, on standard error: one line that is drawn again and again on a terminal, a line
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

  /** `doneBytes` of `totalBytes` are done; `what` is said about them. */
  update(doneBytes: number, totalBytes: number, what: string): void {
    const now = performance.now();
    const { isTTY, columns } = this.#stream;
    if (now - this.#shownAt < intervalMs[isTTY ? "terminal" : "plain"]) return;
    this.#shownAt = now;
    const line = progressLine(doneBytes, totalBytes, now - this.#startedAt, what);
    if (!isTTY) return say(line);
    this.#isDrawn = true;
    this.#stream.write(`\r\u001B[K${line.slice(0, columns - 1)}`);
  }

  /** Takes the line away. */
  end(): void {
    if (this.#isDrawn) this.#stream.write("\r\u001B[K");
    this.#isDrawn = false;
  }
}

/** `42 % of 1.2 GiB, 310 MiB/s, 3 s left, <what>`. */
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

/** Bytes in a unit that suits them. */
export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const value = bytes / 1024 ** power;
  return `${power === 0 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}

function formatSeconds(seconds: number): string {
  const whole = Math.ceil(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
