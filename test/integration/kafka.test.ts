import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { Kafka, logLevel } from "kafkajs";
import { assertDelivered, testSinkContract } from "../contract/sink-contract.ts";
import { kafkaSink } from "../support/make-sink.ts";
import { MemorySource } from "../support/memory-source.ts";
import { neverStopped, range, testPipeline } from "../support/run-pipeline.ts";
import { sampleEvent, sampleOutbound, sequenceOf } from "../support/sample-events.ts";
import { scaled } from "../support/scale.ts";
import { until } from "../support/until.ts";
import type { KafkaCluster } from "./support/broker-provider.ts";
import { startKafka } from "./support/brokers.ts";
import { readKafka } from "./support/read-kafka.ts";

const signal = new AbortController().signal;

suite("the Kafka sink on a real broker", () => {
  let kafka: KafkaCluster;
  let topics = 0;
  before(async () => {
    kafka = await startKafka({ faults: true });
  });
  after(() => kafka.stop());

  async function freshTopic(partitions: number, config: Record<string, string> = {}) {
    topics += 1;
    const topic = `certwire-${topics}`;
    await kafka.createTopic(topic, { partitions, config });
    return topic;
  }

  async function readEvents(topic: string) {
    const messages = await readKafka(kafka.bootstrapServers, topic);
    return messages.map(({ value }) => JSON.parse(value ?? ""));
  }

  testSinkContract({
    name: "kafka",
    async setUp() {
      const topic = await freshTopic(8);
      return {
        create: () => kafkaSink(kafka.bootstrapServers, topic),
        read: () => readEvents(topic),
        breakDown: () => kafka.kill9(1),
        repair: () => kafka.restart(1),
      };
    },
  });

  test("structured mode puts the event's very bytes into the value, under the partition key", async () => {
    const topic = await freshTopic(1);
    const sink = kafkaSink(kafka.bootstrapServers, topic);
    await sink.open();
    const event = sampleOutbound(1, "ca/7");
    await sink.publish(0, [event], signal);
    await sink.close();
    const [message] = await readKafka(kafka.bootstrapServers, topic);
    assert.equal(message?.value, event.json.toString("utf8"));
    assert.equal(message?.key, "ca/7");
    assert.deepEqual(message?.headers, [["content-type", "application/cloudevents+json"]]);
  });

  test("binary mode puts the attributes into ce_ headers and the data into the value", async () => {
    const topic = await freshTopic(1);
    const sink = kafkaSink(kafka.bootstrapServers, topic, { mode: "binary", compression: "gzip" });
    await sink.open();
    const event = sampleEvent(1, "ca/7");
    await sink.publish(0, [sampleOutbound(1, "ca/7")], signal);
    await sink.close();
    const [message] = await readKafka(kafka.bootstrapServers, topic);
    assert.deepEqual(JSON.parse(message?.value ?? ""), event.data);
    const headers = Object.fromEntries(message?.headers ?? []);
    const { data: _data, datacontenttype, ...attributes } = event;
    const expected = Object.entries(attributes).map(([name, value]) => [`ce_${name}`, value]);
    assert.deepEqual(headers, { "content-type": datacontenttype, ...Object.fromEntries(expected) });
  });

  test("one event that is too large for the topic is found in its batch and is the only dead letter", async (t) => {
    const topic = await freshTopic(3, { "max.message.bytes": "20000" });
    const events = range(1, 60).map((n) => sampleEvent(n, `ca/${n % 5}`, n === 31 ? 30_000 : 50));
    const sink = kafkaSink(kafka.bootstrapServers, topic, { batchBytes: 60_000 });
    const { pipeline, deadLetters } = await testPipeline(t, new MemorySource(events), sink);
    await pipeline.run(neverStopped);
    const letters = await deadLetters();
    assert.deepEqual(
      letters.map(({ reason, event }) => [reason, event && sequenceOf(event)]),
      [["rejected", 31]],
    );
    const rest = range(1, 60).filter((n) => n !== 31);
    assertDelivered(
      await readEvents(topic),
      rest.map((n) => sampleOutbound(n, `ca/${n % 5}`)),
    );
  });

  test("a topic that does not exist is a config failure, and publishing starts once it does", async (t) => {
    const source = new MemorySource([sampleEvent(1)]);
    const sink = kafkaSink(kafka.bootstrapServers, "made-later");
    const { pipeline, logLines } = await testPipeline(t, source, sink, { retryMaxMs: 200 });
    const running = pipeline.run(neverStopped);
    await until(() => pipeline.stats().openFailures > 1, "opening has failed");
    assert.ok(logLines.some(({ code }) => code === "CERTWIRE_SINK_CONFIG"));
    await kafka.createTopic("made-later");
    await running;
    assertDelivered(await readEvents("made-later"), [sampleOutbound(1)]);
  });

  test("more partitions drain all lanes and hash every key anew, and nothing is lost", async (t) => {
    const topic = await freshTopic(2);
    const source = new MemorySource([], { tail: true });
    const sink = kafkaSink(kafka.bootstrapServers, topic, { partitionCheckSeconds: 1 });
    const { pipeline } = await testPipeline(t, source, sink);
    const stop = new AbortController();
    const running = pipeline.run(stop.signal);
    let sent = 0;
    const feed = setInterval(() => source.push(sampleEvent(++sent, `ca/${sent % 20}`)), 2);
    t.after(() => clearInterval(feed));
    t.after(() => stop.abort());
    await until(() => pipeline.stats().acknowledgedEvents > scaled(100), "publishing");
    await addPartitions(kafka, topic, 5);
    await until(() => pipeline.stats().lanes === 5, "the lanes follow");
    const atChange = sent;
    await until(() => pipeline.stats().acknowledgedEvents > atChange + scaled(100), "publishing");
    clearInterval(feed);
    stop.abort();
    await running;
    const events = await readEvents(topic);
    const ids = new Set(events.map(sequenceOf));
    const acknowledged = pipeline.stats().acknowledgedEvents;
    assert.deepEqual(
      range(1, acknowledged).filter((n) => !ids.has(n)),
      [],
    );
  });

  test("a topic that may lose acknowledged events gives a warning", async () => {
    const topic = await freshTopic(1, { "unclean.leader.election.enable": "true" });
    const lines: string[] = [];
    const sink = kafkaSink(kafka.bootstrapServers, topic, {}, (line) => lines.push(line));
    await sink.open();
    await sink.close();
    const text = lines.join("\n");
    assert.match(text, /replication factor 1/);
    assert.match(text, /min\.insync\.replicas 1/);
    assert.match(text, /unclean\.leader\.election/);
  });
});

async function addPartitions(kafka: KafkaCluster, topic: string, count: number): Promise<void> {
  const client = new Kafka({ brokers: [...kafka.bootstrapServers], logLevel: logLevel.NOTHING });
  const admin = client.admin();
  await admin.connect();
  await admin.createPartitions({ topicPartitions: [{ topic, count }] });
  await admin.disconnect();
}
