import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { connect } from "amqplib";
import type { HandlerContext } from "../../src/consumer/handlers.ts";
import { FileOffsets, MemoryOffsets } from "../../src/consumer/rabbitmq/offset-store.ts";
import { rabbitMqStream } from "../../src/consumer/rabbitmq/stream-source.ts";
import type { CertwireEvent } from "../../src/events/event.ts";
import { type ConsumerPlace, testConsumerContract } from "../contract/consumer-contract.ts";
import { rabbitMqSink } from "../support/make-sink.ts";
import { publishEvents } from "../support/publish-events.ts";
import { RunningConsumer } from "../support/running-consumer.ts";
import { sampleEvent, sequenceOf } from "../support/sample-events.ts";
import type { RabbitmqCluster } from "./support/broker-provider.ts";
import { startRabbitmq } from "./support/brokers.ts";
import { produceRabbitmq } from "./support/read-rabbitmq.ts";
import { syncRabbitmq } from "./support/sync-rabbitmq.ts";

suite("consuming from a stream of a real RabbitMQ broker", () => {
  let rabbitmq: RabbitmqCluster;
  let url = "";
  let directory = "";
  let places = 0;
  before(async () => {
    rabbitmq = await startRabbitmq({ faults: true });
    [url = ""] = rabbitmq.urls;
    directory = await mkdtemp(join(tmpdir(), "certwire-offsets-"));
  });
  after(async () => {
    await rabbitmq.stop();
    await rm(directory, { recursive: true });
  });

  /** Declares a stream, after it has deleted one of that name. */
  async function declare(stream: string, settings: Record<string, unknown> = {}): Promise<void> {
    const connection = await connect(url);
    const channel = await connection.createChannel();
    await channel.deleteQueue(stream);
    await channel.assertExchange(stream, "topic");
    const streamArguments = { "x-queue-type": "stream", ...settings };
    await channel.assertQueue(stream, { arguments: streamArguments });
    await channel.bindQueue(stream, stream, "#");
    await connection.close();
  }

  async function makePlace(
    settings: Record<string, unknown> = {},
  ): Promise<ConsumerPlace & { readonly stream: string; readonly file: string }> {
    places += 1;
    const stream = `stream-${places}`;
    const file = join(directory, stream);
    await declare(stream, settings);
    return {
      stream,
      file,
      source: () => rabbitMqStream({ connection: url, stream, offsets: new FileOffsets(file) }),
      publish: (t, events, mode = "structured") =>
        publishEvents(t, events, rabbitMqSink(rabbitmq.urls, stream, { mode })),
      publishText: (text) => produceRabbitmq(url, stream, text),
      async restartBroker() {
        await syncRabbitmq(rabbitmq);
        await rabbitmq.kill9(1);
        await rabbitmq.restart(1);
      },
    };
  }

  testConsumerContract({
    makePlace,
    missing: () =>
      rabbitMqStream({ connection: url, stream: "missing", offsets: new MemoryOffsets() }),
    stopsWithoutRepeats: false,
  });

  test("each consumer of a stream has all events, and its own place", async (t) => {
    const place = await makePlace();
    const events = [1, 2, 3].map((n) => sampleEvent(n));
    await place.publish(t, events);
    const sources = ["one", "two"].map((name) => {
      const offsets = new FileOffsets(`${place.file}-${name}`);
      return rabbitMqStream({ connection: url, stream: place.stream, offsets });
    });
    for (const source of sources) {
      const run = new RunningConsumer(t, source);
      await run.untilHandled(3);
      await run.stop();
      assert.deepEqual(run.events.map(sequenceOf), [1, 2, 3]);
    }
    const left = (await readdir(directory)).filter((name) => name.startsWith(`${place.stream}-`));
    assert.deepEqual(left.toSorted(), [`${place.stream}-one`, `${place.stream}-two`]);
  });

  test("a new consumer begins after the newest event, or at a time, if it is asked to", async (t) => {
    const place = await makePlace();
    await place.publish(t, [sampleEvent(1)]);
    const start = (from: "next" | Date) => {
      const offsets = new MemoryOffsets();
      const { stream } = place;
      return new RunningConsumer(t, rabbitMqStream({ connection: url, stream, offsets, from }));
    };
    const next = start("next");
    const consuming = () => next.lines.some(({ msg }) => msg === "consuming");
    await next.until(consuming, "the consumer is there");
    await place.publish(t, [sampleEvent(2)]);
    await next.untilHandled(1);
    await next.stop();
    assert.deepEqual(next.events.map(sequenceOf), [2]);
    const timed = start(new Date(Date.now() - 3_600_000));
    await timed.untilHandled(2);
    await timed.stop();
    assert.deepEqual(timed.events.map(sequenceOf), [1, 2]);
  });

  test("a stream that is deleted and declared again is consumed from its first event", async (t) => {
    const place = await makePlace();
    const numbers = Array.from({ length: 25 }, (_, at) => at + 1);
    const events = numbers.map((n) => sampleEvent(n));
    await place.publish(t, events.slice(0, 20));
    const run = new RunningConsumer(t, place.source());
    await run.untilHandled(20);
    const offsets = new FileOffsets(place.file);
    await run.until(async () => (await offsets.load()) === 19n, "the place is saved");
    await declare(place.stream);
    await place.publish(t, events.slice(20));
    await run.untilHandled(25);
    await run.stop();
    assert.deepEqual(run.events.map(sequenceOf), numbers);
    assert.equal(await offsets.load(), 4n);
    const [line, ...others] = run.lines.filter(({ level }) => level === 50);
    assert.match(String(line?.["msg"]), /^the stream ends before the place of this consumer/);
    assert.deepEqual(others, []);
  });

  test("events that retention deleted before they were consumed are reported", async (t) => {
    const place = await makePlace({
      "x-max-length-bytes": 50_000,
      "x-stream-max-segment-size-bytes": 20_000,
    });
    const offsets = new MemoryOffsets();
    await offsets.save(0n);
    const numbers = Array.from({ length: 300 }, (_, at) => at + 1);
    await place.publish(
      t,
      numbers.map((n) => sampleEvent(n, "ca-1", 1000)),
    );
    const source = rabbitMqStream({ connection: url, stream: place.stream, offsets });
    const arrived: string[] = [];
    const handled: number[] = [];
    const handlers = {
      otherwise: (event: CertwireEvent, { message }: HandlerContext) => {
        arrived.push(message.place);
        handled.push(sequenceOf(event));
      },
    };
    const run = new RunningConsumer(t, source, { concurrency: 1, handlers });
    await run.until(() => handled.includes(300), "the last one is handled");
    await run.stop();
    const line = run.lines.find(({ msg }) => {
      return msg === "the stream no longer has messages that were not consumed";
    });
    assert.equal(line?.["from"], "1");
    assert.equal(arrived[0], `${place.stream}@${Number(line?.["to"]) + 1}`);
  });
});
