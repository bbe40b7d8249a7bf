import assert from "node:assert/strict";
import { test } from "node:test";
import type { Kafka, ProducerRecord, RecordMetadata } from "kafkajs";
import { CertwireError } from "../../../../src/errors/certwire-error.ts";
import { describeError } from "../../../../src/errors/describe-error.ts";
import type { OutboundEvent } from "../../../../src/events/outbound-event.ts";
import { KafkaLane } from "../../../../src/sinks/kafka/lane.ts";
import { kafkaSinkOptions, resolveKafkaSink } from "../../../../src/sinks/kafka/options.ts";
import type { SinkFailure } from "../../../../src/sinks/sink.ts";
import { range } from "../../../support/run-pipeline.ts";
import { sampleOutbound, sequenceOf } from "../../../support/sample-events.ts";

const signal = new AbortController().signal;
const options = resolveKafkaSink(
  kafkaSinkOptions.parse({ name: "k", url: "kafka://127.0.0.1:1/events" }),
  { baseDirectory: "/", secret: () => "" },
);

/** A send as the broker of a fake kafkajs saw it. */
interface Sent {
  readonly producer: number;
  readonly topic: string;
  readonly partitions: number[];
  readonly sequences: number[];
}

type Answer = (sent: Sent, call: number) => RecordMetadata[] | undefined;

/** kafkajs with an answer of the test's choice; `undefined` stands for a good one. */
function fakeKafka(answer: Answer = () => undefined) {
  const sends: Sent[] = [];
  let producers = 0;
  let offset = 0;
  const kafka = {
    producer() {
      producers += 1;
      const producer = producers;
      return {
        connect: async () => {},
        disconnect: async () => {},
        async send({ topic, messages }: ProducerRecord) {
          const sent = {
            producer,
            topic,
            partitions: [...new Set(messages.map(({ partition }) => partition ?? -1))],
            sequences: messages.map(({ value }) => sequenceOf(JSON.parse(String(value)))),
          };
          sends.push(sent);
          const given = answer(sent, sends.length);
          if (given) return given;
          offset += messages.length;
          return [{ ...good(sent.partitions[0] ?? -1, offset), topicName: topic }];
        },
      };
    },
  };
  return { kafka: kafka as unknown as Kafka, sends, producers: () => producers };
}

function good(partition: number, offset: number): RecordMetadata {
  return { topicName: "events", partition, errorCode: 0, baseOffset: String(offset) };
}

/** A lane whose sink answers a refused event with a `config` failure, and knows every topic but `missing`. */
function laneOn(kafka: Kafka, partitions: number, maxSendBytes = Infinity) {
  const refused = ({ id }: OutboundEvent): SinkFailure => ({
    kind: "config",
    cause: new Error(id),
  });
  const topicOf = ({ destination }: OutboundEvent) => destination?.topic ?? "events";
  const stateOf = async (topic: string) => {
    if (topic !== "missing") return { partitions, maxMessageBytes: maxSendBytes };
    throw new CertwireError("CERTWIRE_SINK_CONFIG", `topic "${topic}" does not exist`);
  };
  return new KafkaLane({ kafka, options, topicOf, stateOf, refused });
}

function events(count: number, keys: number) {
  return range(1, count).map((n) => sampleOutbound(n, `ca/${n % keys}`));
}

function protocolError(type: string): never {
  throw Object.assign(new Error(type), { name: "KafkaJSProtocolError", type });
}

test("every send goes to one partition alone, and nothing is left out", async () => {
  const { kafka, sends } = fakeKafka();
  const lane = laneOn(kafka, 6);
  assert.deepEqual(await lane.publish(events(60, 17), signal), { acknowledged: 60 });
  for (const { partitions } of sends) assert.equal(partitions.length, 1);
  const all = sends.flatMap(({ sequences }) => sequences).toSorted((a, b) => a - b);
  assert.deepEqual(all, range(1, 60));
});

test("an answer that is not exactly the partition's good one is not believed", async () => {
  const bad: [string, (partition: number) => RecordMetadata[]][] = [
    ["empty", () => []],
    ["two entries", (p) => [good(p, 50), good(p, 51)]],
    ["another partition", (p) => [good(p + 1, 50)]],
    ["another topic", (p) => [{ ...good(p, 50), topicName: "other" }]],
    ["an error code", (p) => [{ ...good(p, 50), errorCode: 6 }]],
    ["no offset", (p) => [{ topicName: "events", partition: p, errorCode: 0 }]],
    ["an offset that goes down", (p) => [good(p, 0)]],
    ["the same offset again", (p) => [good(p, 1)]],
  ];
  for (const [name, answer] of bad) {
    const { kafka, producers } = fakeKafka(({ partitions }, call) =>
      call === 2 ? answer(partitions[0] ?? -1) : undefined,
    );
    const lane = laneOn(kafka, 1);
    await lane.publish([sampleOutbound(1)], signal);
    const outcome = await lane.publish([sampleOutbound(2)], signal);
    assert.equal(outcome.acknowledged, 0, name);
    assert.equal(outcome.failure?.kind, "reset", name);
    assert.deepEqual(await lane.publish([sampleOutbound(2)], signal), { acknowledged: 1 }, name);
    assert.equal(producers(), 2, `${name}: a new producer`);
  }
});

test("a busy broker gets the identical group from the same producer again", async () => {
  const { kafka, sends, producers } = fakeKafka((_sent, call) =>
    call === 2 ? protocolError("NOT_LEADER_FOR_PARTITION") : undefined,
  );
  const lane = laneOn(kafka, 3);
  const batch = events(30, 11);
  const first = await lane.publish(batch, signal);
  assert.equal(first.failure?.kind, "retry-identical");
  const second = await lane.publish(batch.slice(first.acknowledged), signal);
  assert.equal(first.acknowledged + second.acknowledged, 30);
  assert.deepEqual(sends[2], sends[1], "the group that failed");
  assert.equal(producers(), 1);
  const counts = new Map<number, number>();
  for (const n of sends.flatMap(({ sequences }) => sequences))
    counts.set(n, (counts.get(n) ?? 0) + 1);
  const twice = [...counts].filter(([, count]) => count > 1).map(([n]) => n);
  assert.deepEqual(twice, sends[1]?.sequences, "what was acknowledged is not sent again");
});

test("a sequence error, a fenced producer and a timeout get a new producer", async () => {
  const timeout = () => {
    throw Object.assign(new Error("Request timed out"), { name: "KafkaJSRequestTimeoutError" });
  };
  const failures = [
    () => protocolError("OUT_OF_ORDER_SEQUENCE_NUMBER"),
    () => protocolError("DUPLICATE_SEQUENCE_NUMBER"),
    () => protocolError("INVALID_PRODUCER_EPOCH"),
    () => protocolError("UNKNOWN_PRODUCER_ID"),
    () => protocolError("A_TYPE_OF_THE_FUTURE"),
    timeout,
  ];
  for (const fail of failures) {
    const { kafka, producers } = fakeKafka((_sent, call) => (call === 1 ? fail() : undefined));
    const lane = laneOn(kafka, 1);
    const outcome = await lane.publish(events(5, 2), signal);
    assert.equal(outcome.failure?.kind, "reset");
    assert.deepEqual(await lane.publish(events(5, 2), signal), { acknowledged: 5 });
    assert.equal(producers(), 2);
  }
});

test("a batch that is too large is sent in smaller parts, up to the event that is refused alone", async () => {
  const { kafka, sends, producers } = fakeKafka(({ sequences }) =>
    sequences.includes(7) ? protocolError("MESSAGE_TOO_LARGE") : undefined,
  );
  const lane = laneOn(kafka, 1);
  const batch = events(12, 5);
  const outcome = await lane.publish(batch, signal);
  assert.equal(outcome.acknowledged, 6);
  assert.deepEqual(outcome.failure, { kind: "config", cause: new Error(batch[6]?.id) });
  assert.ok(producers() > 1, "other sends have another producer ID");
  const atOnce = sends.map(({ sequences }) => sequences.length);
  assert.deepEqual(
    atOnce,
    atOnce.toSorted((a, b) => b - a),
    "never more again",
  );
  const before = sends.length;
  assert.deepEqual(await lane.publish(batch.slice(7), signal), { acknowledged: 5 });
  assert.equal(
    sends.length - before,
    5,
    "the rest goes alone at once, and nothing is sent in vain",
  );
});

test("two large events that do not fit together do not slow down the small ones after them", async () => {
  const { kafka, sends } = fakeKafka(({ sequences }) =>
    sequences.includes(1) && sequences.includes(2) ? protocolError("MESSAGE_TOO_LARGE") : undefined,
  );
  const lane = laneOn(kafka, 1);
  const large = [1, 2].map((n) => sampleOutbound(n, "ca/1", 600_000));
  assert.deepEqual(await lane.publish(large, signal), { acknowledged: 2 });
  const before = sends.length;
  const small = range(3, 200).map((n) => sampleOutbound(n, "ca/1", 500));
  assert.deepEqual(await lane.publish(small, signal), { acknowledged: 198 });
  assert.equal(sends.length - before, 1);
});

test("a send stays below the topic's limit, and events of a partition keep their order", async () => {
  const { kafka, sends } = fakeKafka();
  const batch = range(1, 40).map((n) => sampleOutbound(n, `ca/${n % 3}`, 1000));
  const limit = 10_000;
  const lane = laneOn(kafka, 2, limit);
  assert.deepEqual(await lane.publish(batch, signal), { acknowledged: 40 });
  const bytesOf = new Map(batch.map((event) => [sequenceOf(event), event.json.length]));
  for (const { sequences } of sends) {
    const bytes = sequences.reduce((sum, n) => sum + (bytesOf.get(n) ?? 0), 0);
    assert.ok(bytes < limit && sequences.length > 1, `${sequences.length} events, ${bytes} bytes`);
  }
  for (const partition of [0, 1]) {
    const ofPartition = sends.filter(({ partitions }) => partitions[0] === partition);
    const order = ofPartition.flatMap(({ sequences }) => sequences);
    assert.deepEqual(
      order,
      order.toSorted((a, b) => a - b),
    );
  }
});

test("a log that starts again is reported as that, and asks for the topic to be examined", async () => {
  const { kafka } = fakeKafka(({ partitions }, call) =>
    call === 2 ? [good(partitions[0] ?? -1, 0)] : undefined,
  );
  const lane = laneOn(kafka, 1);
  await lane.publish([sampleOutbound(1)], signal);
  const { failure } = await lane.publish([sampleOutbound(2)], signal);
  assert.equal(failure?.scope, "sink");
  assert.match(failure?.cause.message ?? "", /is at offset 0, after 1 before/);
  assert.match(describeError(failure?.cause).hint ?? "", /deleted and created again/);
});

function sentTo(topic: string, ...sequences: number[]): OutboundEvent[] {
  return sequences.map((n) => ({ ...sampleOutbound(n, "ca/1"), destination: { topic } }));
}

test("each send goes to one topic alone, in the order of the events", async () => {
  const { kafka, sends } = fakeKafka();
  const batch = range(1, 9).flatMap((n) => sentTo(`t${n % 3}`, n));
  assert.deepEqual(await laneOn(kafka, 1).publish(batch, signal), { acknowledged: 9 });
  assert.deepEqual(
    sends.map(({ topic, sequences }) => [topic, ...sequences]),
    [
      ["t1", 1, 4, 7],
      ["t2", 2, 5, 8],
      ["t0", 3, 6, 9],
    ],
  );
});

test("events before one whose topic is missing are acknowledged, and the failure names the topic", async () => {
  const { kafka, sends } = fakeKafka();
  const lane = laneOn(kafka, 1);
  const batch = [...sentTo("a", 1, 2), ...sentTo("missing", 3), ...sentTo("a", 4)];
  const { acknowledged, failure } = await lane.publish(batch, signal);
  assert.deepEqual([acknowledged, failure?.kind], [2, "config"]);
  assert.match(failure?.cause.message ?? "", /"missing"/);
  assert.equal((await lane.publish(batch.slice(2), signal)).acknowledged, 0);
  assert.deepEqual(
    sends.map(({ sequences }) => sequences),
    [[1, 2]],
  );
});

test("a topic that is deleted later fails by its name", async () => {
  const { kafka } = fakeKafka(({ topic }) =>
    topic === "gone" ? protocolError("UNKNOWN_TOPIC_OR_PARTITION") : undefined,
  );
  const batch = [...sentTo("a", 1), ...sentTo("gone", 2)];
  const { acknowledged, failure } = await laneOn(kafka, 1).publish(batch, signal);
  assert.deepEqual([acknowledged, failure?.kind], [1, "config"]);
  assert.match(failure?.cause.message ?? "", /cannot publish to topic "gone"/);
});

test("what one topic refuses as too large makes no smaller sends to another", async () => {
  const { kafka, sends } = fakeKafka(({ topic, sequences }, call) =>
    // A lane whose sends never become smaller must come to an end, too.
    topic === "small" && sequences.length > 1 && call < 20
      ? protocolError("MESSAGE_TOO_LARGE")
      : undefined,
  );
  const batch = [...sentTo("small", 1, 2), ...sentTo("large", ...range(3, 10))];
  assert.deepEqual(await laneOn(kafka, 1).publish(batch, signal), { acknowledged: 10 });
  assert.deepEqual(sends.at(-1)?.sequences, range(3, 10));
});

/** A broker with a fault of one topic, which kafkajs reports for every send of a producer that was given that topic. */
function brokerWithFaultOf(topic: string, type: string) {
  const given = new Set<number>();
  const fault = { isThere: false };
  const fake = fakeKafka((sent) => {
    if (sent.topic === topic) given.add(sent.producer);
    return fault.isThere && given.has(sent.producer) ? protocolError(type) : undefined;
  });
  return { ...fake, fault };
}

const metadataFaults = [
  ["LEADER_NOT_AVAILABLE", "retry-identical"],
  ["UNKNOWN_TOPIC_OR_PARTITION", "config"],
  ["TOPIC_AUTHORIZATION_FAILED", "auth"],
  ["LISTENER_NOT_FOUND", "reset"],
] as const;

test("a fault of an idle topic does not stop the other topics of its lane", async () => {
  for (const [type] of metadataFaults) {
    const { kafka, fault, producers } = brokerWithFaultOf("idle", type);
    const lane = laneOn(kafka, 1);
    const before = [...sentTo("idle", 1), ...sentTo("busy", 2)];
    assert.deepEqual(await lane.publish(before, signal), { acknowledged: 2 });
    fault.isThere = true;
    for (const n of [3, 4])
      assert.deepEqual(await lane.publish(sentTo("busy", n), signal), { acknowledged: 1 }, type);
    assert.equal(producers(), 2, `${type}: one new producer is enough`);
  }
});

test("a topic with a fault of its own fails by its name and kind, after the events before it", async () => {
  for (const [type, kind] of metadataFaults) {
    const { kafka, fault, sends } = brokerWithFaultOf("offline", type);
    const lane = laneOn(kafka, 1);
    const batch = [...sentTo("busy", 1), ...sentTo("offline", 2), ...sentTo("busy", 3)];
    fault.isThere = true;
    for (const remaining of [batch, batch.slice(1)]) {
      const { acknowledged, failure } = await lane.publish(remaining, signal);
      assert.deepEqual([acknowledged, failure?.kind], [remaining.length - 2, kind], type);
      assert.match(failure?.cause.message ?? "", /topic "offline"/);
    }
    fault.isThere = false;
    assert.deepEqual(await lane.publish(batch.slice(1), signal), { acknowledged: 2 });
    const toBusy = sends.filter(({ topic }) => topic === "busy");
    assert.deepEqual(
      toBusy.flatMap(({ sequences }) => sequences),
      [1, 3],
      "once each",
    );
  }
});
