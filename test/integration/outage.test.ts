import assert from "node:assert/strict";
import { suite, type TestContext, test } from "node:test";
import type { Sink } from "../../src/sinks/sink.ts";
import { assertDelivered } from "../contract/sink-contract.ts";
import { drainQueue } from "../support/drain-queue.ts";
import { countDuplicates, startFlow } from "../support/flow.ts";
import { kafkaSink, rabbitMqSink } from "../support/make-sink.ts";
import { MemorySource } from "../support/memory-source.ts";
import { testPipeline } from "../support/run-pipeline.ts";
import { scaled } from "../support/scale.ts";
import { until } from "../support/until.ts";
import type { Cluster } from "./support/broker-provider.ts";
import { startKafka, startRabbitmq } from "./support/brokers.ts";
import { readKafka } from "./support/read-kafka.ts";
import { syncRabbitmq } from "./support/sync-rabbitmq.ts";

/** Events that are published before the broker is killed, and once more after its return. */
const events = scaled(1500);
/** How often publishing fails while it is down. */
const failures = scaled(5);
const inFlight = scaled(1000, { least: 100, most: 5000 });

type Arrived = { readonly id: string; readonly partitionkey: string };

async function killAndReturn(
  t: TestContext,
  cluster: Cluster,
  sink: Sink,
  read: () => Promise<Arrived[]>,
) {
  const settings = { maxInFlightEvents: inFlight };
  const flow = await startFlow(t, sink, { eventsPerSecond: 800, keys: 200, settings });
  await flow.acknowledged(events);
  const { pipeline } = flow;
  const failed = () => Object.values(pipeline.stats().failures).reduce((sum, n) => sum + n, 0);
  const failedBefore = failed();
  await cluster.kill9(1);
  const isFull = () => pipeline.stats().inFlightEvents >= inFlight;
  await until(isFull, "as many events as allowed wait for the broker", {
    state: () => pipeline.stats(),
  });
  const last = failed() + failures;
  await until(() => failed() >= last, `publishing has failed ${failures} times more`);
  assert.ok(pipeline.stats().inFlightEvents <= inFlight, "memory is bounded while it is down");
  await cluster.restart(1);
  const failedDown = failed();
  await flow.moreAcknowledged(inFlight + events);
  await flow.end();
  const arrived = await read();
  assertDelivered(arrived, flow.sent());
  const duplicates = countDuplicates(arrived);
  // The kill interrupts one window. Another is sent again for each publish that fails while the broker is up.
  const failedUp = failedBefore + failed() - failedDown;
  const figures = `${duplicates} duplicates, ${failedUp} failures while the broker was up`;
  t.diagnostic(`${flow.sent().length} events: 0 missing, ${figures}`);
  assert.ok(duplicates <= inFlight * (1 + failedUp), `${figures}, the window is ${inFlight}`);
}

suite("a broker killed with SIGKILL while events flow, and started again", () => {
  test("Kafka: nothing is missing, order is kept, duplicates stay within the window", async (t) => {
    const kafka = await startKafka({ faults: true });
    t.after(() => kafka.stop());
    await kafka.createTopic("outage", { partitions: 6 });
    await killAndReturn(t, kafka, kafkaSink(kafka.bootstrapServers, "outage"), async () => {
      const messages = await readKafka(kafka.bootstrapServers, "outage");
      return messages.map(({ value }) => JSON.parse(value ?? ""));
    });
  });

  test("RabbitMQ: nothing is missing, order is kept, duplicates stay within the window", async (t) => {
    const rabbitmq = await startRabbitmq({ faults: true });
    t.after(() => rabbitmq.stop());
    const topology = { quorumQueues: [{ name: "outage" }] };
    const sink = rabbitMqSink(rabbitmq.urls, "outage", { topology });
    await sink.open();
    await syncRabbitmq(rabbitmq);
    await killAndReturn(t, rabbitmq, sink, async () => {
      const bodies = await drainQueue(rabbitmq.urls[0] ?? "", "outage");
      return bodies.map((body) => JSON.parse(body));
    });
  });
});

test("Kafka killed while there is nothing to publish is seen, and found again without an event", async (t) => {
  const kafka = await startKafka({ faults: true });
  t.after(() => kafka.stop());
  await kafka.createTopic("idle", { partitions: 2 });
  const sink = kafkaSink(kafka.bootstrapServers, "idle", { partitionCheckSeconds: 1 });
  const source = new MemorySource([], { tail: true });
  const { pipeline } = await testPipeline(t, source, sink);
  const stop = new AbortController();
  const running = pipeline.run(stop.signal);
  t.after(async () => {
    stop.abort();
    await running;
  });
  const state = () => pipeline.stats();
  await until(() => state().isConnected, "the sink is connected", { state });
  await kafka.kill9(1);
  await until(() => !state().isConnected, "the loss is seen", { state });
  assert.equal(state().publishedEvents, 0);
  await kafka.restart(1);
  await until(() => state().isConnected, "the broker is found again", { state });
  assert.equal(state().state, "publishing");
});
