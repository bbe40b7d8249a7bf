import type { FileHandle } from "node:fs/promises";
import { z } from "zod";
import type { CertwireEvent } from "../events/event.ts";
import { openForAppend } from "../files/append-file.ts";
import type { Frame } from "../journal/frame.ts";

/**
 * Why an event or record became a dead letter: `undecodable` record, event that cannot be written
 * (`unencodable`), `rejected` by the broker for good, `unroutable` for too long.
 */
export type DeadLetterReason = "undecodable" | "unencodable" | "rejected" | "unroutable";

/** A journal record that could not be decoded, as it was. */
export interface DeadRecord {
  readonly epochNumber: number;
  readonly epochId: string;
  readonly sequence: string;
  readonly index: number;
  /** When it was recorded: 100 ns since 1601-01-01 UTC (FILETIME). */
  readonly time: string;
  readonly type: number;
  readonly schema: number;
  /** CBOR of the record in base64. */
  readonly payload: string;
}

/** One line of a dead-letter file: what could not be published, and why. */
export interface DeadLetter {
  /** When it was given up, RFC 3339. */
  readonly time: string;
  readonly sink: string;
  readonly reason: DeadLetterReason;
  readonly message: string;
  /** The whole event; absent for a record that could not be decoded. */
  readonly event?: CertwireEvent;
  readonly record?: DeadRecord;
}

/** Append-only NDJSON file of dead letters; each is on disk before `append` resolves. */
export class DeadLetterFile {
  readonly #path: string;
  #file: FileHandle | undefined;
  #tail: Promise<unknown> = Promise.resolve();

  /** The file is made with the first dead letter. */
  constructor(path: string) {
    this.#path = path;
  }

  /** Appends and flushes, one after the other. Rejects when the file cannot be written. */
  append(letter: DeadLetter): Promise<void> {
    const result = this.#tail.then(() => this.#append(letter));
    this.#tail = result.catch(() => undefined);
    return result;
  }

  async close(): Promise<void> {
    await this.#tail;
    await this.#file?.close();
    this.#file = undefined;
  }

  async #append(letter: DeadLetter): Promise<void> {
    this.#file ??= await openForAppend(this.#path);
    try {
      await this.#file.appendFile(`${JSON.stringify(letter, bigintAsText)}\n`);
      await this.#file.datasync();
    } catch (error) {
      // A line may be half there: the next try opens the file anew and ends that line first.
      const file = this.#file;
      this.#file = undefined;
      await file.close().catch(() => undefined);
      throw error;
    }
  }
}

/** What a dead letter keeps of a frame. */
export function deadRecord(frame: Frame): DeadRecord {
  const { epochNumber, epochId, index, type, schema } = frame;
  const [sequence, time] = [String(frame.sequence), String(frame.time)];
  const payload = frame.payload.toString("base64");
  return { epochNumber, epochId, sequence, index, time, type, schema, payload };
}

const digits = z
  .string()
  .regex(/^\d{1,20}$/)
  .transform(BigInt);
const frameOfRecord = z.object({
  epochNumber: z.int(),
  epochId: z.string(),
  sequence: digits,
  index: z.int(),
  time: digits,
  type: z.int(),
  schema: z.int(),
  payload: z.base64().transform((text) => Buffer.from(text, "base64")),
});

/** The frame that the `record` of a dead letter keeps; `undefined` where it keeps none. */
export function frameOf(record: unknown): Frame | undefined {
  return frameOfRecord.safeParse(record).data;
}

function bigintAsText(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
