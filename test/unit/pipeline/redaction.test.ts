import assert from "node:assert/strict";
import { test } from "node:test";
import type { CertwireEvent } from "../../../src/events/event.ts";
import { eventOf } from "../../../src/events/outbound-event.ts";
import { keyedHash, Redactor } from "../../../src/events/redaction/redactor.ts";
import { shrinkEvent } from "../../../src/events/shrink-event.ts";
import { MemorySource } from "../../support/memory-source.ts";
import { neverStopped, testPipeline } from "../../support/run-pipeline.ts";
import { sampleEvent } from "../../support/sample-events.ts";
import { ScriptedSink } from "../../support/scripted-sink.ts";

const key = "0123456789abcdef";
const redactor = new Redactor({ remove: [], hash: ["request.requesterName"], key });
const hash = keyedHash(key, "CORP\\alice");

function ofAlice(sequence: number, more: object = {}): CertwireEvent {
  const request = { requesterName: "CORP\\alice", dispositionMessage: "by CORP\\alice", ...more };
  return { ...sampleEvent(sequence), data: { request, problems: [] } };
}

test("a sink sees only the redacted event, and so does its dead letter", async (t) => {
  const sink = new ScriptedSink();
  const seen: CertwireEvent[] = [];
  const laneOf = sink.laneOf.bind(sink);
  sink.laneOf = (event) => {
    seen.push(eventOf(event));
    return laneOf(event);
  };
  const cause = new Error("refused");
  sink.script = (_batch, call) =>
    call === 1 ? { acknowledged: 0, failure: { kind: "poison", cause } } : undefined;
  const source = new MemorySource([ofAlice(1), ofAlice(2)]);
  const { pipeline, deadLetters, logLines } = await testPipeline(t, source, sink, { redactor });
  await pipeline.run(neverStopped);
  const [letter] = await deadLetters();
  assert.deepEqual(Object(letter?.event?.data["request"]).requesterName, hash);
  assert.equal(Object(seen[1]?.data["request"]).dispositionMessage, `by ${hash}`);
  assert.doesNotMatch(JSON.stringify([letter, seen, logLines]), /alice/i);
});

test("an event is made smaller after it was redacted, so that no hash of a name is in its problems", async (t) => {
  const sink = new ScriptedSink(1, { maxEventBytes: 1000 });
  const seen: CertwireEvent[] = [];
  sink.laneOf = (event) => {
    seen.push(eventOf(event));
    return 0;
  };
  const source = new MemorySource([ofAlice(1, { signerPolicies: "x".repeat(5000) })]);
  const { pipeline } = await testPipeline(t, source, sink, { redactor, shrink: shrinkEvent });
  await pipeline.run(neverStopped);
  const [event] = seen;
  assert.equal(Object(event?.data["request"]).requesterName, hash);
  assert.match(JSON.stringify(event?.data["problems"]), /signerPolicies","reason":"omitted"/);
});

test("an event that no JSON can hold is redacted in its dead letter too", async (t) => {
  const source = new MemorySource([ofAlice(1, { statusCodeCode: 1n })]);
  const { pipeline, deadLetters } = await testPipeline(t, source, new ScriptedSink(), { redactor });
  await pipeline.run(neverStopped);
  const [letter] = await deadLetters();
  assert.equal(letter?.reason, "unencodable");
  assert.match(JSON.stringify(letter), new RegExp(hash));
  assert.doesNotMatch(JSON.stringify(letter), /alice/i);
});

test("an event whose redaction has a fault becomes a dead letter that shows nothing of it", async (t) => {
  class FaultyRedactor extends Redactor {
    override redact(): never {
      throw new TypeError("a fault");
    }
  }
  const faulty = new FaultyRedactor({ remove: ["request.requesterName"], hash: [], key });
  const sink = new ScriptedSink();
  const source = new MemorySource([ofAlice(1)]);
  const { pipeline, deadLetters } = await testPipeline(t, source, sink, { redactor: faulty });
  await pipeline.run(neverStopped);
  const [letter] = await deadLetters();
  assert.deepEqual(sink.batches, []);
  assert.deepEqual([letter?.reason, letter?.message], ["unencodable", "a fault"]);
  assert.doesNotMatch(JSON.stringify(letter), /alice/i);
});
