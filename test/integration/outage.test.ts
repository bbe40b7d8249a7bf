import assert from "node:assert/strict";
import { suite, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Sink } from "../../src/sinks/sink.ts";
import { assertDelivered } from "../contract/sink-contract.ts";
import { countDuplicates, sizeFromEnvironment, startFlow } from "../support/flow.ts";
import { kafkaSink, rabbitMqSink } from "../support/make-sink.ts";
import type { Cluster } from "./support/broker-provider.ts";
import { startKafka, startRabbitmq } from "./support/brokers.ts";
import { readKafka } from "./support/read-kafka.ts";
import { readRabbitmq } from "./support/read-rabbitmq.ts";

const events = sizeFromEnvironment("CERTWIRE_OUTAGE_EVENTS", 4000);
const downSeconds = sizeFromEnvironment("CERTWIRE_OUTAGE_SECONDS", 6);
const eventsPerSecond = 800;
const inFlight = 1000;

type Arrived = { readonly id: string; readonly partitionkey: string };

async function killAndReturn(
  t: TestContext,
  cluster: Cluster,
  sink: Sink,
  read: () => Promise<Arrived[]>,
) {
  const settings = { maxInFlightEvents: inFlight };
  const flow = await startFlow(t, sink, { events, eventsPerSecond, keys: 200, settings });
  await flow.acknowledged(events / 4);
  await cluster.kill9(1);
  await sleep(downSeconds * 1000);
  assert.ok(flow.pipeline.stats().inFlightEvents <= inFlight, "memory is bounded while it is down");
  await cluster.restart(1);
  await flow.acknowledged(events, 120_000);
  await flow.end();
  const arrived = await read();
  assertDelivered(arrived, flow.sent());
  const duplicates = countDuplicates(arrived);
  t.diagnostic(`${events} events, ${downSeconds} s down: 0 missing, ${duplicates} duplicates`);
  assert.ok(duplicates <= inFlight, `${duplicates} duplicates, the window is ${inFlight}`);
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
    // RabbitMQ stores a new queue a moment after it has confirmed it.
    await sink.open();
    await sleep(2000);
    await killAndReturn(t, rabbitmq, sink, async () => {
      const bodies = await readRabbitmq(rabbitmq.urls[0] ?? "", "outage");
      return bodies.map((body) => JSON.parse(body));
    });
  });
});
