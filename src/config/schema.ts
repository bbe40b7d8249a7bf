import { z } from "zod";
import { pathOption } from "../sinks/path-option.ts";
import type { SinkKind } from "../sinks/sink-kind.ts";
import { httpSection } from "./http-options.ts";
import { reconcileSection } from "./reconcile-options.ts";
import { parseSinkEntry, type SinkEntry } from "./sink-entry.ts";
import { isUriReference } from "./uri-reference.ts";

const journal = z
  .strictObject({
    directory: pathOption().describe(
      "Directory that the exit module writes to; a relative path starts at the configuration file.",
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
      .describe("How often an idle reader checks for new records, in ms."),
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
        "Maximum journal size, in MiB. At 85 % the oldest segments are deleted even if a sink still needs them. If the exit module's `MaxJournalMegabytes` is lower, it applies; raise both to get more space.",
      ),
    minFreeMegabytes: z
      .int()
      .min(0)
      .default(2048)
      .describe(
        "When free space nears this many MiB, or two of the largest segments more, published segments are deleted before the replay window ends, and a warning is logged. If the exit module's `MinFreeMegabytes` (where it stops recording) is higher, it applies.",
      ),
  })
  .describe("The journal: where it is, how it is read, how long it is kept.");

const state = z
  .strictObject({
    directory: pathOption().describe(
      "Directory for checkpoints, dead letters and copies of damaged records.",
    ),
  })
  .describe("What the service keeps for itself.");

const events = z
  .strictObject({
    source: z
      .string()
      .min(1)
      .refine(isUriReference, {
        error:
          "must be a URI reference (RFC 3986) such as urn:example:issuing-ca-1: no spaces, other characters percent-encoded",
      })
      .meta({ format: "uri-reference" })
      .optional()
      .describe(
        "CloudEvents `source`, a URI reference. Default: `urn:certwire:ca:` and the SHA-256 of the CA's public key.",
      ),
    typePrefix: z
      .string()
      .max(128)
      .regex(
        /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+$/,
        "must be a reversed DNS name that ends in a dot",
      )
      .default("io.certwire.")
      .describe("Prefix of every event type."),
    includeRawRequest: z
      .boolean()
      .default(false)
      .describe("Publishes whole certificate requests instead of their length and SHA-256."),
  })
  .describe("How records become events.");

const log = z
  .strictObject({
    level: z
      .enum(["trace", "debug", "info", "warn", "error", "fatal"])
      .default("info")
      .describe("Lowest severity that is logged."),
  })
  .describe("Logging: JSON lines on standard error.");

const health = z
  .strictObject({
    backlogSeconds: z
      .int()
      .min(1)
      .max(31_536_000)
      .default(900)
      .describe(
        "A sink is behind, and the health `degraded`, when its oldest unacknowledged event is older than this, in s.",
      ),
    quietHours: z
      .number()
      .min(0)
      .max(8760)
      .default(192)
      .describe(
        "The health is `degraded` when the CA has recorded nothing for longer than this, in hours; 0 never. A CA records at least its CRLs: set it above the time between two of them.",
      ),
  })
  .describe("What the health counts as too long.");

/** Every section except the sinks, whose schemas depend on their URLs. */
export const sections = z.strictObject({
  $schema: z.string().optional().describe("Schema for editors: `./schema.json`."),
  journal,
  state,
  events: events.prefault({}),
  log: log.prefault({}),
  health: health.prefault({}),
  http: httpSection.optional(),
  reconcile: reconcileSection.optional(),
});

/** Schema of the whole configuration file, with these kinds of sinks. */
export function configSchema(kinds: readonly SinkKind[]) {
  return sections.extend({
    sinks: z
      .array(
        z.unknown().transform((value, context): SinkEntry => {
          const { entry, issues } = parseSinkEntry(value, kinds);
          context.issues.push(...issues);
          return entry ?? z.NEVER;
        }),
      )
      .min(1),
  });
}

/** The configuration with its defaults, as `configSchema` accepts it. */
export type Config = z.infer<ReturnType<typeof configSchema>>;
