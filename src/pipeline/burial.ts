import { clock } from "../clock.ts";
import { describeCause } from "../errors/describe-cause.ts";
import type { DeadLetter, DeadLetterReason, DeadLetters } from "../state/dead-letter.ts";
import type { PipelineMonitor } from "./monitor.ts";
import { type RetryPolicy, retryUntilDone } from "./retry.ts";
import type { DeadKind } from "./trouble.ts";

/** What is to become a dead letter. */
export interface DeadEvent {
  readonly reason: DeadLetterReason;
  readonly cause: Error;
  readonly id: string;
  /** Kind of the event, or `record` for one that could not be decoded. */
  readonly kind: DeadKind["kind"];
  /** Makes what the letter holds, an event or the record that it could not be made of. May fail for want of memory. */
  readonly content: () => Pick<DeadLetter, "event" | "record">;
  /** Called after each try that failed. Default nothing. */
  readonly failed?: () => void;
}

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
  async bury(dead: DeadEvent, signal: AbortSignal): Promise<boolean> {
    const { reason, cause, id, kind } = dead;
    const { sink, deadLetters, monitor, retry } = this.#options;
    const message = describeCause(cause);
    const letter = (): DeadLetter => {
      const time = new Date(clock.time()).toISOString();
      return { time, sink, reason, message, ...dead.content() };
    };
    const isWritten = await retryUntilDone(() => deadLetters.append(letter()).then(() => true), {
      policy: retry,
      signal,
      failed: (...failure) => {
        monitor.deadLetterFailed(...failure);
        dead.failed?.();
      },
    });
    if (isWritten !== true) return false;
    monitor.deadLettered(reason, id, cause, deadLetters.fill, kind);
    return true;
  }
}
