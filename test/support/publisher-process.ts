// A process of its own that publishes the sample events to a sink and kills itself with SIGKILL in the middle
// of a publish. Its argument is a `PublisherRun` as JSON; without a `kill` it ends by itself.
import { openSync, writeSync } from "node:fs";
import { join } from "node:path";
import pino from "pino";
import { CheckpointStore, checkpointPath } from "../../src/journal/checkpoint-store.ts";
import type { JournalPosition } from "../../src/journal/position.ts";
import { DeadLetterFile } from "../../src/pipeline/dead-letter.ts";
import type { EventSource, SourcedRecord } from "../../src/pipeline/event-source.ts";
import { InternalEvents } from "../../src/pipeline/internal-events.ts";
import { Pipeline } from "../../src/pipeline/pipeline.ts";
import { createSink, type SinkConfiguration } from "../../src/sinks/registry.ts";
import type { Sink } from "../../src/sinks/sink.ts";
import { sampleEvent, samplePosition } from "./sample-events.ts";
import { turns, until } from "./until.ts";

/** When a publisher kills itself. */
export interface KillPoint {
  /** At the first publish after so many events were acknowledged. */
  readonly acknowledged: number;
  /** True: once the cursor is on disk, as far as it has come. */
  readonly isSaved: boolean;
  /** Turns of the event loop between the beginning of that publish and the kill. */
  readonly turns: number;
}

/** What a publisher does. */
export interface PublisherRun {
  readonly sink: SinkConfiguration;
  readonly stateDirectory: string;
  /** Number of events, and of keys. */
  readonly events: number;
  readonly keys: number;
  /** Which run this is; each event says so. */
  readonly run: number;
  readonly kill?: KillPoint;
}

const { sink, stateDirectory, events, keys, run, kill } = JSON.parse(
  process.argv[2] ?? "",
) as PublisherRun;
const store = await CheckpointStore.open(checkpointPath(stateDirectory, "sink"));
const first = Number(store.position?.sequence ?? 0n) + 1;
const savedLog = openSync(join(stateDirectory, "saved"), "a");
let acknowledged = 0;
let saved = 0n;

function* records(): Generator<SourcedRecord> {
  for (let n = first; n <= events; n += 1) {
    const event = sampleEvent(n, `ca/${n % keys}`, 500);
    yield { position: samplePosition(n), events: [{ ...event, data: { ...event.data, run } }] };
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

/** The cursor; writes down what was saved once that is done. */
const checkpoints = {
  async save(position: JournalPosition): Promise<void> {
    await store.save(position);
    writeSync(savedLog, `${position.sequence}\n`);
    saved = position.sequence;
  },
};

/** Comes true: the other lanes are at the kill point soon too, so that the cursor stands. */
function isCursorSaved(): boolean {
  return (pipeline.stats().position?.sequence ?? 0n) <= saved;
}

/** The sink; kills the process while it publishes. */
function mortal(target: Sink, point: KillPoint): Sink {
  const publish = target.publish.bind(target);
  target.publish = async (...batch) => {
    const isDue = acknowledged >= point.acknowledged;
    if (isDue && point.isSaved) await until(isCursorSaved, "the cursor is saved");
    const publishing = publish(...batch);
    if (isDue) {
      await turns(point.turns);
      process.kill(process.pid, "SIGKILL");
    }
    const outcome = await publishing;
    acknowledged += outcome.acknowledged;
    return outcome;
  };
  return target;
}

const created = await createSink(sink);
const pipeline = new Pipeline({
  source: new WholeSource(),
  sink: kill ? mortal(created, kill) : created,
  limits: sink.options.pipeline,
  shrink: (event) => event,
  deadLetters: new DeadLetterFile(join(stateDirectory, "dead-letters", "sink.ndjson")),
  events: new InternalEvents(pino({ level: "silent" })),
  checkpoints,
  checkpointIntervalMs: 100,
});
await pipeline.run(new AbortController().signal);
await store.close();
