import { mkdir, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { CertwireError } from "../errors/certwire-error.ts";
import { directoryModes } from "../files/append-file.ts";
import { ignoreMissing } from "../files/existing.ts";
import { readLimitedText } from "../files/limited-text.ts";
import { replaceFile } from "../files/replace-file.ts";
import { kibibyte } from "../units.ts";

const requestId = z
  .int()
  .min(0)
  .max(2 ** 31 - 1);
const shape = z.object({
  version: z.literal(1),
  fromRequest: requestId,
  untilMs: z.number().nullable(),
  after: requestId,
});

/** What a backfill publishes. */
export interface BackfillSelection {
  /** Only requests with this RequestID or a greater one. */
  readonly fromRequest: number;
  /** Only what happened before, in ms since 1970; default everything. */
  readonly untilMs?: number | undefined;
}

/** Where a backfill that did not end goes on, on disk. */
export class BackfillPlace {
  readonly #path: string;
  readonly #selection: BackfillSelection;
  #tail: Promise<void> = Promise.resolve();

  constructor(path: string, selection: BackfillSelection) {
    this.#path = path;
    this.#selection = selection;
  }

  /**
   * All requests up to this are done; the one before the first if no backfill of the same selection has stopped. Rejects
   * with CERTWIRE_CHECKPOINT_FAILED.
   */
  async read(): Promise<number> {
    const { fromRequest, untilMs = null } = this.#selection;
    const begin = fromRequest - 1;
    try {
      const text = await readLimitedText(this.#path, kibibyte).catch(ignoreMissing);
      if (text === undefined) return begin;
      // Without it a run costs time only: what was published is known elsewhere.
      const found = shape.safeParse(jsonOf(text)).data;
      const isSame = found?.fromRequest === fromRequest && found.untilMs === untilMs;
      return isSame ? Math.max(begin, found.after) : begin;
    } catch (cause) {
      throw this.#failed("read", cause);
    }
  }

  /** Keeps that all requests up to this are done, after the calls made before. Rejects with CERTWIRE_CHECKPOINT_FAILED. */
  save(after: number): Promise<void> {
    const result = this.#tail.then(() => this.#save(after));
    this.#tail = result.catch(() => undefined);
    return result;
  }

  async #save(after: number): Promise<void> {
    const { fromRequest, untilMs = null } = this.#selection;
    try {
      await mkdir(dirname(this.#path), { recursive: true, mode: directoryModes.private });
      const text = JSON.stringify({ version: 1, fromRequest, untilMs, after });
      await replaceFile(this.#path, "private", [`${text}\n`]);
    } catch (cause) {
      throw this.#failed("write", cause);
    }
  }

  /** The backfill has ended. Rejects with CERTWIRE_CHECKPOINT_FAILED. */
  async remove(): Promise<void> {
    await unlink(this.#path)
      .catch(ignoreMissing)
      .catch((cause: unknown) => {
        throw this.#failed("delete", cause);
      });
  }

  #failed(what: string, cause: unknown): CertwireError {
    return new CertwireError("CERTWIRE_CHECKPOINT_FAILED", `cannot ${what} ${this.#path}`, {
      cause,
    });
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
