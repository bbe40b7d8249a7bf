// A process of its own that publishes the sample events to a sink and kills itself with SIGKILL in the middle
// of a publish. Its argument is a `PublisherRun` as JSON; without a `kill` it ends by itself.
import { openSync, writeSync } from "node:fs";
import { join } from "node:path";
import pino from "pino";
import { sinkOf } from "../../src/config/sink-entry.ts";
import type { EventKind } from "../../src/events/event.ts";
import type { JournalPosition } from "../../src/journal/position.ts";
import { PipelineMonitor } from "../../src/pipeline/monitor.ts";
import { Pipeline } from "../../src/pipeline/pipeline.ts";
import type { Sink } from "../../src/sinks/sink.ts";
import type { EventSource, SourcedRecord } from "../../src/sources/event-source.ts";
import { CheckpointStore } from "../../src/state/checkpoint-store.ts";
import { DeadLetterFile } from "../../src/state/dead-letter.ts";
import { stateLayout } from "../../src/state/layout.ts";
import { sampleEvent, samplePosition } from "./sample-events.ts";
import { turns, until } from "./until.ts";

/** When a publisher kills itself. */
export interface KillPoint {
  /** At the first publish after this many events were acknowledged. */
  readonly acknowledged: number;
  /** True: once the cursor is on disk, as far as it has come. */
  readonly isSaved: boolean;
  /** Turns of the event loop between the beginning of that publish and the kill. */
  readonly turns: number;
}

/** What a publisher does. */
export interface PublisherRun {
  readonly sink: Parameters<typeof sinkOf>[0];
  readonly stateDirectory: string;
  /** Number of events, and of keys. */
  readonly events: number;
  readonly keys: number;
  /** Kinds of the events, in turn. Default: certificate.issued. */
  readonly kinds?: readonly EventKind[];
  /** Which run this is; each event says so. */
  readonly run: number;
  readonly kill?: KillPoint;
}

const {
  sink,
  stateDirectory,
  events,
  keys,
  kinds = [],
  run,
  kill,
} = JSON.parse(process.argv[2] ?? "") as PublisherRun;
const store = await CheckpointStore.open(stateLayout(stateDirectory).checkpoint("sink"));
const first = Number(store.position?.sequence ?? 0n) + 1;
const savedLog = openSync(join(stateDirectory, "saved"), "a");
let acknowledged = 0;
let saved = 0n;

function* records(): Generator<SourcedRecord> {
  for (let n = first; n <= events; n += 1) {
    const event = sampleEvent(n, `ca/${n % keys}`, 500);
    const kind = kinds[n % kinds.length] ?? "certificate.issued";
    const type = `io.certwire.${kind}.v1`;
    const data = { ...event.data, run };
    yield { position: samplePosition(n), events: [{ ...event, type, data }] };
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
  keep: () => store.keep(),
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

const configured = sinkOf(sink);
const created = await configured.create();
const pipeline = new Pipeline({
  source: new WholeSource(),
  sink: kill ? mortal(created, kill) : created,
  limits: configured.limits,
  ...(configured.router && { router: configured.router }),
  shrink: (event) => event,
  deadLetters: new DeadLetterFile(stateLayout(stateDirectory).deadLetters("sink")),
  monitor: new PipelineMonitor(pino({ level: "silent" })),
  checkpoints,
  checkpointIntervalMs: 100,
});
await pipeline.run(new AbortController().signal);
await store.close();
