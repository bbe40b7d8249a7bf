import { z } from "zod";
import { CertwireError } from "../errors/certwire-error.ts";
import type { SinkLimits } from "./sink.ts";

/** What the pipeline in front of a sink keeps to. */
export interface PipelineLimits {
  /** Most events between the oldest unacknowledged one and the newest one read. */
  readonly maxInFlightEvents: number;
  /** Most JSON bytes held in memory for this sink. */
  readonly maxInFlightBytes: number;
  /** First delay before a failed batch is sent again, in ms; doubled with each failure. */
  readonly retryInitialMs: number;
  /** Largest delay between two tries, in ms. */
  readonly retryMaxMs: number;
  /** How long an event that nothing takes (no route) is tried before it is a dead letter, in s. */
  readonly deadLetterAfterSeconds: number;
}

/** The part of the resolved options that every sink has. */
export interface ResolvedSinkOptions {
  readonly name: string;
  readonly enabled: boolean;
  readonly limits: SinkLimits;
  readonly pipeline: PipelineLimits;
}

/** Defaults that differ between the kinds of sinks. */
export type LimitDefaults = SinkLimits;

const kibibyte = 1024;

/** The fields that the entry of every sink has, with the defaults of one kind. */
export function commonShape(defaults: LimitDefaults) {
  return {
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "must be 1 to 63 of a-z, 0-9 and -, not starting with -")
      .describe("Name of the sink: in logs, metrics and the names of its state files. Unique."),
    enabled: z
      .boolean()
      .default(true)
      .describe("A disabled sink publishes nothing and keeps no journal segment from deletion."),
    batchEvents: positive(10_000)
      .default(defaults.batchEvents)
      .describe("Most events of one batch."),
    batchBytes: positive(64 * kibibyte * kibibyte)
      .default(defaults.batchBytes)
      .describe("Most bytes of JSON in one batch; a larger event goes alone."),
    lingerMs: z
      .int()
      .min(0)
      .max(60_000)
      .default(defaults.lingerMs)
      .describe("How long a batch waits to be filled while there is a backlog, in ms."),
    maxEventBytes: z
      .int()
      .min(16 * kibibyte)
      .max(128 * kibibyte * kibibyte)
      .default(defaults.maxEventBytes)
      .describe("Largest event, in bytes of JSON; a larger one loses its largest binary values."),
    maxInFlightEvents: positive(1_000_000)
      .default(4096)
      .describe("Most events from the oldest unacknowledged one on: the bound of duplicates."),
    maxInFlightBytes: positive(1024 * kibibyte * kibibyte)
      .default(16 * kibibyte * kibibyte)
      .describe("Most bytes of JSON held in memory for this sink."),
    retryInitialMs: positive(60_000)
      .default(100)
      .describe("Delay before a failed batch is sent again, in ms; doubled with each failure."),
    retryMaxMs: positive(3_600_000).default(15_000).describe("Largest delay between tries, in ms."),
    deadLetterAfterSeconds: z
      .int()
      .min(0)
      .default(300)
      .describe(
        "How long an event that the broker cannot route is tried before it goes to the dead letters, in s. Only time in which the broker answers counts. Later events of its kind follow at once, until one is routed or ten minutes have passed.",
      ),
  };
}

type CommonEntry = z.infer<z.ZodObject<ReturnType<typeof commonShape>>>;

/** The common part of an entry in its resolved form. */
export function resolveCommon(entry: CommonEntry): ResolvedSinkOptions {
  const { batchEvents, batchBytes, lingerMs, maxEventBytes } = entry;
  const { maxInFlightEvents, maxInFlightBytes, retryInitialMs, retryMaxMs } = entry;
  const { deadLetterAfterSeconds } = entry;
  return {
    name: entry.name,
    enabled: entry.enabled,
    limits: { batchEvents, batchBytes, lingerMs, maxEventBytes },
    pipeline: {
      maxInFlightEvents,
      maxInFlightBytes,
      retryInitialMs,
      retryMaxMs,
      deadLetterAfterSeconds,
    },
  };
}

/** A string schema whose value `parse` must take; what it throws becomes the issue's message. */
export function parsedString(parse: (value: string) => unknown): z.ZodString {
  return z.string().superRefine((value, context) => {
    try {
      parse(value);
    } catch (error) {
      if (!(error instanceof CertwireError)) throw error;
      context.addIssue({ code: "custom", message: error.message, params: { hint: error.hint } });
    }
  });
}

/** How events are written into messages. */
export const contentMode = z
  .enum(["structured", "binary"])
  .default("structured")
  .describe(
    "CloudEvents content mode: `structured` puts the whole event into the body, `binary` its attributes into headers.",
  );

/** How events are written into messages. */
export type ContentMode = z.infer<typeof contentMode>;

function positive(max: number) {
  return z.int().min(1).max(max);
}
