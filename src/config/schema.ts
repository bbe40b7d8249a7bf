import { z } from "zod";
import { parseSinkEntry, type SinkEntry } from "./sink-kinds.ts";

/** Where the exit module's journal is and how it is read. */
const journal = z
  .strictObject({
    directory: z
      .string()
      .min(1)
      .describe(
        "Directory that the exit module writes to; relative paths start at the configuration file.",
      ),
    mode: z
      .enum(["durable", "committed"])
      .default("durable")
      .describe(
        "`durable` publishes records once they are flushed to disk, `committed` as soon as they are written.",
      ),
    pollMs: z
      .int()
      .min(1)
      .max(10_000)
      .default(20)
      .describe("How often an idle reader looks for new records, in ms."),
    replayWindowDays: z
      .number()
      .min(0)
      .max(3650)
      .default(7)
      .describe("How long published records are kept for replay, in days."),
    maxMegabytes: z
      .int()
      .min(64)
      .default(10_240)
      .describe(
        "Size of the journal, in MiB. From 85 % of it on the oldest segments are deleted although a sink still needs them. Where the exit module's `MaxJournalMegabytes` is lower, that counts; to have more, raise both.",
      ),
    minFreeMegabytes: z
      .int()
      .min(0)
      .default(2048)
      .describe(
        "Free space near which published segments are deleted before their time, in MiB; the log tells of it. Where the exit module's `MinFreeMegabytes`, below which it stops recording, is higher, that counts.",
      ),
  })
  .describe("Where the journal is and how it is read.");

const state = z
  .strictObject({
    directory: z
      .string()
      .min(1)
      .describe("Directory of checkpoints, dead letters and copies of damaged records."),
  })
  .describe("What the service itself keeps.");

const events = z
  .strictObject({
    source: z
      .string()
      .min(1)
      .optional()
      .describe(
        "CloudEvents `source`; default `urn:certwire:ca:` and the SHA-256 of the CA's public key.",
      ),
    typePrefix: z
      .string()
      .max(128)
      .regex(/^[a-z0-9-]+(\.[a-z0-9-]+)*\.$/, "must be a reversed DNS name that ends in a dot")
      .default("io.certwire.")
      .describe("First part of every event type."),
    includeRawRequest: z
      .boolean()
      .default(false)
      .describe("Publishes certificate requests whole instead of their length and SHA-256."),
  })
  .describe("How events are made from records.");

const log = z
  .strictObject({
    level: z
      .enum(["trace", "debug", "info", "warn", "error", "fatal"])
      .default("info")
      .describe("Least severe messages that are logged."),
  })
  .describe("Logging: JSON lines on standard error.");

/** Every section but the sinks, whose schemas depend on their URLs. */
export const sections = z.strictObject({
  $schema: z.string().optional().describe("Schema for editors: `./schema.json`."),
  journal,
  state,
  events: events.prefault({}),
  log: log.prefault({}),
});

/** The whole configuration file. */
export const configSchema = sections.extend({
  sinks: z
    .array(
      z.unknown().transform((value, context): SinkEntry => {
        const { entry, issues } = parseSinkEntry(value);
        context.issues.push(...issues);
        return entry ?? z.NEVER;
      }),
    )
    .min(1),
});

/** The configuration with its defaults, as `configSchema` accepts it. */
export type Config = z.infer<typeof configSchema>;
