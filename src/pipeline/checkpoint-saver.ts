import type { JournalPosition } from "../journal/position.ts";
import type { PipelineMonitor } from "./monitor.ts";
import { pause } from "./waiting.ts";

/** Where a pipeline keeps its cursor; a replay has none. */
export interface Checkpoints {
  save(position: JournalPosition): Promise<void>;
}

/** Saves the cursor of a pipeline at regular times and once more at its end. */
export class CheckpointSaver {
  readonly #checkpoints: Checkpoints | undefined;
  readonly #position: () => JournalPosition | null;
  readonly #monitor: PipelineMonitor;
  readonly #stopping = new AbortController();
  #saved: JournalPosition | null = null;
  #loop: Promise<void> = Promise.resolve();

  /** `position`: up to where everything is acknowledged at the moment of the call. */
  constructor(
    checkpoints: Checkpoints | undefined,
    position: () => JournalPosition | null,
    monitor: PipelineMonitor,
  ) {
    this.#checkpoints = checkpoints;
    this.#position = position;
    this.#monitor = monitor;
  }

  /** Saves every `intervalMs` from now on. */
  start(intervalMs: number): void {
    this.#loop = this.#saveRegularly(intervalMs);
  }

  /** Ends the regular saving; resolves when the last position is saved. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  async #saveRegularly(intervalMs: number): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await pause(intervalMs, this.#stopping.signal);
      await this.#save();
    }
    // A stop during a save: what was acknowledged since then is not saved yet.
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
