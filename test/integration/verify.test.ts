import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, type TestContext, test } from "node:test";
import { connect } from "amqplib";
import type { CompletenessReport, Hole } from "../../src/consumer/completeness/report.ts";
import type { CertwireEvent } from "../../src/events/event.ts";
import type { Finding } from "../../src/evidence/finding.ts";
import type { ComparisonReport } from "../../src/evidence/journal-comparison.ts";
import { sequenceOf } from "../support/completeness-oracle.ts";
import { publishedEvents, simulatedJournal } from "../support/evidence-journal.ts";
import { JournalTruth } from "../support/journal-truth.ts";
import { kafkaSink, rabbitMqSink } from "../support/make-sink.ts";
import { publishEvents } from "../support/publish-events.ts";
import { type CliResult, runCli, temporaryDirectory } from "../support/run-cli.ts";
import { until } from "../support/until.ts";
import type { KafkaCluster, RabbitmqCluster } from "./support/broker-provider.ts";
import { startKafka, startRabbitmq } from "./support/brokers.ts";
import { kafkaClient, withAdmin } from "./support/kafka-topics.ts";
import { leaveRabbitmq } from "./support/leave-rabbitmq.ts";
import { produceKafka } from "./support/read-kafka.ts";
import { produceRabbitmq } from "./support/read-rabbitmq.ts";

/** Two CAs, each with two epochs: one that ended cleanly, or by a kill, and one that goes on. */
function sampleEvents(): CertwireEvent[] {
  const issue = (count: number) => Array.from({ length: count }, () => ({ do: "issue" }) as const);
  const records = [...issue(60), { do: "crl", events: 2 } as const, ...issue(20)];
  const plan = (end: "clean" | "killed") => [
    { records, end, isNextMissing: false },
    { records: [...records, { do: "damage", records: 2 } as const], end, isNextMissing: false },
  ];
  const truths = [new JournalTruth("a", plan("clean")), new JournalTruth("b", plan("killed"), 500)];
  return truths.flatMap(({ events }) => events);
}

/** A record in the middle of the first epoch of the first CA. */
function isDropped(event: CertwireEvent): boolean {
  return (
    event.source.endsWith(":a") &&
    event.sequence?.startsWith("0000000001") === true &&
    sequenceOf(event) === 33
  );
}

interface VerifyResult extends CompletenessReport {
  readonly read: number;
  readonly foreign: number;
}

function resultOf({ stdout, stderr }: CliResult): VerifyResult {
  assert.notEqual(stdout, "", stderr);
  return JSON.parse(stdout) as VerifyResult;
}

interface Evidence {
  readonly findings: readonly Finding[];
  readonly comparison?: ComparisonReport;
}

function evidenceOf({ stdout }: CliResult): Evidence {
  return (JSON.parse(stdout) as { evidence: Evidence }).evidence;
}

/** An event that says something else than its record. */
function alteredEvent(events: readonly CertwireEvent[]): CertwireEvent {
  const victim = events.find(({ type }) => type.includes("certificate.issued"));
  assert.ok(victim);
  const request = { ...(victim.data["request"] as object), requesterName: "CORP\\nobody" };
  return { ...victim, data: { ...victim.data, request } };
}

/** With the journal, and by its copy alone. */
async function assertAltered(
  verify: (...words: string[]) => Promise<CliResult>,
  journal: string,
  altered: CertwireEvent,
): Promise<void> {
  for (const [words, kinds] of [
    [[], ["double"]],
    [
      ["--journal", journal],
      ["content", "double"],
    ],
  ] as const) {
    const result = await verify("--json", ...words);
    assert.equal(result.exitCode, 5, result.stdout);
    const { findings } = evidenceOf(result);
    assert.deepEqual(findings.map(({ kind }) => kind).toSorted(), kinds);
    for (const { sequence, place } of findings) {
      assert.equal(sequence, sequenceOf(altered));
      assert.match(place ?? "", /@\d+$/);
    }
  }
}

function openHoles({ journals }: CompletenessReport): Hole[] {
  return journals.flatMap(({ holes }) => holes).filter((hole) => hole.accountedBy === undefined);
}

/** Holds the result for a place in which all is there but one record, everything else twice. */
function assertOneHole(result: CliResult, events: readonly CertwireEvent[]): void {
  const report = resultOf(result);
  const epochId = events.find(isDropped)?.id.slice(0, 32) ?? "";
  const place = { epochNumber: 1, epochId, from: 33, to: 33 };
  assert.deepEqual(openHoles(report), [{ kind: "records", ...place }]);
  assert.equal(report.events, events.length - 1);
  assert.equal(report.duplicates, events.length - 1);
  assert.equal(result.exitCode, 4, result.stderr);
}

function assertTable({ stdout, exitCode }: CliResult): void {
  const lines = stdout.split("\n");
  assert.equal(exitCode, 4);
  assert.match(stdout, /MISSING +epoch 1 +record 33 /);
  assert.match(stdout, /corrupt +epoch 2 +records \d+-\d+ /);
  assert.match(stdout, /^1 hole$/m);
  assert.deepEqual(
    lines.filter((line) => line.length > 80),
    [],
  );
}

suite("certwire verify on a topic of a real Kafka broker", () => {
  let kafka: KafkaCluster;
  let topics = 0;
  before(async () => {
    kafka = await startKafka();
  });
  after(() => kafka.stop());

  async function makeTopic(config: Record<string, string> = {}) {
    topics += 1;
    const topic = `verify-${process.pid}-${topics}`;
    await kafka.createTopic(topic, { partitions: 4, config });
    const url = `kafka://${kafka.bootstrapServers.join()}/${topic}`;
    const verify = (...words: string[]) => runCli("verify", "--kafka", url, ...words);
    const publish = (t: TestContext, events: readonly CertwireEvent[], mode = "structured") =>
      publishEvents(t, events, kafkaSink(kafka.bootstrapServers, topic, { mode }));
    return { topic, verify, publish };
  }

  /** The consumer groups of `certwire verify`. */
  async function groups(): Promise<string[]> {
    const { groups: all } = await withAdmin(kafka.bootstrapServers, (admin) => admin.listGroups());
    return all.map(({ groupId }) => groupId).filter((id) => id.startsWith("certwire-verify-"));
  }

  test("a record that was dropped on purpose is found at its place, until it is published", async (t) => {
    const { topic, verify, publish } = await makeTopic();
    const events = sampleEvents();
    const kept = events.filter((event) => !isDropped(event));
    await publish(t, kept);
    await publish(t, kept, "binary");
    assertOneHole(await verify("--json", "--wait", "0"), events);
    assertTable(await verify("--wait", "1"));
    await produceKafka(kafka.bootstrapServers, topic, 2, ["not an event"]);
    await publish(t, events.filter(isDropped));
    const complete = await verify("--json");
    const report = resultOf(complete);
    assert.deepEqual(openHoles(report), []);
    assert.equal(report.foreign, 1);
    assert.equal(report.read, 2 * events.length);
    assert.equal(complete.exitCode, 0);
  });

  test("what retention deleted from one partition is where the proof starts, not a hole", async (t) => {
    const { topic, verify, publish } = await makeTopic();
    const events = sampleEvents().filter(({ source }) => source.endsWith(":a"));
    await publish(t, events);
    const offset = await withAdmin(kafka.bootstrapServers, async (admin) => {
      const offsets = await admin.fetchTopicOffsets(topic);
      const [{ partition, high } = { partition: 0, high: "0" }] = offsets.filter(
        (each) => Number(each.high) > 10,
      );
      const first = String(Number(high) - 8);
      await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: first }] });
      return first;
    });
    const result = await verify("--json");
    const report = resultOf(result);
    assert.equal(result.exitCode, 0, result.stdout);
    assert.equal(report.read, events.length - Number(offset));
    assert.ok((report.journals[0]?.startsAt.sequence ?? 0) > 2);
  });

  test("an event that was still on its way when the topic was read is no hole", async (t) => {
    const { verify, publish } = await makeTopic();
    const events = sampleEvents();
    await publish(
      t,
      events.filter((event) => !isDropped(event)),
    );
    const verifying = verify("--json", "--wait", "600");
    // The group joins after the end of the topic was asked for, and is deleted at the end.
    await until(async () => (await groups()).length > 0, "certwire verify has a consumer group");
    await publish(t, events.filter(isDropped));
    const result = await verifying;
    assert.deepEqual(openHoles(resultOf(result)), []);
    assert.equal(result.exitCode, 0);
    assert.deepEqual(await groups(), []);
  });

  test("a topic that ends with transactions is read to its end", async (t) => {
    const { topic, verify, publish } = await makeTopic();
    const events = sampleEvents();
    await publish(t, events);
    const client = kafkaClient(kafka.bootstrapServers);
    const producer = client.producer({ transactionalId: topic, maxInFlightRequests: 1 });
    await producer.connect();
    for (const end of ["commit", "abort"] as const) {
      const transaction = await producer.transaction();
      const messages = [0, 1, 2, 3].map((partition) => ({ partition, value: end }));
      await transaction.send({ topic, messages });
      await transaction[end]();
    }
    await producer.disconnect();
    const result = await verify("--json");
    assert.equal(result.exitCode, 0, result.stderr);
    assert.equal(resultOf(result).foreign, 4);
  });

  test("a partition that has none left is named, since a hole may be of it", async (t) => {
    const { topic, verify, publish } = await makeTopic();
    await publish(t, sampleEvents());
    const partition = await withAdmin(kafka.bootstrapServers, async (admin) => {
      const all = await admin.fetchTopicOffsets(topic);
      const [fullest = { partition: 0, high: "0" }] = all.toSorted(
        (a, b) => Number(b.high) - Number(a.high),
      );
      const { partition: number, high: offset } = fullest;
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: number, offset }] });
      return number;
    });
    const result = await verify("--json", "--wait", "0");
    assert.equal(result.exitCode, 4, result.stderr);
    const emptied = resultOf(result).journals.map((journal) => journal.emptied);
    assert.ok(
      emptied.every((names) => names.includes(`${topic}/${partition}`)),
      JSON.stringify(emptied),
    );
    assert.match((await verify("--wait", "0")).stdout, new RegExp(`${topic}/${partition}$`, "m"));
  });

  test("events in both modes fit to their journal, and one that somebody adds to the topic does not", async (t) => {
    const { topic, verify, publish } = await makeTopic();
    const journal = simulatedJournal(t);
    const events = await publishedEvents(journal);
    await publish(t, events);
    await publish(t, events, "binary");
    const sound = await verify("--json", "--journal", journal);
    assert.equal(sound.exitCode, 0, sound.stdout);
    assert.equal(evidenceOf(sound).comparison?.same, 2 * events.length);
    const altered = alteredEvent(events);
    await produceKafka(kafka.bootstrapServers, topic, 3, [JSON.stringify(altered)]);
    await assertAltered(verify, journal, altered);
  });

  test("the journal distinguishes what a compacted topic has replaced from what somebody took away", async (t) => {
    const { verify, publish } = await makeTopic({ "cleanup.policy": "compact" });
    const journal = simulatedJournal(t, { count: 120 });
    const events = await publishedEvents(journal);
    const newest = new Map(events.map((event) => [event.partitionkey, event]));
    // What is left after a compaction, which takes the broker minutes.
    await publish(t, [...newest.values()]);
    const alone = await verify("--wait", "0");
    assert.equal(alone.exitCode, 4, alone.stdout);
    assert.match(alone.stdout, /^note: the broker compacts the topic/m);
    const both = await verify("--json", "--wait", "0", "--journal", journal);
    assert.equal(both.exitCode, 0, both.stdout);
    assert.ok((evidenceOf(both).comparison?.compacted ?? 0) > 0);
  });

  test("an empty topic, and one that does not exist, prove nothing", async () => {
    const { verify } = await makeTopic();
    const empty = await verify();
    assert.equal(empty.exitCode, 65);
    assert.match(empty.stderr, /CERTWIRE_VERIFY_EMPTY/);
    const url = `kafka://${kafka.bootstrapServers.join()}/missing`;
    const missing = await runCli("verify", "--kafka", url);
    assert.equal(missing.exitCode, 77);
    assert.match(missing.stderr, /CERTWIRE_CONSUMER_REFUSED/);
  });
});

suite("certwire verify on a stream of a real RabbitMQ broker", () => {
  let rabbitmq: RabbitmqCluster;
  let url = "";
  const streams: string[] = [];
  before(async () => {
    rabbitmq = await startRabbitmq();
    [url = ""] = rabbitmq.urls;
  });
  after(() => leaveRabbitmq(rabbitmq, streams));

  async function makeStream(queueArguments: object = { "x-queue-type": "stream" }) {
    const stream = `verify-${process.pid}-${streams.length + 1}`;
    streams.push(stream);
    const connection = await connect(url);
    const channel = await connection.createChannel();
    await channel.assertExchange(stream, "topic");
    await channel.assertQueue(stream, { arguments: queueArguments });
    await channel.bindQueue(stream, stream, "#");
    await connection.close();
    const publish = (t: TestContext, events: readonly CertwireEvent[], mode = "structured") =>
      publishEvents(t, events, rabbitMqSink(rabbitmq.urls, stream, { mode }));
    return { stream, verify: verifyOf(stream), publish };
  }

  function verifyOf(stream: string, user = "guest") {
    const address = `amqp://${user}@${new URL(url).host}/?stream=${stream}`;
    return (...words: string[]) => runCli("verify", "--rabbitmq-stream", address, ...words);
  }

  test("a record that was dropped on purpose is found at its place, until it is published", async (t) => {
    const { stream, verify, publish } = await makeStream();
    const events = sampleEvents();
    const kept = events.filter((event) => !isDropped(event));
    await publish(t, kept);
    await publish(t, kept, "binary");
    assertOneHole(await verify("--json", "--wait", "0"), events);
    assertTable(await verify("--wait", "1"));
    await produceRabbitmq(url, stream, "not an event");
    await publish(t, events.filter(isDropped));
    const complete = await verify("--json");
    const report = resultOf(complete);
    assert.deepEqual(openHoles(report), []);
    assert.equal(report.foreign, 1);
    assert.equal(report.read, 2 * events.length);
    assert.equal(complete.exitCode, 0);
  });

  test("events in both modes fit to their journal, and one that somebody adds to the stream does not", async (t) => {
    const { stream, verify, publish } = await makeStream();
    const journal = simulatedJournal(t);
    const events = await publishedEvents(journal);
    await publish(t, events);
    await publish(t, events, "binary");
    const sound = await verify("--json", "--journal", journal);
    assert.equal(sound.exitCode, 0, sound.stdout);
    assert.equal(evidenceOf(sound).comparison?.same, 2 * events.length);
    const altered = alteredEvent(events);
    await produceRabbitmq(url, stream, JSON.stringify(altered));
    await assertAltered(verify, journal, altered);
  });

  test("an empty stream, a missing one, another queue and a wrong password are refused", async (t) => {
    const empty = await (await makeStream()).verify();
    assert.equal(empty.exitCode, 65);
    assert.match(empty.stderr, /CERTWIRE_VERIFY_EMPTY/);
    const missing = await verifyOf("missing")();
    assert.equal(missing.exitCode, 77);
    assert.match(missing.stderr, /CERTWIRE_CONSUMER_REFUSED/);
    const queue = await makeStream({});
    await queue.publish(t, sampleEvents().slice(0, 3));
    const other = await queue.verify();
    assert.equal(other.exitCode, 77, other.stderr);
    assert.match(other.stderr, /x-stream-offset/);
    const file = join(temporaryDirectory(t), "password");
    writeFileSync(file, "Ge5eim\n");
    const denied = await verifyOf("missing", "nobody")("--password-file", file);
    assert.equal(denied.exitCode, 77, denied.stderr);
    assert.doesNotMatch(denied.stderr, /Ge5eim/);
  });
});
