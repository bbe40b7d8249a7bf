import { randomBytes } from "node:crypto";
import { mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { CertwireError } from "../../errors/certwire-error.ts";
import { describeCause } from "../../errors/describe-cause.ts";

/** Keeps the place of one consumer in one stream, which the broker does not do over AMQP 0-9-1. */
export interface OffsetStore {
  /** What was saved last; `undefined` for a new consumer. */
  load(): Promise<bigint | undefined>;
  /**
   * Keeps the offset of the last message that is handled, with all before it; -1n stands for the place before the first
   * message. Resolves once a crash can no longer undo that.
   */
  save(offset: bigint): Promise<void>;
}

/** Keeps the place in memory: after a restart the consumer begins at `from` again. */
export class MemoryOffsets implements OffsetStore {
  #offset: bigint | undefined;

  async load(): Promise<bigint | undefined> {
    return this.#offset;
  }

  async save(offset: bigint): Promise<void> {
    this.#offset = offset;
  }
}

/** Keeps the place in a file, which is replaced as a whole. Each consumer needs a file of its own. */
export class FileOffsets implements OffsetStore {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Rejects with CERTWIRE_OFFSETS_FAILED if the file cannot be read, or holds something else. */
  async load(): Promise<bigint | undefined> {
    let text: string;
    try {
      text = await readFile(this.#path, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw failed("cannot read the offset", error);
    }
    if (!/^(-1|\d{1,19})\n$/.test(text)) throw failed(`${this.#path} does not hold an offset`);
    return BigInt(text);
  }

  /** Rejects with CERTWIRE_OFFSETS_FAILED. */
  async save(offset: bigint): Promise<void> {
    const next = `${this.#path}.${randomBytes(4).toString("hex")}`;
    try {
      await mkdir(dirname(this.#path), { recursive: true });
      const file = await open(next, "wx");
      try {
        await file.writeFile(`${offset}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(next, this.#path);
    } catch (error) {
      throw failed("cannot save the offset", error);
    }
  }
}

function failed(what: string, cause?: unknown): CertwireError {
  const text = cause === undefined ? what : `${what}: ${describeCause(cause)}`;
  return new CertwireError("CERTWIRE_OFFSETS_FAILED", text, { cause });
}
