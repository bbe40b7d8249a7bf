// Publishes the first events of a journal to a sink that discards them, as the service does, and prints what it took as
// one line of JSON: node backlog-reader.js JOURNAL EVENTS
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pino from "pino";
import { CaIdentity } from "../src/events/ca-identity.ts";
import type { OutboundEvent } from "../src/events/outbound-event.ts";
import { shrinkEvent } from "../src/events/shrink-event.ts";
import { JournalReader } from "../src/journal/journal-reader.ts";
import { PipelineMonitor } from "../src/pipeline/monitor.ts";
import { Pipeline } from "../src/pipeline/pipeline.ts";
import type { Sink } from "../src/sinks/sink.ts";
import { JournalSource } from "../src/sources/journal-source.ts";
import { DeadLetterFile } from "../src/state/dead-letter.ts";

/** What publishing a part of a backlog took. */
export interface BacklogResult {
  readonly events: number;
  /** From the creation of the reader to the first publish. */
  readonly firstPublishMs: number;
  /** Frames that were read by then. */
  readonly framesBeforePublish: number;
  /** Processor time of the process, all threads, for one event. */
  readonly cpuMicrosecondsPerEvent: number;
  /** Resident memory after a quarter of the events, and its maximum afterwards, in MiB. */
  readonly rssMegabytes: { readonly quarter: number; readonly most: number };
}

const [directory = "", wanted = "0"] = process.argv.slice(2);
const state = mkdtempSync(join(tmpdir(), "certwire-backlog-"));
const done = new AbortController();
const startedAt = performance.now();
const startedCpu = process.cpuUsage();
let firstPublishMs = 0;
let framesBeforePublish = 0;
let events = 0;
let quarter = 0;
let most = 0;

function count(batch: readonly OutboundEvent[]): void {
  if (events === 0) {
    firstPublishMs = performance.now() - startedAt;
    framesBeforePublish = reader.stats().framesRead;
  }
  events += batch.length;
  const rss = process.memoryUsage.rss() / 2 ** 20;
  if (events * 4 < Number(wanted)) quarter = rss;
  most = Math.max(most, rss);
  if (events >= Number(wanted)) done.abort();
}

const sink: Sink = {
  name: "nothing",
  kind: "nothing",
  lanes: 1,
  limits: { batchEvents: 100, batchBytes: 1024 * 1024, lingerMs: 5, maxEventBytes: 1024 * 1024 },
  open: async () => undefined,
  laneOf: () => 0,
  publish: async (_lane, batch) => {
    count(batch);
    return { acknowledged: batch.length };
  },
  close: async () => undefined,
};

const reader = new JournalReader({ directory, position: null });
const pipeline = new Pipeline({
  source: new JournalSource({
    frames: reader,
    context: { options: {}, identity: new CaIdentity() },
  }),
  sink,
  limits: {
    maxInFlightEvents: 4096,
    maxInFlightBytes: 16 * 1024 * 1024,
    retryInitialMs: 100,
    retryMaxMs: 1000,
    deadLetterAfterSeconds: 0,
    maxDeadLetterMegabytes: 1024,
  },
  shrink: shrinkEvent,
  deadLetters: new DeadLetterFile(join(state, "dead-letters.ndjson")),
  monitor: new PipelineMonitor(pino({ level: "silent" })),
});
await pipeline.run(done.signal);
rmSync(state, { recursive: true });
const { user, system } = process.cpuUsage(startedCpu);
const result: BacklogResult = {
  events,
  firstPublishMs: Math.round(firstPublishMs),
  framesBeforePublish,
  cpuMicrosecondsPerEvent: Math.round((user + system) / events),
  rssMegabytes: { quarter: Math.round(quarter), most: Math.round(most) },
};
process.stdout.write(`${JSON.stringify(result)}\n`);
