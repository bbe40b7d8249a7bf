import assert from "node:assert/strict";
import { test } from "node:test";
import type { Destination } from "../../../src/events/destination.ts";
import type { CertwireEvent } from "../../../src/events/event.ts";
import { eventOf, type OutboundEvent } from "../../../src/events/outbound-event.ts";
import { Redactor } from "../../../src/events/redaction/redactor.ts";
import { Router } from "../../../src/events/router.ts";
import { shrinkEvent } from "../../../src/events/shrink-event.ts";
import { UnroutableGrace } from "../../../src/pipeline/unroutable-grace.ts";
import { MemorySource } from "../../support/memory-source.ts";
import { neverStopped, testPipeline } from "../../support/run-pipeline.ts";
import { sampleEvent } from "../../support/sample-events.ts";
import { ScriptedSink } from "../../support/scripted-sink.ts";

/** Events of CA `b` go to the topic `small`, all others to one that is named by the template. */
const router = new Router([{ ca: ["b"] }], {
  routes: [() => ({ topic: "small" })],
  fallback: ({ template = "none" }) => ({ topic: template }),
  usesTemplateOrCa: true,
});

function ofCa(sequence: number, name: string): CertwireEvent {
  const [ca, request] = [{ name, id: name }, { signerPolicies: "x".repeat(5000) }];
  const certificate = { template: { name: "Web" } };
  return { ...sampleEvent(sequence), data: { ca, request, certificate, problems: [] } };
}

/** A sink with a limit of its own for the topic `small`, and all that it was given. */
class TwoTopics extends ScriptedSink {
  readonly seen: OutboundEvent[] = [];
  smallest = 2000;

  override laneOf(event: OutboundEvent): number {
    this.seen.push(event);
    return 0;
  }

  maxEventBytesAt({ topic }: Destination): number {
    return topic === "small" ? this.smallest : this.limits.maxEventBytes;
  }
}

test("each event names its destination, and is as small as that one wants it", async (t) => {
  const sink = new TwoTopics();
  const source = new MemorySource([ofCa(1, "a"), ofCa(2, "b")]);
  const { pipeline } = await testPipeline(t, source, sink, { router, shrink: shrinkEvent });
  await pipeline.run(neverStopped);
  const [first, second] = sink.seen;
  assert.deepEqual(
    [first?.destination, second?.destination],
    [{ topic: "Web" }, { topic: "small" }],
  );
  assert.ok((first?.json.length ?? 0) > 5000);
  assert.ok((second?.json.length ?? Infinity) <= 2000);
});

test("an event keeps its destination when that turns out to accept less", async (t) => {
  const sink = new TwoTopics();
  sink.smallest = 100_000;
  sink.script = (_batch, call) => {
    if (call > 1) return undefined;
    sink.smallest = 2000;
    const cause = new Error("refused as too large");
    return { acknowledged: 0, failure: { kind: "reset", scope: "sink", cause } };
  };
  const source = new MemorySource([ofCa(1, "b"), ofCa(2, "a")]);
  const { pipeline } = await testPipeline(t, source, sink, { router, shrink: shrinkEvent });
  await pipeline.run(neverStopped);
  assert.deepEqual(sink.accepted, [1, 2]);
  const again = sink.seen.slice(-2);
  assert.deepEqual(
    again.map(({ destination }) => destination?.topic),
    ["small", "Web"],
  );
  assert.ok((again[0]?.json.length ?? Infinity) <= 2000);
  assert.ok((again[1]?.json.length ?? 0) > 5000);
});

test("a destination is named by what the sink shows, and chosen by what was there before", async (t) => {
  const sink = new TwoTopics();
  const redactor = new Redactor({ remove: ["certificate.template", "ca.name"], hash: [], key: "" });
  const source = new MemorySource([ofCa(1, "a"), ofCa(2, "b")]);
  const { pipeline } = await testPipeline(t, source, sink, { router, redactor });
  await pipeline.run(neverStopped);
  assert.deepEqual(
    sink.seen.slice(0, 2).map(({ destination }) => destination?.topic),
    ["none", "small"],
  );
  assert.doesNotMatch(JSON.stringify(sink.seen.map(eventOf)), /"Web"/);
});

test("each destination has its own time before its unroutable events are given up", () => {
  const grace = new UnroutableGrace(0);
  const to = (id: string, exchange: string, routingKey: string) =>
    ({ id, kind: "crl.issued", destination: { exchange, routingKey } }) as const;
  grace.accepted(to("1", "a", "x"));
  assert.ok(grace.mayWait(to("2", "a", "x"), 1), "it has a binding: an outage");
  for (const other of [to("3", "b", "x"), to("4", "a", "y")]) {
    assert.ok(!grace.mayWait(other, 1), `${other.id} never had one`);
  }
});
