import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import kafkajs from "kafkajs";
import type { CertwireEvent } from "../../src/events/event.ts";
import { assertDelivered, testSinkContract } from "../contract/sink-contract.ts";
import { kafkaSink } from "../support/make-sink.ts";
import { MemorySource } from "../support/memory-source.ts";
import { routedSink } from "../support/routed-sink.ts";
import { neverStopped, range, testPipeline } from "../support/run-pipeline.ts";
import { sampleEvent, sampleOutbound, sequenceOf } from "../support/sample-events.ts";
import { scaled } from "../support/scale.ts";
import { patienceMs, until } from "../support/until.ts";
import type { KafkaCluster } from "./support/broker-provider.ts";
import { startKafka } from "./support/brokers.ts";
import { withAdmin } from "./support/kafka-topics.ts";
import { readKafka } from "./support/read-kafka.ts";

const signal = new AbortController().signal;

suite("the Kafka sink on a real broker", () => {
  let kafka: KafkaCluster;
  let topics = 0;
  before(async () => {
    // A broker creates topics by itself by default: nothing that the sink asks for may make it do so.
    kafka = await startKafka({
      faults: true,
      properties: { "auto.create.topics.enable": "true" },
    });
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

  test("events are made to fit a topic with a small limit, and none becomes a dead letter", async (t) => {
    const limit = 20_000;
    const topic = await freshTopic(3, { "max.message.bytes": String(limit) });
    const count = scaled(60, { least: 40 });
    const events = range(1, count).map((n) =>
      sampleEvent(n, `ca/${n % 5}`, n === 31 ? 30_000 : 50),
    );
    const sink = kafkaSink(kafka.bootstrapServers, topic, { batchBytes: 60_000 });
    const settings = { shrink: (event: CertwireEvent) => ({ ...event, data: {} }) };
    const { pipeline, deadLetters } = await testPipeline(
      t,
      new MemorySource(events),
      sink,
      settings,
    );
    await pipeline.run(neverStopped);
    await assert.rejects(deadLetters(), { code: "ENOENT" });
    assert.ok(sink.limits.maxEventBytes < limit);
    const arrived = await readEvents(topic);
    assert.deepEqual(new Set(arrived.map(sequenceOf)), new Set(range(1, count)));
    assert.deepEqual(arrived.find((event) => sequenceOf(event) === 31)?.data, {});
  });

  test("a limit that becomes smaller while events flow makes them smaller, and loses none", async (t) => {
    const topic = await freshTopic(2);
    const source = new MemorySource([], { tail: true });
    const sink = kafkaSink(kafka.bootstrapServers, topic);
    const shrink = (event: CertwireEvent) => ({ ...event, data: {} });
    const { pipeline, deadLetters } = await testPipeline(t, source, sink, { shrink });
    const stop = new AbortController();
    const running = pipeline.run(stop.signal);
    t.after(() => stop.abort());
    source.push(sampleEvent(1, "ca/1", 30_000));
    await until(() => pipeline.stats().acknowledgedEvents === 1, "a large event is published");
    await configureTopic(kafka, topic, "max.message.bytes", "20000");
    // The setting reaches the broker's log a moment later; until then large events are still accepted.
    let sent = 1;
    const feed = async () => {
      sent += 1;
      source.push(sampleEvent(sent, `ca/${sent % 4}`, 30_000));
      await until(() => pipeline.stats().acknowledgedEvents === sent, "it is published");
      return pipeline.stats().relayouts > 0;
    };
    await until(feed, "a large event is refused");
    stop.abort();
    await running;
    await assert.rejects(deadLetters(), { code: "ENOENT" });
    const arrived = await readEvents(topic);
    assert.deepEqual(new Set(arrived.map(sequenceOf)), new Set(range(1, sent)));
  });

  test("a topic whose limit is below the least size of an event waits with an alarm until it is raised", async (t) => {
    const topic = await freshTopic(1, { "max.message.bytes": "10000" });
    const source = new MemorySource([sampleEvent(1)]);
    const sink = kafkaSink(kafka.bootstrapServers, topic);
    const { pipeline, logLines } = await testPipeline(t, source, sink, { retryMaxMs: 200 });
    const running = pipeline.run(neverStopped);
    await until(() => pipeline.stats().openFailures > 1, "opening has failed");
    const failed = logLines.find(({ code }) => code === "CERTWIRE_SINK_CONFIG");
    assert.match(String(failed?.["error"]), /max\.message\.bytes 10000/);
    await configureTopic(kafka, topic, "max.message.bytes", "1000000");
    await running;
    assertDelivered(await readEvents(topic), [sampleOutbound(1)]);
  });

  test("a broker that finds the clock too far ahead holds events up until the clock is right", async (t) => {
    const topic = await freshTopic(1, { "message.timestamp.after.max.ms": "3600000" });
    const now = Date.now.bind(Date);
    const clock = t.mock.method(Date, "now", () => now() + 7_200_000);
    const events = range(1, 20).map((n) => sampleEvent(n));
    const sink = kafkaSink(kafka.bootstrapServers, topic);
    const { pipeline, deadLetters, logLines } = await testPipeline(
      t,
      new MemorySource(events),
      sink,
    );
    const running = pipeline.run(neverStopped);
    await until(() => pipeline.stats().failures.config > 2, "the broker has refused it");
    assert.equal(pipeline.stats().state, "alarm");
    assert.ok(logLines.some(({ hint }) => /clocks/.test(String(hint))));
    clock.mock.restore();
    await running;
    await assert.rejects(deadLetters(), { code: "ENOENT" });
    assertDelivered(
      await readEvents(topic),
      events.map((_, at) => sampleOutbound(at + 1)),
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

  test("a topic that a value names is waited for, is not created, and has its own limit", async (t) => {
    const topic = await freshTopic(3);
    const crls = `${topic}.crl.issued`;
    const url = `kafka://${kafka.bootstrapServers.join()}/${topic}`;
    const routes = [{ kind: ["crl.*"], topic: `${topic}.{kind}` }];
    const { sink, router } = await routedSink(url, { routes });
    const large = [5, 8];
    const events = range(1, 40).map((n) => ({
      ...sampleEvent(n, `ca/${n % 5}`, large.includes(n) ? 30_000 : 0),
      ...(n % 4 === 0 && { type: "io.certwire.crl.issued.v1" }),
    }));
    const shrink = (event: CertwireEvent) => ({ ...event, data: {} });
    const settings = { router, shrink, retryMaxMs: 200 };
    const source = new MemorySource(events);
    const { pipeline, deadLetters, logLines } = await testPipeline(t, source, sink, settings);
    const running = pipeline.run(neverStopped);
    await until(() => pipeline.stats().failures.config > 2, "the topic is missing");
    assert.equal(pipeline.stats().state, "alarm");
    assert.ok(logLines.some(({ error }) => String(error).includes(`topic "${crls}"`)));
    const existing = await withAdmin(kafka.bootstrapServers, (admin) => admin.listTopics());
    assert.ok(!existing.includes(crls));
    await kafka.createTopic(crls, { partitions: 2, config: { "max.message.bytes": "20000" } });
    await running;
    await assert.rejects(deadLetters(), { code: "ENOENT" });
    const [others, ofCrls] = [await readEvents(topic), await readEvents(crls)];
    const isCrl = (n: number) => n % 4 === 0;
    const sent = (wanted: (n: number) => boolean) =>
      range(1, 40)
        .filter(wanted)
        .map((n) => sampleOutbound(n, `ca/${n % 5}`));
    assertDelivered(ofCrls, sent(isCrl));
    assertDelivered(
      others,
      sent((n) => !isCrl(n)),
    );
    const dataOf = (arrived: readonly CertwireEvent[], n: number) =>
      arrived.find((event) => sequenceOf(event) === n)?.data;
    assert.deepEqual(dataOf(ofCrls, 8), {});
    assert.deepEqual(dataOf(others, 5), sampleEvent(5, "ca/0", 30_000).data);
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

  test("a limit that is raised is used within `partitionCheckSeconds`", async (t) => {
    const topic = await freshTopic(1, { "max.message.bytes": "20000" });
    const source = new MemorySource([], { tail: true });
    const sink = kafkaSink(kafka.bootstrapServers, topic, { partitionCheckSeconds: 1 });
    const shrink = (event: CertwireEvent) => ({ ...event, data: {} });
    const { pipeline } = await testPipeline(t, source, sink, { shrink });
    const stop = new AbortController();
    const running = pipeline.run(stop.signal);
    t.after(() => stop.abort());
    source.push(sampleEvent(1, "ca/1", 30_000));
    await until(() => pipeline.stats().acknowledgedEvents === 1, "a smaller event is published");
    await configureTopic(kafka, topic, "max.message.bytes", "100000");
    let sent = 1;
    const feed = async () => {
      sent += 1;
      source.push(sampleEvent(sent, "ca/1"));
      await until(() => pipeline.stats().acknowledgedEvents === sent, "it is published");
      return sink.limits.maxEventBytes > 30_000;
    };
    await until(feed, "the new limit is used");
    stop.abort();
    await running;
  });

  test("a watched topic that is deleted is not created by watching it", async (t) => {
    const topic = await freshTopic(1);
    const lines: string[] = [];
    const settings = { partitionCheckSeconds: 1 };
    const sink = kafkaSink(kafka.bootstrapServers, topic, settings, (line) => lines.push(line));
    t.after(() => sink.close());
    await sink.open();
    await withAdmin(kafka.bootstrapServers, (admin) =>
      admin.deleteTopics({ topics: [topic], timeout: patienceMs }),
    );
    const failed = () => lines.filter((line) => line.includes("partition check failed")).length;
    await until(() => failed() > 1, "the topic is missed, and asked for again");
    const names = await withAdmin(kafka.bootstrapServers, (admin) => admin.listTopics());
    assert.ok(!names.includes(topic), names.join());
  });

  test("settings of the topic that put events at risk are reported, once", async () => {
    const topic = await freshTopic(1, {
      "unclean.leader.election.enable": "true",
      "cleanup.policy": "compact",
      "retention.ms": "3600000",
      "retention.bytes": "1000000",
      "message.timestamp.after.max.ms": "30000",
      "message.timestamp.before.max.ms": "20000",
    });
    const lines: string[] = [];
    const sink = kafkaSink(kafka.bootstrapServers, topic, {}, (line) => lines.push(line));
    await sink.open();
    const warnings = () => lines.filter((line) => line.includes('"level":40')).length;
    const logged = warnings();
    await sink.open();
    await sink.close();
    const found = sink.findings.map(({ message }) => message).join("\n");
    for (const text of [
      /replication factor 1/,
      /min\.insync\.replicas 1/,
      /unclean\.leader\.election/,
      /cleanup\.policy compact/,
      /retention\.ms 3600000: the broker deletes events after 1 hours/,
      /retention\.bytes 1000000: the broker deletes events once a partition is larger/,
      /timestamp\.after\.max\.ms 30000: publishing stops/,
      /timestamp\.before\.max\.ms 20000: publishing stops/,
    ]) {
      assert.match(found, text);
      assert.match(lines.join("\n"), text);
    }
    assert.equal(warnings(), logged, "a second opening logs nothing new");
  });
});

async function configureTopic(kafka: KafkaCluster, topic: string, name: string, value: string) {
  const configEntries = [{ name, value }];
  const resources = [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configEntries }];
  await withAdmin(kafka.bootstrapServers, (admin) =>
    admin.alterConfigs({ validateOnly: false, resources }),
  );
}

async function addPartitions(kafka: KafkaCluster, topic: string, count: number): Promise<void> {
  await withAdmin(kafka.bootstrapServers, (admin) =>
    admin.createPartitions({ topicPartitions: [{ topic, count }], timeout: patienceMs }),
  );
}
