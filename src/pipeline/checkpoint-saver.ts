import type { JournalPosition } from "../journal/position.ts";
import type { PipelineMonitor } from "./monitor.ts";
import { pause } from "./waiting.ts";

/** Where a pipeline saves its position; `CheckpointStore` in a service, nothing in a replay. */
export interface Checkpoints {
  /** Resolves when the position is durable. Rejects when it cannot be written; a later call may succeed. */
  save(position: JournalPosition): Promise<void>;
}

/**
 * Saves the position of a pipeline at a fixed interval and once more at its end. A failed save is reported
 * to the monitor and tried again at the next interval; publishing continues meanwhile.
 */
export class CheckpointSaver {
  readonly #checkpoints: Checkpoints | undefined;
  readonly #position: () => JournalPosition | null;
  readonly #monitor: PipelineMonitor;
  readonly #stopping = new AbortController();
  #saved: JournalPosition | null = null;
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

  /** Starts saving every `intervalMs`; call it once. */
  start(intervalMs: number): void {
    this.#loop = this.#saveRegularly(intervalMs);
  }

  /** Stops; resolves after one last try to save the newest position. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  async #saveRegularly(intervalMs: number): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await pause(intervalMs, this.#stopping.signal);
      await this.#save();
    }
    // If the stop came during a save, what was acknowledged since then is not saved yet.
    await this.#save();
  }

  async #save(): Promise<void> {
    const position = this.#position();
    if (this.#checkpoints === undefined || position === null || position === this.#saved) return;
    try {
      await this.#checkpoints.save(position);
      this.#saved = position;
      this.#monitor.checkpointed();
    } catch (error) {
      this.#monitor.checkpointFailed(error);
    }
  }
}
