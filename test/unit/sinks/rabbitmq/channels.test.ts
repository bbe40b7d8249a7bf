import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { OutboundEvent } from "../../../../src/events/outbound-event.ts";
import type { RabbitMqSink } from "../../../../src/sinks/rabbitmq/sink.ts";
import { type FakeOptions, startFakeRabbitMq } from "../../../support/fake-rabbitmq.ts";
import { rabbitMqSink } from "../../../support/make-sink.ts";
import { MemorySource } from "../../../support/memory-source.ts";
import { neverStopped, range, testPipeline } from "../../../support/run-pipeline.ts";
import { sampleEvent, sampleOutbound } from "../../../support/sample-events.ts";

const signal = new AbortController().signal;

/** A broker that ends the connection of a user who opens more than `limit.channels` channels. */
function userLimit(limit: { channels: number }): FakeOptions {
  return {
    refuse: ({ method, channels }) =>
      method === "20.10" && channels >= limit.channels
        ? {
            closes: "connection",
            replyCode: 530,
            replyText: `NOT_ALLOWED - number of channels opened for user 'ca' has reached the maximum allowed user limit of (${limit.channels})`,
          }
        : undefined,
  };
}

async function setUp(t: TestContext, options: FakeOptions) {
  const broker = await startFakeRabbitMq(() => true, options);
  const lines: { level: number; msg: string }[] = [];
  const sink = rabbitMqSink([broker.url], "events", { lanes: 4 }, (line) =>
    lines.push(JSON.parse(line)),
  );
  t.after(async () => {
    await sink.close();
    broker.stop();
  });
  return { broker, sink, warnings: () => lines.filter(({ level }) => level >= 40) };
}

async function publishOnEachLane(sink: RabbitMqSink): Promise<void> {
  const batches = new Map<number, OutboundEvent[]>();
  for (const n of range(1, 40)) {
    const event = sampleOutbound(n, `ca/${n}`);
    const lane = sink.laneOf(event);
    batches.set(lane, [...(batches.get(lane) ?? []), event]);
  }
  assert.equal(batches.size, sink.lanes, "every lane has events");
  const publishing = [...batches].map(([lane, batch]) => sink.publish(lane, batch, signal));
  const outcomes = await Promise.all(publishing);
  assert.ok(outcomes.every(({ failure }) => failure === undefined));
}

test("with channel_max below `lanes` there are fewer lanes, and one warning", async (t) => {
  const { broker, sink, warnings } = await setUp(t, { channelMax: 2 });
  await sink.open(signal);
  assert.equal(sink.lanes, 2);
  await publishOnEachLane(sink);
  assert.equal(broker.connections(), 1);
  await sink.open(signal);
  assert.deepEqual(
    warnings().map(({ msg }) => msg),
    ["the broker allows fewer channels than lanes are configured"],
  );
  assert.match(sink.findings[0]?.message ?? "", /allows 2 of the 4 channels/);
});

test("with a limit of the user there are as many lanes as channels, and one warning", async (t) => {
  const { sink, warnings } = await setUp(t, userLimit({ channels: 3 }));
  await sink.open(signal);
  assert.equal(sink.lanes, 3);
  await publishOnEachLane(sink);
  assert.equal(warnings().length, 1);
});

test("a user without any channel is a configuration error with the broker's text", async (t) => {
  const { sink } = await setUp(t, userLimit({ channels: 0 }));
  await assert.rejects(sink.open(signal), (error) => {
    assert.equal(Object(error).exitCode, 78);
    assert.match(String(Object(error).cause), /530|maximum allowed user limit of \(0\)/);
    return true;
  });
});

test("a limit that is lowered while events flow costs lanes and no event", async (t) => {
  const limit = { channels: 4 };
  const { broker, sink } = await setUp(t, userLimit(limit));
  const source = new MemorySource(range(1, 60).map((n) => sampleEvent(n, `ca/${n}`)));
  const { pipeline } = await testPipeline(t, source, sink);
  const open = sink.open.bind(sink);
  sink.open = async (abort) => {
    await open(abort);
    if (limit.channels === 2) return;
    limit.channels = 2;
    broker.close(320, "CONNECTION_FORCED - closed by an operator");
  };
  await pipeline.run(neverStopped);
  assert.equal(pipeline.stats().acknowledgedEvents, 60);
  assert.equal(pipeline.stats().lanes, 2);
  assert.equal(pipeline.stats().relayouts, 1);
});

test("after a nack the next batch has a channel of its own", async (t) => {
  let isRefusing = true;
  const broker = await startFakeRabbitMq(() => (isRefusing ? "nack" : true));
  const sink = rabbitMqSink([broker.url], "events", { lanes: 1 });
  t.after(async () => {
    await sink.close();
    broker.stop();
  });
  await sink.open(signal);
  const { failure } = await sink.publish(0, [sampleOutbound(1)], signal);
  assert.equal(failure?.kind, "retry-identical");
  isRefusing = false;
  assert.deepEqual(await sink.publish(0, [sampleOutbound(1)], signal), { acknowledged: 1 });
  const methods = broker.requests().map(({ method }) => method);
  const [opened, published, closed] = ["20.10", "60.40", "20.40"];
  const between = methods.slice(methods.indexOf(published) + 1, methods.lastIndexOf(published));
  assert.deepEqual(between, [closed, opened, "85.10"], methods.join());
});

test("a lane keeps its channel while a full queue takes some of its events", async (t) => {
  let taken = 0;
  const broker = await startFakeRabbitMq(() => (++taken % 2 === 1 ? true : "nack"));
  const sink = rabbitMqSink([broker.url], "events", { lanes: 1 });
  t.after(async () => {
    await sink.close();
    broker.stop();
  });
  await sink.open(signal);
  const batch = [1, 2, 3, 4].map((n) => sampleOutbound(n));
  const outcome = await sink.publish(0, batch, signal);
  assert.equal(outcome.acknowledged, 1);
  assert.equal(outcome.failure?.kind, "retry-identical");
  await sink.publish(0, batch.slice(1), signal);
  const closed = broker.requests().filter(({ method }) => method === "20.40");
  assert.deepEqual(closed, []);
});
