import assert from "node:assert/strict";
import { after, before, suite, type TestContext, test } from "node:test";
import { connect } from "amqplib";
import type { CertwireEvent } from "../../src/events/event.ts";
import type { Sink } from "../../src/sinks/sink.ts";
import { kafkaSink, rabbitMqSink } from "../support/make-sink.ts";
import { publishEvents } from "../support/publish-events.ts";
import { runCli } from "../support/run-cli.ts";
import { type RunningTap, startTap } from "../support/running-tap.ts";
import { sampleEvent } from "../support/sample-events.ts";
import { until } from "../support/until.ts";
import type { KafkaCluster, RabbitmqCluster } from "./support/broker-provider.ts";
import { startKafka, startRabbitmq } from "./support/brokers.ts";

/** Publishes single events until the tap, which begins at some time, has shown three. Resolves to their ids. */
async function publishUntilShown(
  t: TestContext,
  tap: RunningTap,
  sink: () => Sink,
): Promise<string[]> {
  const ids: string[] = [];
  while (tap.lines().length < 3) {
    const event = sampleEvent(ids.length + 1);
    ids.push(event.id);
    await publishEvents(t, [event], sink());
  }
  await until(() => shownBy(tap).at(-1) === ids.at(-1), "the tap shows the newest event");
  return ids;
}

function shownBy(tap: RunningTap): string[] {
  return tap.lines().map((line) => (JSON.parse(line) as CertwireEvent).id);
}

/** From its first event onward it has shown every one, in order. */
function assertFollowed(tap: RunningTap, ids: readonly string[]): void {
  const shown = shownBy(tap);
  assert.deepEqual(shown, ids.slice(-shown.length));
}

suite("tapping a real Kafka broker", () => {
  let kafka: KafkaCluster;
  before(async () => {
    kafka = await startKafka({});
  });
  after(() => kafka.stop());

  for (const mode of ["structured", "binary"] as const) {
    test(`tap shows each event that is published to a topic, in ${mode} mode`, async (t) => {
      const topic = `tapped-${mode}`;
      await kafka.createTopic(topic, { partitions: 1 });
      const tap = startTap(t, [
        "--kafka",
        `kafka://${kafka.bootstrapServers.join()}/${topic}`,
        "--json",
      ]);
      const ids = await publishUntilShown(t, tap, () =>
        kafkaSink(kafka.bootstrapServers, topic, { mode }),
      );
      assertFollowed(tap, ids);
      assert.equal((await tap.stop()).exitCode, 0);
    });
  }

  test("a topic that is not there ends tap with the reason", async () => {
    const { exitCode, stderr } = await runCli(
      "tap",
      "--kafka",
      `kafka://${kafka.bootstrapServers.join()}/none`,
    );
    assert.equal(exitCode, 77, stderr);
    assert.match(stderr, /CERTWIRE_CONSUMER_REFUSED: cannot subscribe to none: /);
  });
});

suite("tapping a real RabbitMQ broker", () => {
  let rabbitmq: RabbitmqCluster;
  let url = "";
  before(async () => {
    rabbitmq = await startRabbitmq({ faults: true });
    url = rabbitmq.urls[0] ?? "";
  });
  after(() => rabbitmq.stop());

  /** The URL of an exchange, without the password, which is not for a command line. */
  function addressOf(exchange: string): string {
    return `${url.replace(/\/$/, "").replace("guest:guest@", "guest@")}/?exchange=${exchange}`;
  }

  /** An exchange with a queue of somebody else, who must miss nothing. */
  async function declare(exchange: string) {
    const connection = await connect(url);
    const channel = await connection.createChannel();
    await channel.assertExchange(exchange, "topic");
    await channel.assertQueue(exchange);
    await channel.bindQueue(exchange, exchange, "#");
    return { connection, channel };
  }

  for (const mode of ["structured", "binary"] as const) {
    test(`tap shows each event that is published to an exchange, and takes none away, in ${mode} mode`, async (t) => {
      const exchange = `tapped-${mode}`;
      const { connection, channel } = await declare(exchange);
      t.after(() => connection.close());
      const tap = startTap(t, ["--rabbitmq", addressOf(exchange), "--json"]);
      const ids = await publishUntilShown(t, tap, () => rabbitMqSink([url], exchange, { mode }));
      assertFollowed(tap, ids);
      assert.equal((await tap.stop()).exitCode, 0);
      assert.equal((await channel.checkQueue(exchange)).messageCount, ids.length);
    });
  }

  test("a queue that somebody deletes ends tap with 69 and the reason", async (t) => {
    const { connection } = await declare("deleted");
    t.after(() => connection.close());
    const tap = startTap(t, ["--rabbitmq", addressOf("deleted"), "--json"]);
    await publishUntilShown(t, tap, () => rabbitMqSink([url], "deleted"));
    const queues = await rabbitmq.ctl(1, "list_queues", "-q", "name");
    const own = /^amq\.gen-\S+$/m.exec(queues)?.[0] ?? "";
    // An exclusive queue can be deleted by its own connection only, or from inside the broker.
    await rabbitmq.ctl(1, "delete_queue", own);
    const { exitCode, stderr } = await tap.ended();
    assert.equal(exitCode, 69, stderr);
    assert.match(stderr, /cannot follow the exchange "deleted": the broker has deleted the queue/);
  });

  test("an exchange that is not there ends tap with the reason", async () => {
    const { exitCode, stderr } = await runCli("tap", "--rabbitmq", addressOf("none"));
    assert.equal(exitCode, 77, stderr);
    assert.match(stderr, /CERTWIRE_CONSUMER_REFUSED: cannot follow the exchange "none": .*404/);
  });
});
