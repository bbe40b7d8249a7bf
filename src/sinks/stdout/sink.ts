import { Writable } from "node:stream";
import type { OutboundEvent } from "../../events/outbound-event.ts";
import type { LineOutput } from "../../files/file-output.ts";
import { standardOutput } from "../../files/standard-output.ts";
import type { ResolvedSinkOptions } from "../common-options.ts";
import type { PublishOutcome, Sink, SinkLimits } from "../sink.ts";
import { toStdoutFailure } from "./errors.ts";

const newline = Buffer.from("\n");

/** One event a line on standard output; a batch is acknowledged once the stream has written it. */
export class StdoutSink implements Sink {
  readonly kind = "stdout";
  readonly lanes = 1;
  readonly name: string;
  readonly limits: SinkLimits;
  readonly #output: LineOutput;
  #writing: Promise<unknown> = Promise.resolve();

  /** `output`: default standard output. */
  constructor(options: ResolvedSinkOptions, output: LineOutput = standardOutput()) {
    this.name = options.name;
    this.limits = options.limits;
    this.#output = output;
    // The callback of `write` has each error; without a listener the event ends the process.
    if (output instanceof Writable) output.on("error", ignore);
  }

  async open(): Promise<void> {}

  laneOf(): number {
    return 0;
  }

  async publish(
    _lane: number,
    batch: readonly OutboundEvent[],
    signal: AbortSignal,
  ): Promise<PublishOutcome> {
    const lines = Buffer.concat(batch.flatMap(({ json }) => [json, newline]));
    const writing = this.#write(lines, signal);
    this.#writing = writing.catch(ignore);
    try {
      await writing;
      return { acknowledged: batch.length };
    } catch (error) {
      return { acknowledged: 0, failure: toStdoutFailure(error) };
    }
  }

  async close(): Promise<void> {
    await this.#writing;
  }

  /** Writes and waits until the stream has passed it on; a reader that pauses is not an error. */
  async #write(lines: Buffer, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const aborted = (): void => reject(signal.reason);
      if (signal.aborted) return aborted();
      signal.addEventListener("abort", aborted, { once: true });
      this.#output.write(lines, (error) => {
        signal.removeEventListener("abort", aborted);
        if (error) reject(error);
        else resolve();
      });
    });
  }
}

function ignore(): void {}
