import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { CertwireError } from "../errors/certwire-error.ts";
import { directoryModes } from "../files/append-file.ts";
import { ignoreMissing } from "../files/existing.ts";
import { readLimitedText } from "../files/limited-text.ts";
import { replaceFile } from "../files/replace-file.ts";
import { mebibyte } from "../units.ts";
import { clockMs } from "./next-reports.ts";

const maxBytes = mebibyte;
const count = z.int().min(0);

const shape = z.object({
  version: z.literal(1),
  database: z
    .object({
      name: z.string(),
      certificates: z.array(z.string().regex(/^[0-9a-f]{64}$/)),
      newest: z
        .object({
          id: count,
          submittedMs: z.number().nullable(),
          certificateHash: z.string().nullable(),
        })
        .optional(),
    })
    .optional(),
  /** When the last run began that has compared all that it should, in ms since 1970. */
  completeMs: clockMs.optional(),
  /** When the last scheduled comparison of every row began, in ms since 1970. */
  scheduledFullMs: clockMs.optional(),
  /** True if a restored database was accepted and no scheduled comparison has read every row of it. */
  isRestored: z.boolean().optional(),
  running: z
    .object({
      startedMs: clockMs,
      /** When it had last compared some more rows, in ms since 1970. */
      movedMs: clockMs.optional(),
      after: count,
      rows: count,
      otherCa: count,
      counts: z.record(z.string(), count),
      findings: count,
      findingsBytes: count,
    })
    .optional(),
});

/** What is kept of comparisons. */
export type RunState = Omit<z.infer<typeof shape>, "version">;

/** A run over every row that has not ended. */
export type RunningState = NonNullable<RunState["running"]>;

/** One that has compared nothing yet. `startedMs`: in ms since 1970. */
export function emptyRun(startedMs: number): RunningState {
  const none = { after: 0, rows: 0, otherCa: 0, counts: {}, findings: 0, findingsBytes: 0 };
  return { startedMs, movedMs: startedMs, ...none };
}

/** The database that was compared, by what a restored or another one would not have. */
export type KnownDatabase = NonNullable<RunState["database"]>;

/** The state of comparisons on disk. One process at a time may write it. */
export class RunFile {
  state: RunState;
  readonly #path: string;

  private constructor(path: string, state: RunState) {
    this.#path = path;
    this.state = state;
  }

  /** Reads it; empty if there is none. Rejects with CERTWIRE_CHECKPOINT_FAILED. */
  static async open(path: string): Promise<RunFile> {
    try {
      const text = await readLimitedText(path, maxBytes).catch(ignoreMissing);
      if (text === undefined) return new RunFile(path, {});
      const { version: _, ...state } = shape.parse(JSON.parse(text));
      return new RunFile(path, state);
    } catch (cause) {
      const hint = `If the file is damaged, delete it: the next run compares every row.`;
      throw new CertwireError("CERTWIRE_CHECKPOINT_FAILED", `cannot read ${path}`, { cause, hint });
    }
  }

  /** Remembers the run over every row as the last complete one. Rejects as `save` does. */
  async end(changes: RunState = {}): Promise<void> {
    const { running, completeMs } = this.state;
    const startedMs = running?.startedMs ?? completeMs;
    await this.save({ ...changes, running: undefined, completeMs: startedMs });
  }

  /** Changes members, durably. Rejects with CERTWIRE_CHECKPOINT_FAILED. */
  async save(changes: RunState): Promise<void> {
    const next = { ...this.state, ...changes };
    try {
      await mkdir(dirname(this.#path), { recursive: true, mode: directoryModes.private });
      await replaceFile(this.#path, "private", [`${JSON.stringify({ version: 1, ...next })}\n`]);
    } catch (cause) {
      throw new CertwireError("CERTWIRE_CHECKPOINT_FAILED", `cannot write ${this.#path}`, {
        cause,
      });
    }
    this.state = next;
  }
}
