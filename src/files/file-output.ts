import { write } from "node:fs";

/** Where lines of text go. Writes follow each other in the order of their calls. */
export interface LineOutput {
  /** Calls `done` once the operating system has every byte, or with the error. */
  write(lines: string | Buffer, done: (error?: Error | null) => void): unknown;
}

const newline = 0x0a;

/**
 * Writes lines to an open file, all bytes of them: Node's own stream for standard output takes a short write
 * (a disk that fills up) for a whole one. Can be used after an error; a line that an error cut off is ended
 * before the next one.
 */
export class FileOutput implements LineOutput {
  readonly #file: number;
  #isTorn = false;
  #tail: Promise<void> = Promise.resolve();

  constructor(file: number) {
    this.#file = file;
  }

  write(lines: string | Buffer, done: (error?: Error | null) => void): void {
    this.#tail = this.#writeAfter(this.#tail, Buffer.from(lines), done);
  }

  async #writeAfter(
    before: Promise<void>,
    lines: Buffer,
    done: (error?: Error) => void,
  ): Promise<void> {
    await before;
    try {
      await this.#writeAll(lines);
    } catch (error) {
      return done(error as Error);
    }
    done();
  }

  async #writeAll(lines: Buffer): Promise<void> {
    let left = this.#isTorn ? Buffer.concat([Buffer.of(newline), lines]) : lines;
    while (left.length > 0) {
      const count = await this.#writeSome(left);
      if (count > 0) this.#isTorn = left[count - 1] !== newline;
      left = left.subarray(count);
    }
  }

  #writeSome(bytes: Buffer): Promise<number> {
    return new Promise((resolve, reject) => {
      write(this.#file, bytes, 0, bytes.length, null, (error, count) => {
        if (error) reject(error);
        else resolve(count);
      });
    });
  }
}
