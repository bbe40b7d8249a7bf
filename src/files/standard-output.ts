import { fstatSync } from "node:fs";
import { isatty } from "node:tty";
import { CertwireError } from "../errors/certwire-error.ts";
import { FileOutput, type LineOutput } from "./file-output.ts";

const outputFd = 1;
const readerGoneCodes = new Set(["EPIPE", "ERR_STREAM_DESTROYED", "ERR_STREAM_WRITE_AFTER_END"]);

/** True for the error of a write to a pipe whose reader has closed it, as `| head` does. */
export function isReaderGone(error: unknown): boolean {
  return readerGoneCodes.has((error as NodeJS.ErrnoException | undefined)?.code ?? "");
}

/**
 * Standard output, for data: the only way in which commands and the stdout sink write to it. A reader that
 * closes its pipe has seen enough, which is not a failure; every other error is one (a full disk, a broken
 * device), and stays until a later write succeeds.
 */
export class StandardOutput implements LineOutput {
  readonly #output: LineOutput;
  readonly #ended = new AbortController();
  #pending: Promise<void> = Promise.resolve();
  #failure: CertwireError | undefined;
  #loss: CertwireError | undefined;

  constructor(output: LineOutput) {
    this.#output = output;
  }

  /** Aborted by the first write that failed, whatever its error. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** The CERTWIRE_OUTPUT_FAILED of the last write; `undefined` if it succeeded or its reader had gone. */
  get failure(): CertwireError | undefined {
    return this.#failure;
  }

  /** As `LineOutput`, for a caller that writes again what failed; the error goes to `done` as the operating system gave it. */
  write(lines: string | Buffer, done: (error?: Error | null) => void): void {
    this.#pending = new Promise((resolve) => {
      this.#output.write(lines, (error) => {
        this.#settle(error);
        done(error);
        resolve();
      });
    });
  }

  /** Writes lines without a wait. Never throws: `finished` reports a failure. */
  post(lines: string | Buffer): void {
    this.write(lines, () => {
      this.#loss ??= this.#failure;
    });
  }

  /** Like `post`; resolves when the lines are written, or cannot be. Never rejects. */
  async print(lines: string | Buffer): Promise<void> {
    this.post(lines);
    await this.#pending;
  }

  /** Resolves when nothing waits to be written. Rejects with CERTWIRE_OUTPUT_FAILED when something was lost. */
  async finished(): Promise<void> {
    await this.#pending;
    const error = this.#loss ?? this.#failure;
    if (error !== undefined) throw error;
  }

  #settle(cause: Error | null | undefined): void {
    this.#failure = undefined;
    if (!cause) return;
    this.#ended.abort();
    if (isReaderGone(cause)) return;
    const message = "cannot write to standard output";
    this.#failure = new CertwireError("CERTWIRE_OUTPUT_FAILED", message, { cause });
  }
}

let opened: StandardOutput | undefined;

/** Standard output of this process. */
export function standardOutput(): StandardOutput {
  opened ??= new StandardOutput(isFile() ? new FileOutput(outputFd) : standardStream());
  return opened;
}

/** A stream for pipes and terminals; without a listener its errors would end the process. */
function standardStream(): LineOutput {
  return process.stdout.on("error", () => undefined);
}

function isFile(): boolean {
  try {
    const stats = fstatSync(outputFd);
    return stats.isFile() || (stats.isCharacterDevice() && !isatty(outputFd));
  } catch {
    return false; // closed: the stream reports it
  }
}
