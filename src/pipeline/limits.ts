import { z } from "zod";
import { mebibyte } from "../units.ts";

/** How much a pipeline keeps in flight, and how it retries. */
export interface PipelineLimits {
  /** Maximum events from the oldest unacknowledged one to the newest one read. Default 4096. */
  readonly maxInFlightEvents: number;
  /** Maximum JSON bytes held in memory. Default 16 MiB. */
  readonly maxInFlightBytes: number;
  /** First delay before a failed batch is sent again, in ms; doubled after each failure. Default 100. */
  readonly retryInitialMs: number;
  /** Longest delay between two tries, in ms; 2000 at most between two reads of the source. Default 15000. */
  readonly retryMaxMs: number;
  /** How long an event that the broker cannot route is retried before it is a dead letter, in s. Default 3600. */
  readonly deadLetterAfterSeconds: number;
  /** Maximum size of the sink's dead letters, in MiB; at the limit the sink waits. Default 1024. */
  readonly maxDeadLetterMegabytes: number;
}

/** The keys of a sink's entry that set the limits of its pipeline. */
export const pipelineLimitsShape = {
  maxInFlightEvents: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(4096)
    .describe(
      "Maximum events from the oldest unacknowledged one onward. Limits how many duplicates a restart can cause.",
    ),
  maxInFlightBytes: z
    .int()
    .min(1)
    .max(1024 * mebibyte)
    .default(16 * mebibyte)
    .describe("Maximum bytes of JSON held in memory for this sink."),
  retryInitialMs: z
    .int()
    .min(1)
    .max(60_000)
    .default(100)
    .describe("Delay before a failed batch is sent again, in ms; doubled after each failure."),
  retryMaxMs: z
    .int()
    .min(1)
    .max(3_600_000)
    .default(15_000)
    .describe(
      "Longest delay between tries, in ms. The journal is read again after 2 s at the latest.",
    ),
  deadLetterAfterSeconds: z
    .int()
    .min(0)
    .default(3600)
    .describe(
      "How long an event that the broker cannot route is retried before it becomes a dead letter, in s. Time while the broker is unreachable does not count. Further events of that kind with the same exchange and routing key are dead-lettered immediately, until one is routed or ten minutes pass. Events of a kind of which the broker has routed one in this way before, also before a restart, are retried without limit.",
    ),
  maxDeadLetterMegabytes: z
    .int()
    .min(1)
    .max(1_048_576)
    .default(1024)
    .describe(
      "Maximum size of all dead-letter files of this sink, in MiB. At 80 % an error is logged; at the limit the sink waits until files were redriven and deleted. Nothing is deleted by itself.",
    ),
};

const pipelineLimits = z.object(pipelineLimitsShape);

/** The limits in an entry, with defaults; other keys are ignored. Throws a ZodError on a value out of range. */
export function resolvePipelineLimits(entry: object): PipelineLimits {
  return pipelineLimits.parse(entry);
}
