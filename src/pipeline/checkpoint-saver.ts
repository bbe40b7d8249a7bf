import type { JournalPosition } from "../journal/position.ts";
import type { PipelineMonitor } from "./monitor.ts";
import { pause } from "./waiting.ts";

/** Where a pipeline saves its position; `CheckpointStore` in a service, nothing in a replay. */
export interface Checkpoints {
  /** Makes the position at which the pipeline starts durable. Rejects as `save`. */
  keep(): Promise<void>;
  /** Resolves when the position is durable. Rejects when it cannot be written; a later call may succeed. */
  save(position: JournalPosition): Promise<void>;
}

/**
 * Saves the position of a pipeline within an interval after it has moved, and once more at its end. The position at which
 * it starts is made durable within an interval, too. A failed save is reported to the monitor and tried again an interval
 * later; publishing continues meanwhile. Wakes up for nothing while the position stays.
 */
export class CheckpointSaver {
  readonly #checkpoints: Checkpoints | undefined;
  readonly #position: () => JournalPosition | null;
  readonly #monitor: PipelineMonitor;
  readonly #stopping = new AbortController();
  /** `undefined` until the position at which the pipeline starts is durable, then `null` until it moves. */
  #saved: JournalPosition | null | undefined;
  #wake: (() => void) | undefined;
  #loop: Promise<void> = Promise.resolve();

  /** `checkpoints`: `undefined` saves nothing. `position`: called at each save. */
  constructor(
    checkpoints: Checkpoints | undefined,
    position: () => JournalPosition | null,
    monitor: PipelineMonitor,
  ) {
    this.#checkpoints = checkpoints;
    this.#position = position;
    this.#monitor = monitor;
  }

  /** Starts saving, at most every `intervalMs`; call it once. */
  start(intervalMs: number): void {
    if (this.#checkpoints !== undefined) this.#loop = this.#saveRegularly(intervalMs);
  }

  /** Call it after the position has moved. */
  moved(): void {
    this.#wake?.();
  }

  /** Stops; resolves after one last try to save the newest position. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wake?.();
    await this.#loop;
  }

  async #saveRegularly(intervalMs: number): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await this.#unsaved();
      await pause(intervalMs, this.#stopping.signal);
      await this.#save();
    }
    // If the stop came during a save, what was acknowledged since then is not saved yet.
    await this.#save();
  }

  /** Resolves once the position is another than the one on disk, or the saver is stopped. */
  async #unsaved(): Promise<void> {
    while (!this.#stopping.signal.aborted && this.#position() === this.#saved) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async #save(): Promise<void> {
    const position = this.#position();
    if (this.#checkpoints === undefined || position === this.#saved) return;
    try {
      if (position === null) {
        await this.#checkpoints.keep();
        this.#monitor.checkpointKept();
      } else {
        await this.#checkpoints.save(position);
        this.#monitor.checkpointed();
      }
      this.#saved = position;
    } catch (error) {
      this.#monitor.checkpointFailed(error);
    }
  }
}
