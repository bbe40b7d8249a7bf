// A process of its own that publishes the sample events to a sink, so that a test can kill it.
// Arguments: kind of sink, its options as JSON, checkpoint file, number of events, number of keys.
import { join } from "node:path";
import pino from "pino";
import { CheckpointStore } from "../../src/journal/checkpoint-store.ts";
import { DeadLetterFile } from "../../src/pipeline/dead-letter.ts";
import type { SourcedRecord } from "../../src/pipeline/event-source.ts";
import { InternalEvents } from "../../src/pipeline/internal-events.ts";
import { Pipeline } from "../../src/pipeline/pipeline.ts";
import { createSink, type SinkConfiguration } from "../../src/sinks/registry.ts";
import { MemorySource } from "./memory-source.ts";
import { range } from "./run-pipeline.ts";
import { sampleEvent, samplePosition } from "./sample-events.ts";

const [configuration = "", stateDirectory = "", events = "0", keys = "1"] = process.argv.slice(2);
const configured = JSON.parse(configuration) as SinkConfiguration;
const checkpoints = await CheckpointStore.open(join(stateDirectory, "checkpoints", "sink.ckp"));
const first = Number(checkpoints.position?.sequence ?? 0n) + 1;
const records = range(first, Number(events)).map(
  (n): SourcedRecord => ({
    position: samplePosition(n),
    events: [sampleEvent(n, `ca/${n % Number(keys)}`, 500)],
  }),
);
const stop = new AbortController();
process.on("SIGTERM", () => stop.abort());
const pipeline = new Pipeline({
  source: MemorySource.of(records),
  sink: await createSink(configured),
  limits: configured.options.pipeline,
  shrink: (event) => event,
  deadLetters: new DeadLetterFile(join(stateDirectory, "dead-letters", "sink.ndjson")),
  events: new InternalEvents(pino({ level: "silent" })),
  checkpoints,
});
await pipeline.run(stop.signal);
await checkpoints.close();
