import assert from "node:assert/strict";
import { test } from "node:test";
import { ObservedSink } from "../../../src/pipeline/observed-sink.ts";
import type { Sink } from "../../../src/sinks/sink.ts";
import { sampleOutbound } from "../../support/sample-events.ts";
import { ScriptedSink } from "../../support/scripted-sink.ts";

const signal = new AbortController().signal;

test("an observed sink shows what its sink says about the destination", () => {
  const sink = new ScriptedSink();
  const findings = [{ message: "one replica", hint: "Add another." }];
  const observed: Sink = new ObservedSink(Object.assign(sink, { findings }), () => undefined);
  assert.equal(observed.isBlocked, false);
  sink.isBlocked = true;
  assert.equal(observed.isBlocked, true);
  assert.deepEqual(observed.findings, findings);
  assert.deepEqual(new ObservedSink(new ScriptedSink(), () => undefined).findings, []);
});

test("an observer gets the events that were acknowledged, and no others", async () => {
  const sink = new ScriptedSink();
  const cause = new Error("busy");
  sink.script = () => ({ acknowledged: 1, failure: { kind: "retry-identical", cause } });
  const seen: string[] = [];
  const observed = new ObservedSink(sink, (name, events) => {
    seen.push(...events.map(({ id }) => `${name} ${id}`));
  });
  const [first, second] = [sampleOutbound(1), sampleOutbound(2)];
  await observed.publish(0, [first, second], signal);
  assert.deepEqual(seen, [`scripted ${first.id}`]);
});
