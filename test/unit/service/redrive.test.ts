import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import pino from "pino";
import type { OutboundEvent } from "../../../src/events/outbound-event.ts";
import { Router } from "../../../src/events/router.ts";
import { PipelineMonitor } from "../../../src/pipeline/monitor.ts";
import { type LetterToSend, redrive } from "../../../src/service/redrive.ts";
import { RedrivenMarks } from "../../../src/state/redriven.ts";
import { temporaryDirectory } from "../../support/run-cli.ts";
import { neverStopped, range } from "../../support/run-pipeline.ts";
import { sampleEvent } from "../../support/sample-events.ts";
import { ScriptedSink } from "../../support/scripted-sink.ts";

const time = "2026-01-31T12:00:00.000Z";
const cause = new Error("no queue takes it");
const limits = {
  maxInFlightEvents: 4096,
  maxInFlightBytes: 16 * 1024 * 1024,
  retryInitialMs: 1,
  retryMaxMs: 5,
  deadLetterAfterSeconds: 3600,
  maxDeadLetterMegabytes: 1024,
};

/** Letters with these events each. */
async function* letters(...events: number[][]): AsyncGenerator<LetterToSend> {
  for (const numbers of events) {
    const [first = 0] = numbers;
    const sent = numbers.map((n) => sampleEvent(n));
    yield { sink: "a", id: `letter-${first}`, times: [time], bytes: 1000, events: sent };
  }
}

async function marksIn(context: TestContext) {
  const directory = temporaryDirectory(context);
  const marks = await RedrivenMarks.read(join(directory, "redriven.ndjson"));
  context.after(() => marks.close());
  return { directory, marks };
}

function run(
  sink: ScriptedSink,
  marks: RedrivenMarks,
  source: AsyncIterable<LetterToSend>,
  router?: Router,
) {
  const monitor = new PipelineMonitor(pino({ level: "silent" }));
  const shrink = <Event>(event: Event): Event => event;
  const options = { letters: source, sink, limits, shrink, router, monitor, marks };
  return (signal: AbortSignal) => redrive(options, signal);
}

function markedIn(marks: RedrivenMarks, numbers: readonly number[]): number[] {
  return numbers.filter((n) => marks.timeOf({ sink: "a", id: `letter-${n}`, time }) !== undefined);
}

test("a letter is marked once all of its events are acknowledged", async (context) => {
  const { marks } = await marksIn(context);
  const sink = new ScriptedSink();
  const done = await run(sink, marks, letters([1], [2, 3], [4]))(neverStopped);
  assert.deepEqual(done, { letters: 3, events: 4, refused: 0 });
  assert.deepEqual(sink.accepted, range(1, 4));
  assert.deepEqual(markedIn(marks, range(1, 4)), [1, 2, 4]);
});

test("a letter goes where the routes say now", async (context) => {
  const { marks } = await marksIn(context);
  const sink = new ScriptedSink();
  const seen: (string | undefined)[] = [];
  sink.laneOf = ({ destination }: OutboundEvent) => {
    seen.push(destination?.topic);
    return 0;
  };
  const [issued, other] = [() => ({ topic: "issued" }), () => ({ topic: "other" })];
  const destinations = { routes: [issued], fallback: other, usesTemplateOrCa: false };
  const router = new Router([{ kind: ["certificate.issued"] }], destinations);
  await run(sink, marks, letters([1]), router)(neverStopped);
  assert.deepEqual([...new Set(seen)], ["issued"]);
});

test("a letter that is refused again is counted with its reason, and stays unmarked", async (context) => {
  const { marks } = await marksIn(context);
  const sink = new ScriptedSink();
  sink.script = ({ sequences }) => {
    const at = sequences.indexOf(3);
    return at === -1 ? undefined : { acknowledged: at, failure: { kind: "poison", cause } };
  };
  const done = await run(sink, marks, letters([1], [2, 3], [4]))(neverStopped);
  assert.deepEqual(done, { letters: 2, events: 3, refused: 1, firstRefusal: cause.message });
  assert.deepEqual(markedIn(marks, range(1, 4)), [1, 4]);
});

test("the mark of a letter is on disk before its lane goes on", async (context) => {
  const { directory, marks } = await marksIn(context);
  const sink = new ScriptedSink(1, { batchEvents: 1 });
  const seen: number[][] = [];
  sink.script = async () => {
    const onDisk = await RedrivenMarks.read(join(directory, "redriven.ndjson"));
    seen.push(markedIn(onDisk, range(1, 3)));
    return undefined;
  };
  await run(sink, marks, letters([1], [2], [3]))(neverStopped);
  assert.deepEqual(seen, [[], [1], [1, 2]]);
});

test("a redrive whose marks cannot be written ends with an error, and does not publish all the rest", async (context) => {
  const { directory, marks } = await marksIn(context);
  await mkdir(join(directory, "redriven.ndjson")); // nothing can be written there
  const sink = new ScriptedSink(1, { batchEvents: 1 });
  const all = range(1, 5000).map((n) => [n]);
  await assert.rejects(run(sink, marks, letters(...all))(neverStopped), {
    code: "CERTWIRE_CHECKPOINT_FAILED",
    hint: /publishes them again/,
  });
  assert.ok(sink.accepted.length < all.length, `${sink.accepted.length} were published`);
});

test("an unreadable source ends the redrive with its error, after what was read is published", async (context) => {
  const { marks } = await marksIn(context);
  const sink = new ScriptedSink();
  async function* torn(): AsyncGenerator<LetterToSend> {
    yield* letters([1], [2]);
    throw new Error("the disk is gone");
  }
  await assert.rejects(run(sink, marks, torn())(neverStopped), /the disk is gone/);
  assert.deepEqual(markedIn(marks, [1, 2]), [1, 2]);
});
