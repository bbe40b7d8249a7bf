import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { connect } from "amqplib";
import { rabbitMqQueue } from "../../src/consumer/rabbitmq/queue-source.ts";
import { type ConsumerPlace, testConsumerContract } from "../contract/consumer-contract.ts";
import { rabbitMqSink } from "../support/make-sink.ts";
import { publishEvents } from "../support/publish-events.ts";
import { RunningConsumer } from "../support/running-consumer.ts";
import { sampleEvent } from "../support/sample-events.ts";
import { scaled } from "../support/scale.ts";
import { settled } from "../support/until.ts";
import type { RabbitmqCluster } from "./support/broker-provider.ts";
import { startRabbitmq } from "./support/brokers.ts";
import { countRabbitmq, produceRabbitmq } from "./support/read-rabbitmq.ts";
import { syncRabbitmq } from "./support/sync-rabbitmq.ts";

let rabbitmq: RabbitmqCluster;
let url = "";
let places = 0;
before(async () => {
  rabbitmq = await startRabbitmq({ faults: true });
  [url = ""] = rabbitmq.urls;
});
after(() => rabbitmq.stop());

/** Declares a queue of the given type, bound to an exchange of its own. */
async function makePlace(type: "classic" | "quorum"): Promise<ConsumerPlace & { queue: string }> {
  places += 1;
  const queue = `consumed-${places}`;
  const connection = await connect(url);
  const channel = await connection.createChannel();
  await channel.assertExchange(queue, "topic");
  await channel.assertQueue(queue, { arguments: { "x-queue-type": type } });
  await channel.bindQueue(queue, queue, "#");
  await connection.close();
  return {
    queue,
    // A consumer that is silent for longer loses its connection, and what it has handled may be delivered again.
    source: () => rabbitMqQueue({ connection: `${url}?heartbeat=60`, queue }),
    publish: (t, events, mode = "structured") =>
      publishEvents(t, events, rabbitMqSink(rabbitmq.urls, queue, { mode })),
    publishText: (text) => produceRabbitmq(url, queue, text),
    async restartBroker() {
      await syncRabbitmq(rabbitmq);
      await rabbitmq.kill9(1);
      await rabbitmq.restart(1);
    },
  };
}

for (const type of ["classic", "quorum"] as const) {
  suite(`consuming from a ${type} queue of a real RabbitMQ broker`, () => {
    testConsumerContract({
      makePlace: () => makePlace(type),
      missing: () => rabbitMqQueue({ connection: url, queue: "missing" }),
      stopsWithoutRepeats: type === "classic",
    });
  });
}

test("after a graceful stop a quorum queue holds exactly what was not handled", async (t) => {
  const place = await makePlace("quorum");
  const count = scaled(2000, { least: 300 });
  const events = Array.from({ length: count }, (_, n) => sampleEvent(n, `ca/${n % 50}`));
  await place.publish(t, events);
  const run = new RunningConsumer(
    t,
    rabbitMqQueue({ connection: url, queue: place.queue, prefetch: 250 }),
  );
  await run.untilHandled(Math.floor(count / 2));
  await run.stop();
  const left = await countRabbitmq(url, place.queue);
  t.diagnostic(`${run.events.length} handled, ${left} left of ${count}`);
  assert.ok(left >= count - run.events.length, `${left} left`);
});

test("a queue that is deleted and made again is consumed again", async (t) => {
  const place = await makePlace("quorum");
  await place.publish(t, [sampleEvent(1)]);
  const run = new RunningConsumer(t, place.source());
  await run.untilHandled(1);
  const connection = await connect(url);
  const channel = await connection.createChannel();
  await channel.deleteQueue(place.queue);
  await run.until(
    () => run.lines.some(({ msg }) => msg === "lost the connection"),
    "the consumer has lost its queue",
  );
  await channel.assertQueue(place.queue, { arguments: { "x-queue-type": "quorum" } });
  await channel.bindQueue(place.queue, place.queue, "#");
  await connection.close();
  await place.publish(t, [sampleEvent(2)]);
  await run.untilHandled(2);
  await run.stop();
});

test("a connection that is handed in is used and stays open; when it ends, so does the consumer", async (t) => {
  const place = await makePlace("classic");
  await place.publish(t, [sampleEvent(1)]);
  const connection = await connect(url);
  connection.on("error", () => undefined);
  const source = () => rabbitMqQueue({ connection, queue: place.queue });
  const first = new RunningConsumer(t, source());
  await first.untilHandled(1);
  await first.stop();
  const second = new RunningConsumer(t, source());
  const consuming = () => second.lines.some(({ msg }) => msg === "consuming");
  await second.until(consuming, "the second consumer is there");
  await connection.close();
  const ended = settled(second.ended, "the consumer ends");
  await assert.rejects(ended, { code: "CERTWIRE_CONSUMER_UNREACHABLE" });
});

test("wrong credentials end the consumer with an error", async (t) => {
  const { host } = new URL(url);
  const connection = `amqp://guest:wrong@${host}`;
  const run = new RunningConsumer(t, rabbitMqQueue({ connection, queue: "any" }));
  const ended = settled(run.ended, "the consumer ends");
  await assert.rejects(ended, { code: "CERTWIRE_CONSUMER_REFUSED" });
});
