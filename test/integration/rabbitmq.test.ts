import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { clock } from "../../src/clock.ts";
import { assertDelivered, testSinkContract } from "../contract/sink-contract.ts";
import { rabbitMqSink } from "../support/make-sink.ts";
import { MemorySource } from "../support/memory-source.ts";
import { routedSink } from "../support/routed-sink.ts";
import { neverStopped, range, testPipeline } from "../support/run-pipeline.ts";
import { sampleEvent, sampleOutbound, sequenceOf } from "../support/sample-events.ts";
import { scaled } from "../support/scale.ts";
import { patienceMs, until } from "../support/until.ts";
import { OneRabbitmq } from "./support/one-rabbitmq.ts";
import { syncRabbitmq } from "./support/sync-rabbitmq.ts";

const signal = new AbortController().signal;

suite("the RabbitMQ sink on a real broker", () => {
  const rabbitmq = new OneRabbitmq("certwire");

  /** A sink that declares an exchange and a quorum queue, both of this name. */
  function sinkWithQueue(name: string, settings: object = {}) {
    const topology = { quorumQueues: [{ name }] };
    return rabbitMqSink(rabbitmq.urls, name, { topology, ...settings });
  }

  testSinkContract({
    name: "rabbitmq",
    async setUp() {
      const name = rabbitmq.freshName();
      return {
        create: () => sinkWithQueue(name),
        read: () => rabbitmq.readEvents(name),
        async breakDown() {
          await syncRabbitmq(rabbitmq.cluster);
          await rabbitmq.cluster.kill9(1);
        },
        repair: () => rabbitmq.cluster.restart(1),
      };
    },
  });

  test("structured mode: the event's very bytes, persistent, with id, type, time and app id", async () => {
    const name = rabbitmq.freshName();
    const sink = sinkWithQueue(name);
    await sink.open();
    const event = sampleOutbound(1, "ca/7");
    await sink.publish(sink.laneOf(event), [event], signal);
    const message = await rabbitmq.withChannel((channel) => channel.get(name, { noAck: true }));
    await sink.close();
    assert.ok(message);
    assert.deepEqual(message.content, event.json);
    assert.equal(message.fields.routingKey, "certificate.issued");
    const { messageId, type, timestamp, appId, deliveryMode, contentType } = message.properties;
    assert.deepEqual(
      { messageId, type, timestamp, appId, deliveryMode, contentType },
      {
        messageId: event.id,
        type: event.attributes.type,
        timestamp: Date.UTC(2026, 0, 2, 3, 4, 5) / 1000,
        appId: "certwire",
        deliveryMode: 2,
        contentType: "application/cloudevents+json",
      },
    );
  });

  test("binary mode: the attributes in ce- headers, the data in the body", async () => {
    const name = rabbitmq.freshName();
    const sink = sinkWithQueue(name, { mode: "binary", routingKey: "pki.{kind}" });
    await sink.open();
    const outbound = sampleOutbound(1, "ca/7");
    await sink.publish(sink.laneOf(outbound), [outbound], signal);
    const message = await rabbitmq.withChannel((channel) => channel.get(name, { noAck: true }));
    await sink.close();
    assert.ok(message);
    const { data, datacontenttype, ...attributes } = sampleEvent(1, "ca/7");
    assert.deepEqual(JSON.parse(message.content.toString("utf8")), data);
    assert.equal(message.properties.contentType, datacontenttype);
    assert.equal(message.fields.routingKey, "pki.certificate.issued");
    const expected = Object.entries(attributes).map(([key, value]) => [`ce-${key}`, value]);
    const headers = Object.entries(message.properties.headers ?? {});
    const own = headers.filter(([key]) => !key.startsWith("x-"));
    assert.deepEqual(Object.fromEntries(own), Object.fromEntries(expected));
  });

  test("an event that no queue takes is not lost: it waits, and arrives once there is a binding", async (t) => {
    const name = rabbitmq.freshName();
    await rabbitmq.withChannel(async (channel) => {
      await channel.assertExchange(name, "topic");
      await channel.assertQueue(name, { arguments: { "x-queue-type": "quorum" } });
      await channel.bindQueue(name, name, "request.*");
    });
    const numbers = range(1, scaled(50, { least: 5 }));
    const events = numbers.map((n) => sampleEvent(n, `ca/${n % 7}`));
    const sink = rabbitMqSink(rabbitmq.urls, name);
    const { pipeline } = await testPipeline(t, new MemorySource(events), sink, {
      deadLetterAfterSeconds: 3600,
    });
    const running = pipeline.run(neverStopped);
    await until(() => pipeline.stats().failures.unroutable > 2, "returns are seen");
    assert.equal(pipeline.stats().acknowledgedEvents, 0);
    await rabbitmq.withChannel((channel) => channel.bindQueue(name, name, "#"));
    await running;
    assertDelivered(
      await rabbitmq.readEvents(name),
      numbers.map((n) => sampleOutbound(n, `ca/${n % 7}`)),
    );
  });

  test("an event that no queue takes for its whole time becomes a dead letter, the others arrive", async (t) => {
    const name = rabbitmq.freshName();
    await rabbitmq.withChannel(async (channel) => {
      await channel.assertExchange(name, "topic");
      await channel.assertQueue(name, { arguments: { "x-queue-type": "quorum" } });
      await channel.bindQueue(name, name, "request.*");
    });
    const stray = sampleEvent(3, "ca/1");
    const events = range(1, 6).map((n) => ({
      ...sampleEvent(n, "ca/1"),
      type: n === 3 ? stray.type : "io.certwire.request.pending.v1",
    }));
    const sink = rabbitMqSink(rabbitmq.urls, name);
    const { pipeline, deadLetters } = await testPipeline(t, new MemorySource(events), sink, {
      deadLetterAfterSeconds: 0.2,
    });
    await pipeline.run(neverStopped);
    const letters = await deadLetters();
    assert.deepEqual(
      letters.map(({ reason, event }) => [reason, event && sequenceOf(event)]),
      [["unroutable", 3]],
    );
    assert.deepEqual((await rabbitmq.readEvents(name)).map(sequenceOf), [1, 2, 4, 5, 6]);
  });

  test("nacks of a full queue lose nothing and keep the order of every key", async (t) => {
    const name = rabbitmq.freshName();
    await rabbitmq.withChannel(async (channel) => {
      await channel.assertExchange(name, "topic");
      const limits = { "x-max-length": 40, "x-overflow": "reject-publish" };
      await channel.assertQueue(name, { arguments: { "x-queue-type": "quorum", ...limits } });
      await channel.bindQueue(name, name, "#");
    });
    const count = scaled(1000, { least: 100 });
    const events = range(1, count).map((n) => sampleEvent(n, `ca/${n % 23}`));
    const sink = rabbitMqSink(rabbitmq.urls, name);
    const { pipeline } = await testPipeline(t, new MemorySource(events), sink, { retryMaxMs: 50 });
    const arrived: { id: string; partitionkey: string }[] = [];
    const running = pipeline.run(neverStopped);
    const nacks = (): number => pipeline.stats().failures["retry-identical"];
    await rabbitmq.withChannel(async (channel) => {
      const take = async (): Promise<boolean> => {
        const message = await channel.get(name, { noAck: true });
        if (message) arrived.push(JSON.parse(message.content.toString("utf8")));
        return message !== false;
      };
      // Some events are taken each time that the queue has been full, until all were sent.
      for (let last = 0; pipeline.stats().state !== "stopped"; last = nacks()) {
        const isFull = () => nacks() > last || pipeline.stats().state === "stopped";
        await until(isFull, "the queue is full");
        for (let taken = 0; taken < 20; taken += 1) await take();
      }
      await running;
      while (await take());
    });
    assert.ok(nacks() > 0, "the queue was full at times");
    assertDelivered(
      arrived,
      range(1, count).map((n) => sampleOutbound(n, `ca/${n % 23}`)),
    );
    assert.ok(arrived.length - count <= 0.4 * count, `${arrived.length - count} duplicates`);
  });

  test("an exchange that does not exist is a config failure, and publishing starts once it does", async (t) => {
    const name = rabbitmq.freshName();
    const source = new MemorySource([sampleEvent(1)]);
    const sink = rabbitMqSink(rabbitmq.urls, name);
    const { pipeline, logLines } = await testPipeline(t, source, sink, {
      deadLetterAfterSeconds: 3600,
    });
    const running = pipeline.run(neverStopped);
    await until(() => pipeline.stats().openFailures > 1, "opening has failed");
    assert.ok(logLines.some(({ code }) => code === "CERTWIRE_SINK_CONFIG"));
    await rabbitmq.withChannel(async (channel) => {
      await channel.assertExchange(name, "topic");
      await channel.assertQueue(name, { arguments: { "x-queue-type": "quorum" } });
      await channel.bindQueue(name, name, "#");
    });
    await running;
    assertDelivered(await rabbitmq.readEvents(name), [sampleOutbound(1)]);
  });

  test("an exchange that a value names is waited for, and the events before it do not pile up", async (t) => {
    const name = rabbitmq.freshName();
    const missing = `${name}-crl.issued`;
    const url = `amqp://guest@${rabbitmq.host}/?exchange=${name}`;
    const { sink, router } = await routedSink(url, {
      lanes: 1,
      topology: { quorumQueues: [{ name }] },
      routes: [{ kind: ["crl.*"], exchange: `${name}-{kind}` }],
    });
    const lost = 10;
    const events = range(1, 20).map((n) => ({
      ...sampleEvent(n, `ca/${n}`),
      ...(n === lost && { type: "io.certwire.crl.issued.v1" }),
    }));
    // For a moment the exchange has no queue.
    const settings = { router, retryMaxMs: 100, deadLetterAfterSeconds: 3600 };
    const source = new MemorySource(events);
    const { pipeline, logLines } = await testPipeline(t, source, sink, settings);
    const running = pipeline.run(neverStopped);
    await until(() => pipeline.stats().failures.config > 8, "the exchange is missing");
    assert.equal(pipeline.stats().state, "alarm");
    assert.equal(pipeline.stats().acknowledgedEvents, lost - 1);
    assert.ok(logLines.some(({ error }) => String(error).includes(`no exchange '${missing}'`)));
    await rabbitmq.withChannel(async (channel) => {
      await channel.assertExchange(missing, "topic");
      await channel.assertQueue(missing, { arguments: { "x-queue-type": "quorum" } });
      await channel.bindQueue(missing, missing, "#");
    });
    await running;
    const sent = range(1, 20).map((n) => sampleOutbound(n, `ca/${n}`));
    const others = await rabbitmq.readEvents(name);
    assertDelivered(
      others,
      sent.filter((_, at) => at + 1 !== lost),
    );
    // The first publish may have sent all of them, and the second one those before the lost one.
    const most = 2 * (events.length - 1) + lost - 1;
    assert.ok(others.length <= most, `${others.length} messages`);
    assertDelivered(await rabbitmq.readEvents(missing), sent.slice(lost - 1, lost));
  });

  test("an exchange deleted while events flow is a config failure without a loss", async (t) => {
    const name = rabbitmq.freshName();
    const source = new MemorySource([], { tail: true });
    // The exchange is there a moment before its binding: what comes meanwhile is returned, and waits.
    const settings = { deadLetterAfterSeconds: 3600 };
    const { pipeline } = await testPipeline(t, source, sinkWithQueue(name), settings);
    const stop = new AbortController();
    const running = pipeline.run(stop.signal);
    let sent = 0;
    const feed = setInterval(() => source.push(sampleEvent(++sent, `ca/${sent % 5}`)), 1);
    t.after(() => clearInterval(feed));
    t.after(() => stop.abort());
    const acknowledged = (): number => pipeline.stats().acknowledgedEvents;
    await until(() => acknowledged() > scaled(50), "events are published");
    await rabbitmq.withChannel((channel) => channel.deleteExchange(name));
    await until(() => pipeline.stats().failures.config > 0, "the exchange is missed");
    const enough = acknowledged() + scaled(250);
    await until(() => acknowledged() > enough, "the exchange is declared anew");
    clearInterval(feed);
    await until(() => pipeline.stats().acknowledgedEvents === sent, "all is acknowledged");
    stop.abort();
    await running;
    assertDelivered(
      await rabbitmq.readEvents(name),
      range(1, sent).map((n) => sampleOutbound(n, `ca/${n % 5}`)),
    );
  });

  test("wrong credentials are an auth failure that does not name the password", async (t) => {
    const name = rabbitmq.freshName();
    const sink = rabbitMqSink(rabbitmq.urls, name, { password: { environment: "wrong-Pa55" } });
    const source = new MemorySource([sampleEvent(1)], { tail: true });
    const { pipeline, logLines } = await testPipeline(t, source, sink);
    const stop = new AbortController();
    const running = pipeline.run(stop.signal);
    await until(() => pipeline.stats().openFailures > 0, "opening has failed");
    stop.abort();
    await running;
    assert.ok(logLines.some(({ code }) => code === "CERTWIRE_SINK_AUTH"));
    assert.ok(!JSON.stringify(logLines).includes("wrong-Pa55"));
  });

  test("a broker that blocks its publishers delays events and loses none", async (t) => {
    const name = rabbitmq.freshName();
    const lines: string[] = [];
    const topology = { quorumQueues: [{ name }] };
    // Nothing but the clock, which goes forward in a leap, makes a confirm late.
    const settings = { topology, confirmTimeoutMs: patienceMs };
    const time = { leapMs: 0, checks: 0 };
    const now = clock.now.bind(clock);
    const start = clock.setTimeout.bind(clock);
    t.mock.method(clock, "now", () => now() + time.leapMs);
    // Only the timer of the confirms is that long; it fires soon, as if the time had passed.
    t.mock.method(clock, "setTimeout", (callback: () => void, ms: number) =>
      ms <= patienceMs / 2
        ? start(callback, ms)
        : start(() => {
            time.checks += 1;
            callback();
          }, 20),
    );
    const sink = rabbitMqSink(rabbitmq.urls, name, settings, (line) => lines.push(line));
    const source = new MemorySource([], { tail: true });
    const { pipeline } = await testPipeline(t, source, sink);
    const stop = new AbortController();
    const running = pipeline.run(stop.signal);
    let sent = 0;
    const feed = setInterval(() => source.push(sampleEvent(++sent, `ca/${sent % 5}`)), 5);
    t.after(() => clearInterval(feed));
    t.after(() => stop.abort());
    await until(() => pipeline.stats().acknowledgedEvents > scaled(20), "publishing");
    await rabbitmq.ctl("set_vm_memory_high_watermark", "0.000001");
    await until(() => lines.some((line) => line.includes("blocked")), "blocked");
    time.leapMs = 2 * patienceMs;
    const checks = time.checks + 10;
    await until(() => time.checks >= checks, "the age of what is in flight was checked");
    await rabbitmq.ctl("set_vm_memory_high_watermark", "0.6");
    clearInterval(feed);
    await until(() => pipeline.stats().acknowledgedEvents === sent, "all is acknowledged");
    stop.abort();
    await running;
    assert.equal(pipeline.stats().failures.reset, 0, "a blocked connection is not a failure");
    assertDelivered(
      await rabbitmq.readEvents(name),
      range(1, sent).map((n) => sampleOutbound(n, `ca/${n % 5}`)),
    );
  });

  test("an asserted stream gets every event too", async () => {
    const name = rabbitmq.freshName();
    const topology = { stream: { name: `${name}-stream` }, quorumQueues: [{ name }] };
    const sink = sinkWithQueue(name, { topology });
    await sink.open();
    const events = range(1, 10).map((n) => sampleOutbound(n));
    await sink.publish(sink.laneOf(events[0]!), events, signal);
    await sink.close();
    const streamed = await rabbitmq.withChannel(async (channel) => {
      const seen: { id: string; partitionkey: string }[] = [];
      await channel.prefetch(100);
      await channel.consume(
        `${name}-stream`,
        (message) => {
          if (message) seen.push(JSON.parse(message.content.toString("utf8")));
          if (message) channel.ack(message);
        },
        { arguments: { "x-stream-offset": "first" } },
      );
      await until(() => seen.length === 10, "the stream is read");
      return seen;
    });
    assertDelivered(streamed, events);
  });
});
