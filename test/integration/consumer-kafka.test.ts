import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { Kafka, logLevel } from "kafkajs";
import { kafkaTopic } from "../../src/consumer/kafka/topic-source.ts";
import type { CertwireEvent } from "../../src/events/event.ts";
import { type ConsumerPlace, testConsumerContract } from "../contract/consumer-contract.ts";
import { kafkaSink } from "../support/make-sink.ts";
import { publishEvents } from "../support/publish-events.ts";
import { assertConsumed, RunningConsumer } from "../support/running-consumer.ts";
import { sampleEvent } from "../support/sample-events.ts";
import { scaled } from "../support/scale.ts";
import { patienceMs } from "../support/until.ts";
import type { KafkaCluster } from "./support/broker-provider.ts";
import { startKafka } from "./support/brokers.ts";
import { produceKafka } from "./support/read-kafka.ts";

suite("consuming from a real Kafka broker", () => {
  let kafka: KafkaCluster;
  let topics = 0;
  before(async () => {
    kafka = await startKafka({ faults: true });
  });
  after(() => kafka.stop());

  /** After `sessionTimeout` of silence a member loses its partitions, and what it has handled is redelivered. */
  function sourceOf(topic: string, sessionTimeout = patienceMs / 2) {
    const client = { brokers: [...kafka.bootstrapServers], retry: { initialRetryTime: 100 } };
    const consumer = { sessionTimeout, heartbeatInterval: 500, maxWaitTimeInMs: 200 };
    return kafkaTopic({ client, topic, groupId: `group-${topic}`, consumer });
  }

  async function makePlace(): Promise<ConsumerPlace & { readonly topic: string }> {
    topics += 1;
    const topic = `consumed-${topics}`;
    await kafka.createTopic(topic, { partitions: 4 });
    return {
      topic,
      source: () => sourceOf(topic),
      // After a kill the broker waits that long for the member that the consumer was.
      outlivingSource: () => sourceOf(topic, 10_000),
      publish: (t, events, mode = "structured") =>
        publishEvents(t, events, kafkaSink(kafka.bootstrapServers, topic, { mode })),
      publishText: (text) => produceKafka(kafka.bootstrapServers, topic, 1, [text]),
      async restartBroker() {
        await kafka.kill9(1);
        await kafka.restart(1);
      },
    };
  }

  testConsumerContract({
    makePlace,
    missing: () => sourceOf("missing"),
    stopsWithoutRepeats: false,
  });

  test("members that join and leave take partitions over from each other, and nothing is left out", async (t) => {
    const place = await makePlace();
    const events = Array.from({ length: scaled(600, { least: 60 }) }, (_, n) =>
      sampleEvent(n + 1, `ca/${n % 40}`),
    );
    const all: CertwireEvent[] = [];
    const member = () => new RunningConsumer(t, place.source(), { concurrency: 4 }, undefined, all);
    const [early, middle, late] = [0, 1, 2].map((part) =>
      events.slice((part * events.length) / 3, ((part + 1) * events.length) / 3),
    ) as [CertwireEvent[], CertwireEvent[], CertwireEvent[]];
    const first = member();
    await place.publish(t, early);
    await first.untilHandled(early.length / 2);
    const second = member();
    const joined = () =>
      second.lines.some(({ msg, partitions }) => {
        return msg === "joined the consumer group" && Object.keys(Object(partitions)).length > 0;
      });
    await second.until(joined, "the second member has partitions");
    await place.publish(t, middle);
    await second.untilHandled(early.length + middle.length);
    await first.stop();
    await place.publish(t, late);
    await second.untilHandled(events.length);
    await second.stop();
    assertConsumed(all, events);
    const repeated = all.length - new Set(all.map(({ id }) => id)).size;
    t.diagnostic(`${repeated} of ${events.length} events were delivered twice`);
  });

  test("a client that is handed in is used", async (t) => {
    const place = await makePlace();
    const events = [sampleEvent(1), sampleEvent(2)];
    await place.publish(t, events);
    const brokers = [...kafka.bootstrapServers];
    const client = new Kafka({ brokers, clientId: "own", logLevel: logLevel.NOTHING });
    const source = kafkaTopic({ client, topic: [place.topic], groupId: "own" });
    const run = new RunningConsumer(t, source);
    await run.untilHandled(2);
    const admin = client.admin();
    await admin.connect();
    const { groups } = await admin.describeGroups(["own"]);
    await admin.disconnect();
    assert.equal(groups[0]?.members[0]?.clientId, "own");
    await run.stop();
  });
});
