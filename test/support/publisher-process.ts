// A process of its own that publishes the sample events to a sink, so that a test can kill it.
// Arguments: the sink's entry in a configuration as JSON, state directory, number of events, number of keys,
// and which run this is; each event holds that and when it was taken in.
import { join } from "node:path";
import pino from "pino";
import { sinkOf } from "../../src/config/sink-entry.ts";
import { PipelineMonitor } from "../../src/pipeline/monitor.ts";
import { Pipeline } from "../../src/pipeline/pipeline.ts";
import type { EventSource, SourcedRecord } from "../../src/sources/event-source.ts";
import { CheckpointStore } from "../../src/state/checkpoint-store.ts";
import { DeadLetterFile } from "../../src/state/dead-letter.ts";
import { stateLayout } from "../../src/state/layout.ts";
import { sampleEvent, samplePosition } from "./sample-events.ts";

const [entry = "", stateDirectory = "", events = "0", keys = "1", run = "0"] =
  process.argv.slice(2);
const configured = sinkOf(JSON.parse(entry) as { name: string; url: string });
const checkpoints = await CheckpointStore.open(stateLayout(stateDirectory).checkpoint("sink"));
const first = Number(checkpoints.position?.sequence ?? 0n) + 1;

function* records(): Generator<SourcedRecord> {
  for (let n = first; n <= Number(events); n += 1) {
    const event = sampleEvent(n, `ca/${n % Number(keys)}`, 500);
    const data = { ...event.data, run: Number(run), taken: Date.now() };
    yield { position: samplePosition(n), events: [{ ...event, data }] };
  }
}

/** One chunk with all events, which are made as they are taken. */
class WholeSource implements EventSource {
  #isRead = false;

  async next() {
    if (this.#isRead) return null;
    this.#isRead = true;
    return { records: records(), more: true };
  }

  close(): void {}
}

const stop = new AbortController();
process.on("SIGTERM", () => stop.abort());
const pipeline = new Pipeline({
  source: new WholeSource(),
  sink: await configured.create(),
  limits: configured.limits,
  shrink: (event) => event,
  deadLetters: new DeadLetterFile(join(stateDirectory, "dead-letters", "sink.ndjson")),
  monitor: new PipelineMonitor(pino({ level: "silent" })),
  checkpoints,
  checkpointIntervalMs: 100,
});
await pipeline.run(stop.signal);
await checkpoints.close();
