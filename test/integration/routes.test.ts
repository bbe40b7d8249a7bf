import assert from "node:assert/strict";
import { suite, type TestContext, test } from "node:test";
import { connect } from "amqplib";
import type { EventKind } from "../../src/events/event.ts";
import { assertDelivered } from "../contract/sink-contract.ts";
import { drainQueue } from "../support/drain-queue.ts";
import type { MarkedEvent } from "../support/killed-runs.ts";
import { range } from "../support/run-pipeline.ts";
import { sampleOutbound } from "../support/sample-events.ts";
import { startKafka, startRabbitmq } from "./support/brokers.ts";
import {
  killPublisher,
  publisherEvents,
  publisherKeys,
  reportRepetitions,
} from "./support/kill-publisher.ts";
import { leaveRabbitmq } from "./support/leave-rabbitmq.ts";
import { readKafka } from "./support/read-kafka.ts";

/** Each key has events of each kind. */
const kinds = ["certificate.issued", "certificate.revoked", "crl.issued"] as const;

/** Routes of the first two kinds; a placeholder names the destination of the third. */
type Places = Readonly<Record<EventKind & (typeof kinds)[number], string>>;

/** Each destination has all events of its kind, and no others, in the order of their keys. */
async function assertArrived(
  t: TestContext,
  killed: Awaited<ReturnType<typeof killPublisher>>,
  places: Places,
  read: (place: string) => Promise<MarkedEvent[]>,
): Promise<void> {
  const arrived: MarkedEvent[] = [];
  for (const [index, kind] of kinds.entries()) {
    const events = await read(places[kind]);
    const expected = range(1, publisherEvents)
      .filter((n) => n % kinds.length === index)
      .map((n) => sampleOutbound(n, `ca/${n % publisherKeys}`));
    assert.ok(expected.length > 0);
    assertDelivered(events, expected);
    t.diagnostic(`${places[kind]}: ${events.length} messages of ${expected.length} events`);
    arrived.push(...events);
  }
  reportRepetitions(t, arrived, killed);
}

suite("a sink with three destinations whose publisher is killed with SIGKILL", () => {
  test("topics of Kafka: none lacks an event, and keys keep their order in each", async (t) => {
    const kafka = await startKafka();
    t.after(() => kafka.stop());
    const name = `routes-${Date.now()}`;
    const places: Places = {
      "certificate.issued": `${name}-issued`,
      "certificate.revoked": `${name}-revoked`,
      "crl.issued": `${name}.crl.issued`,
    };
    const partitions = [6, 1, 3];
    for (const [index, kind] of kinds.entries()) {
      await kafka.createTopic(places[kind], { partitions: partitions[index] ?? 1 });
    }
    const entry = {
      url: `kafka://${kafka.bootstrapServers.join()}/${name}.{kind}`,
      routes: [
        { kind: ["certificate.issued"], topic: places["certificate.issued"] },
        { kind: ["certificate.*"], topic: places["certificate.revoked"] },
      ],
      batchEvents: 5,
    };
    const killed = await killPublisher(t, entry, kinds);
    await assertArrived(t, killed, places, async (topic) =>
      (await readKafka(kafka.bootstrapServers, topic)).map(({ value }) => JSON.parse(value ?? "")),
    );
  });

  test("exchanges of RabbitMQ: none lacks an event, and keys keep their order in each", async (t) => {
    const rabbitmq = await startRabbitmq();
    const [broker = ""] = rabbitmq.urls;
    const name = `routes-${Date.now()}`;
    const places: Places = {
      "certificate.issued": `${name}-issued`,
      "certificate.revoked": `${name}-revoked`,
      "crl.issued": `${name}.crl_issued`,
    };
    t.after(() => leaveRabbitmq(rabbitmq, Object.values(places)));
    await declareExchanges(broker, Object.values(places).slice(1));
    const entry = {
      url: `amqp://${new URL(broker).host}/?exchange=${places["certificate.issued"]}`,
      topology: { quorumQueues: [{ name: places["certificate.issued"] }] },
      routes: [
        { kind: ["crl.issued"], exchange: `${name}.crl_issued`, routingKey: "{kind}.{ca}" },
        { kind: ["certificate.revoked"], exchange: places["certificate.revoked"] },
      ],
      window: 20,
    };
    const killed = await killPublisher(t, entry, kinds);
    await assertArrived(t, killed, places, async (queue) =>
      (await drainQueue(broker, queue)).map((body) => JSON.parse(body)),
    );
  });
});

/** Declares topic exchanges, each with a queue of its name that gets everything. */
async function declareExchanges(url: string, names: readonly string[]): Promise<void> {
  const connection = await connect(url);
  try {
    const channel = await connection.createChannel();
    for (const name of names) {
      await channel.assertExchange(name, "topic", { durable: true });
      await channel.assertQueue(name, { arguments: { "x-queue-type": "quorum" } });
      await channel.bindQueue(name, name, "#");
    }
  } finally {
    await connection.close();
  }
}
