import { z } from "zod";
import { CertwireError } from "../errors/certwire-error.ts";
import type { Detail } from "../events/envelope.ts";
import { kibibyte, mebibyte } from "../units.ts";
import type { SinkLimits } from "./sink.ts";

/** The part of the resolved options that every sink has. */
export interface ResolvedSinkOptions {
  /** Unique within a configuration: 1 to 63 of a-z, 0-9 and -. */
  readonly name: string;
  /** Default true. */
  readonly enabled: boolean;
  /** How much an event says. Default `standard`. */
  readonly detail: Detail;
  /** Limits of one batch and one event; the defaults are those of the kind of sink. */
  readonly limits: SinkLimits;
}

/** The least that `maxEventBytes` may be: every event can be made as small as that, in bytes of JSON. */
export const leastEventBytes = 16 * kibibyte;

/** Windows opens the device, whatever directory or extension a path has. */
const deviceName = /^(con|prn|aux|nul|(com|lpt)\d)$/;

/** The keys that the entry of every sink has, with the defaults of one kind. */
export function commonShape(defaults: SinkLimits) {
  return {
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "must be 1 to 63 of a-z, 0-9 and -, not starting with -")
      .refine((name) => !deviceName.test(name), "is the name of a device on Windows")
      .describe("Unique name of the sink, used in logs and in the names of its state files."),
    enabled: z
      .boolean()
      .default(true)
      .describe("A disabled sink publishes nothing and does not hold back journal deletion."),
    detail: z
      .enum(["standard", "full"] as const satisfies readonly Detail[])
      .default("standard")
      .describe(
        "`standard` leaves out what the certificate or CRL in the same event says already, `full` has every property that the exit module read.",
      ),
    batchEvents: z
      .int()
      .min(1)
      .max(10_000)
      .default(defaults.batchEvents)
      .describe("Maximum events in one batch."),
    batchBytes: z
      .int()
      .min(1)
      .max(64 * mebibyte)
      .default(defaults.batchBytes)
      .describe("Maximum bytes of JSON in one batch; a larger event is sent alone."),
    lingerMs: z
      .int()
      .min(0)
      .max(60_000)
      .default(defaults.lingerMs)
      .describe("How long a batch may wait to fill up while there is a backlog, in ms."),
    maxEventBytes: z
      .int()
      .min(leastEventBytes)
      .max(128 * mebibyte)
      .default(defaults.maxEventBytes)
      .describe(
        "Maximum size of an event, in bytes of JSON. A larger one loses its largest values; their length and SHA-256 stay.",
      ),
  };
}

type CommonEntry = z.infer<z.ZodObject<ReturnType<typeof commonShape>>>;

/** The common part of an entry in its resolved form. */
export function resolveCommon(entry: CommonEntry): ResolvedSinkOptions {
  const { name, enabled, detail, batchEvents, batchBytes, lingerMs, maxEventBytes } = entry;
  return { name, enabled, detail, limits: { batchEvents, batchBytes, lingerMs, maxEventBytes } };
}

/** A string schema whose value `parse` must accept; the error it throws becomes the issue's message. */
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
