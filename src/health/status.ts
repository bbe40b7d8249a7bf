import { z } from "zod";
import { findingClasses } from "../events/finding-event.ts";
import { writerConditions } from "../journal/writer-beat.ts";
import { healthReasons } from "./reasons.ts";

const time = z.iso.datetime().describe("UTC, RFC 3339.");
const count = z.int().min(0);

const reason = z
  .strictObject({
    code: z.enum(Object.keys(healthReasons) as [string, ...string[]]),
    state: z.enum(["degraded", "failing"]),
    sink: z.string().optional().describe("Name of the sink; absent if it is about none."),
    since: time.optional().describe("Since when; absent if that is not known."),
    detail: z.string().optional().describe("What exactly: an error, a number, a name."),
    meaning: z.string(),
    hint: z.string().describe("What to do."),
    docs: z.string().describe("Section of the documentation, below `docs/`."),
    runbook: z
      .string()
      .optional()
      .describe("Alert whose runbook says more: `certwire explain NAME` prints it."),
  })
  .describe("Why the state is not `ok`.");

const duration = z
  .strictObject({
    count,
    p50Us: z.number().optional(),
    p99Us: z.number().optional(),
    p999Us: z.number().optional(),
    maxUs: z.number().optional(),
  })
  .describe("Durations in microseconds, each the lower end of a bucket that is at most 25 % wide.");

const segment = z.strictObject({
  name: z.string().describe("Name of its file."),
  epochNumber: count,
  segment: count.describe("Index inside the epoch, from 0."),
  firstSequence: z.string(),
  startedTime: time,
  bytes: count.describe("Size of its file, with an unused end."),
});

/** How many of a journal's segments are listed. */
export const maxListedSegments = 100;

const journal = z.strictObject({
  directory: z.string(),
  epochs: count,
  segments: count,
  bytes: count.describe("Bytes of its segments, unused ends of files included."),
  capacityBytes: count.describe("Bytes that it may come to have."),
  maxBytes: count.describe("Its maximum size, the stricter of configuration and exit module."),
  minFreeBytes: count.describe("Free space that its volume must keep, the stricter of both."),
  freeBytes: count.describe("Bytes free on its volume."),
  newestSegments: z
    .array(segment)
    .describe(`Its newest ${maxListedSegments} segments at most, the oldest of them first.`),
  newestGapTime: time
    .optional()
    .describe(
      "When the newest gap that stands for a loss was recorded or read; absent if none is known.",
    ),
  newest: z
    .strictObject({ epochNumber: count, epochId: z.string(), sequence: z.string(), time })
    .optional()
    .describe("The newest record; absent if there is none."),
  writer: z
    .enum(["running", "stopped", "unknown"])
    .describe("Whether the exit module holds its lock; `unknown` in a container, for instance."),
  writerBeat: z
    .strictObject({
      time,
      condition: z
        .enum(writerConditions)
        .describe("What is wrong with the exit module, the worst of it; `ok` if nothing is."),
      osError: z.int().optional().describe("System error of the operation that fails."),
      droppedRecords: count.describe("Records dropped since the exit module started."),
      waitingBytes: count.describe("Memory of records that are not written yet."),
    })
    .optional()
    .describe(
      "The newest sign of life of the exit module, which gives one every 10 s while it runs; absent if there is none.",
    ),
  durations: z
    .strictObject({ append: duration, write: duration, flush: duration })
    .optional()
    .describe("What the exit module measured."),
});

const sink = z.strictObject({
  name: z.string(),
  kind: z.string(),
  state: z
    .enum(["connecting", "publishing", "retrying", "alarm", "draining", "stopped"])
    .optional()
    .describe("State of its pipeline; only from a running service."),
  connected: z
    .boolean()
    .optional()
    .describe(
      "Whether the sink reaches its broker or files, as far as it has noticed; only from a running service.",
    ),
  checkpoint: z
    .strictObject({
      state: z.enum(["found", "new", "damaged"]),
      savedTime: time.optional(),
      epochNumber: count.optional(),
      epochId: z.string().optional(),
      sequence: z.string().optional(),
      segment: count.optional().describe("Index of its segment inside the epoch."),
      offset: count.optional().describe("Byte of the segment's file that it is at."),
    })
    .optional()
    .describe(
      "Everything before it is acknowledged or a dead letter; absent if it cannot be read.",
    ),
  backlog: z
    .strictObject({
      records: count.optional().describe("Absent if the checkpoint is in an older epoch."),
      bytes: count.describe(
        "Bytes of the journal after the checkpoint, unused ends of older segments included; 0 if no record follows.",
      ),
      oldestTime: time.optional().describe("Of the oldest record that is not acknowledged."),
    })
    .optional()
    .describe("What is not acknowledged; absent if journal or checkpoint cannot be read."),
  deadLetters: z
    .strictObject({
      bytes: count.describe("Bytes of their files."),
      share: z.number().describe("The same as a share of their limit."),
      newestTime: time.optional(),
    })
    .optional()
    .describe("Absent if they cannot be read."),
  counters: z
    .strictObject({
      acknowledgedEvents: count,
      acknowledgedBytes: count.describe("JSON bytes of these events."),
      skippedEvents: count.describe("Events that the sink does not want."),
      failedPublishes: count.describe("Publishes that failed; all but refused events are retried."),
      inFlightEvents: count.describe("Events read and not yet acknowledged: a gauge."),
      lanes: count.describe("Lanes at work; 0 before the sink was opened."),
      deadLetters: z.record(z.string(), count).describe("Dead letters written, by reason."),
      gaps: z.record(z.string(), count).describe("Gaps read from the journal, by reason."),
    })
    .optional()
    .describe("Since the start of the service; only from a running service."),
});

const reconcile = z.strictObject({
  running: z.boolean().describe("Whether one runs now."),
  mayRead: z
    .boolean()
    .optional()
    .describe(
      "Whether the service's account may read the database; absent before the CA has said so.",
    ),
  lastTime: time.optional().describe("When the last complete one began; absent if there was none."),
  rows: count.optional().describe("Rows of the database that it compared."),
  open: z
    .record(z.enum(findingClasses), count)
    .optional()
    .describe("Open findings, by class; absent before the state directory was read."),
  unlisted: count.optional().describe("Findings that are too many to become events yet."),
  nextTime: time.optional().describe("When the next one begins; absent while one runs."),
  overdueTime: time.optional().describe("From when on the next complete one is overdue."),
});

/** Schema of what `certwire status --json` prints and the endpoint `/status` answers. */
export const statusSchema = z
  .strictObject({
    state: z.enum(["ok", "degraded", "failing"]).describe("The worst of the reasons."),
    time: time.describe("When this was found, RFC 3339."),
    service: z.strictObject({
      state: z.enum(["running", "stopped", "unknown"]),
      version: z.string().describe("Version of Certwire that says this."),
      pid: z.int().optional(),
      host: z.string().optional(),
      startedTime: time.optional(),
    }),
    reasons: z.array(reason).describe("The worst first."),
    journal: journal.optional().describe("Absent if it cannot be read."),
    sinks: z.array(sink).describe("The enabled sinks."),
    reconcile: reconcile
      .optional()
      .describe(
        "The scheduled comparison with the CA's database; only from a running service that has one.",
      ),
  })
  .describe("State of health of a Certwire service.");

/** What `certwire status --json` prints. */
export type Status = z.infer<typeof statusSchema>;

/** Its JSON Schema (2020-12). */
export function statusJsonSchema(): object {
  const { $schema, ...rest } = z.toJSONSchema(statusSchema, { target: "draft-2020-12" });
  return { $schema, $id: "urn:certwire:schema:status:v1", title: "Certwire status", ...rest };
}
