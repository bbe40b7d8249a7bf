import { describeCause } from "../errors/describe-cause.ts";
import type { DeadLetter, DeadLetterReason, DeadLetters } from "../state/dead-letter.ts";
import type { PipelineMonitor } from "./monitor.ts";
import { type RetryPolicy, retryUntilDone } from "./retry.ts";

/** What a dead letter holds: an event, or the record that it could not be made of. */
export type DeadContent = Pick<DeadLetter, "event" | "record"> & { readonly id: string };

/** Parts of a burial. */
export interface BurialOptions {
  /** Name of the sink. */
  readonly sink: string;
  readonly deadLetters: DeadLetters;
  readonly monitor: PipelineMonitor;
  readonly retry: RetryPolicy;
}

/** Writes the dead letters of one pipeline. */
export class Burial {
  readonly #options: BurialOptions;

  constructor(options: BurialOptions) {
    this.#options = options;
  }

  /** Writes a dead letter, however long it takes; false if the signal was aborted first. */
  async bury(
    reason: DeadLetterReason,
    cause: Error,
    { id, ...content }: DeadContent,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { sink, deadLetters, monitor, retry } = this.#options;
    const message = describeCause(cause);
    const letter = (): DeadLetter => {
      const time = new Date().toISOString();
      return { time, sink, reason, message, ...content };
    };
    const isWritten = await retryUntilDone(() => deadLetters.append(letter()).then(() => true), {
      policy: retry,
      signal,
      failed: (...failure) => monitor.deadLetterFailed(...failure),
    });
    if (isWritten !== true) return false;
    monitor.deadLettered(reason, id, cause, deadLetters.fill);
    return true;
  }
}
