// A backfill from a fake database, in a process that kills itself with SIGKILL in the middle. Its argument is a
// `BackfillTask` as JSON.
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import pino from "pino";
import { CaDatabase } from "../../src/ca-database/ca-database.ts";
import { sinkOf } from "../../src/config/sink-entry.ts";
import { EventFilter } from "../../src/events/event-filter.ts";
import { shrinkEvent } from "../../src/events/shrink-event.ts";
import { PipelineMonitor } from "../../src/pipeline/monitor.ts";
import { ObservedSink } from "../../src/pipeline/observed-sink.ts";
import { BackfillPlace } from "../../src/reconcile/backfill-place.ts";
import { ContentIndex } from "../../src/reconcile/content-index.ts";
import { JournalContents } from "../../src/reconcile/journal-contents.ts";
import { identifyBoth } from "../../src/reconcile/known-database.ts";
import { LiveBacklog } from "../../src/reconcile/live-backlog.ts";
import { Pace } from "../../src/reconcile/pace.ts";
import { runBackfill } from "../../src/reconcile/run-backfill.ts";
import { RunFile } from "../../src/reconcile/run-file.ts";
import { DeadLetterFile } from "../../src/state/dead-letter.ts";
import { stateLayout } from "../../src/state/layout.ts";
import { FakeCaDatabase } from "./fake-ca-database.ts";
import { killedRows } from "./killed-backfill-rows.ts";
import type { UrlEntry } from "./patient-entry.ts";
import { replaceMethod } from "./replace-method.ts";
import { turns } from "./until.ts";

/** What such a process does. */
export interface BackfillTask {
  readonly journal: string;
  readonly state: string;
  /** The sink. */
  readonly entry: UrlEntry;
  readonly rows: number;
  /** How fast it may be, and the checkpoint that says how far the service is; default as fast as it can. */
  readonly pace?: { readonly perSecond: number; readonly checkpoint: string };
  readonly kill?: {
    /** Batches that are acknowledged before. */
    readonly batches: number;
    /**
     * In a batch: while it is written, when it is acknowledged, while that is kept, or when it is kept. Or when the place
     * where the next run goes on was moved, or before it is removed at the end.
     */
    readonly at: "publishing" | "acknowledged" | "keeping" | "kept" | "placed" | "ended";
    /** Turns of the event loop. */
    readonly turns: number;
  };
}

const { journal, state, entry, rows, pace, kill } = JSON.parse(
  process.argv[2] ?? "",
) as BackfillTask;
let batches = 0;

async function dieAt(at: NonNullable<BackfillTask["kill"]>["at"]): Promise<void> {
  if (kill?.at !== at || batches < kill.batches) return;
  await turns(kill.turns);
  process.kill(process.pid, "SIGKILL");
}

replaceMethod(ObservedSink.prototype, "publish", (publish) => {
  return async function mortalPublish(this: ObservedSink, lane, batch, signal) {
    const publishing = publish.call(this, lane, batch, signal);
    await dieAt("publishing");
    return publishing;
  };
});

replaceMethod(ContentIndex.prototype, "write", (write) => {
  return async function mortalWrite(this: ContentIndex) {
    await dieAt("acknowledged");
    const writing = write.call(this);
    await dieAt("keeping");
    await writing;
    batches += 1;
    await dieAt("kept");
  };
});

replaceMethod(BackfillPlace.prototype, "save", (save) => {
  return async function mortalSave(this: BackfillPlace, after) {
    await save.call(this, after);
    await dieAt("placed");
  };
});

replaceMethod(BackfillPlace.prototype, "remove", (remove) => {
  return async function mortalRemove(this: BackfillPlace) {
    await dieAt("ended");
    return remove.call(this);
  };
});

const native = new FakeCaDatabase(killedRows(rows));
native.now = Date.now;
const paths = stateLayout(state).reconcile;
const sleep = async (_: number, signal: AbortSignal) => signal.throwIfAborted();
const compared = {
  database: new CaDatabase(native, { config: "CA01\\Contoso", sleep }),
  contents: await JournalContents.open(paths),
  journal,
};

function paceOf(): Pace {
  if (pace === undefined) {
    return new Pace({ perSecond: 1_000_000, isLiveBehind: async () => false, sleep });
  }
  const live = new LiveBacklog(journal, pace.checkpoint);
  return new Pace({
    perSecond: pace.perSecond,
    isLiveBehind: () => live.isBehind(),
    sleep: async (ms, signal) => delay(ms, undefined, { signal }),
  });
}

const { signal } = new AbortController();
const selection = { fromRequest: 1 };
const run = await RunFile.open(paths.run);
const options = {
  ...compared,
  facts: await identifyBoth({ ...compared, run }, signal),
  run,
  published: new ContentIndex(paths.published("sink")),
  selection,
  settleMs: 0,
  events: {},
  filter: new EventFilter({}),
  pace: paceOf(),
  place: new BackfillPlace(paths.backfill("sink"), selection),
  progress: () => undefined,
};
const target = sinkOf({ ...entry, name: "sink" });
const log = pino({ level: "silent" });
await runBackfill(
  options,
  {
    sink: await target.create(log),
    limits: target.limits,
    shrink: shrinkEvent,
    deadLetters: new DeadLetterFile(join(state, "dead.ndjson"), { fileBytes: 1e6, maxBytes: 1e6 }),
    monitor: new PipelineMonitor(log),
  },
  signal,
);
