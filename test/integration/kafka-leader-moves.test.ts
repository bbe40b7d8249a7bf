import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { assertDelivered } from "../contract/sink-contract.ts";
import { countDuplicates, startFlow } from "../support/flow.ts";
import { kafkaSink } from "../support/make-sink.ts";
import { sampleOutbound, sequenceOf } from "../support/sample-events.ts";
import { scaled } from "../support/scale.ts";
import type { KafkaCluster } from "./support/broker-provider.ts";
import { startKafka } from "./support/brokers.ts";
import { kafkaClient } from "./support/kafka-topics.ts";
import { readKafka } from "./support/read-kafka.ts";

const moves = scaled(15, { least: 3 });
/** Events that are published between two moves, so that each move meets some. */
const eventsPerMove = 100;
const replicas = [
  [1, 2, 3],
  [2, 3, 1],
  [3, 1, 2],
];

suite("Kafka partitions whose leaders move", () => {
  let kafka: KafkaCluster;
  before(async () => {
    // No leader may move because a node is slow for some seconds.
    const properties = { "broker.session.timeout.ms": "90000" };
    kafka = await startKafka({ nodes: 3, faults: true, properties });
  });
  after(() => kafka.stop());

  async function arrivedIn(topic: string) {
    const messages = await readKafka(kafka.bootstrapServers, topic);
    return messages.map(({ value }) => JSON.parse(value ?? ""));
  }

  test("a naive send over several partitions reports success and has lost an event", async () => {
    await kafka.createTopic("naive", { replicas });
    const client = kafkaClient(kafka.bootstrapServers);
    const producer = client.producer({ idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    const send = (first: number) =>
      producer.send({
        topic: "naive",
        acks: -1,
        messages: [0, 1, 2].map((partition) => ({
          partition,
          value: sampleOutbound(first + partition).json,
        })),
      });
    await send(1);
    await kafka.moveLeader("naive", 0, 2);
    const answer = await send(4);
    await producer.disconnect();
    assert.deepEqual(
      new Set(answer.map(({ partition }) => partition)),
      new Set([1, 2]),
      "it resolves without a word about partition 0",
    );
    const arrived = new Set((await arrivedIn("naive")).map(sequenceOf));
    assert.deepEqual(arrived, new Set([1, 2, 3, 5, 6]), "event 4 is nowhere");
  });

  test("the sink loses nothing in the very same case", async () => {
    await kafka.createTopic("ours", { replicas });
    const sink = kafkaSink(kafka.bootstrapServers, "ours");
    await sink.open();
    const keys = keysOfPartitions((key) => sink.laneOf(sampleOutbound(1, key)));
    const signal = new AbortController().signal;
    const publish = async (first: number) => {
      for (const [lane, key] of keys.entries()) {
        const outcome = await sink.publish(lane, [sampleOutbound(first + lane, key)], signal);
        assert.deepEqual(outcome, { acknowledged: 1 });
      }
    };
    await publish(1);
    await kafka.moveLeader("ours", 0, 2);
    await publish(4);
    await sink.close();
    const sent = [1, 2, 3, 4, 5, 6].map((n) => sampleOutbound(n, keys[(n - 1) % 3]));
    assertDelivered(await arrivedIn("ours"), sent);
  });

  test("while leaders keep moving the sink loses and reorders no event", async (t) => {
    await kafka.createTopic("moving", { replicas: [...replicas, ...replicas] });
    const sink = kafkaSink(kafka.bootstrapServers, "moving");
    const flow = await startFlow(t, sink, { eventsPerSecond: 600, keys: 100 });
    for (let move = 0; move < moves; move += 1) {
      await flow.moreAcknowledged(eventsPerMove);
      await kafka.moveLeader("moving", move % 6, 1 + ((move + 1) % 3));
    }
    await flow.moreAcknowledged(eventsPerMove);
    await flow.end();
    const arrived = await arrivedIn("moving");
    assertDelivered(arrived, flow.sent());
    t.diagnostic(
      `${arrived.length} events, ${moves} moves, ${countDuplicates(arrived)} duplicates`,
    );
  });
});

/** A key for each of the three partitions; with three lanes a lane is a partition. */
function keysOfPartitions(laneOf: (key: string) => number): string[] {
  const keys: string[] = [];
  for (let n = 0; new Set(Object.keys(keys)).size < 3; n += 1)
    keys[laneOf(`ca/${n}`)] ??= `ca/${n}`;
  return keys;
}
