import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { after, before, suite, type TestContext, test } from "node:test";
import { connect } from "amqplib";
import { chooseEventPlace, type EventPlaceOptions } from "../../src/cli/event-place.ts";
import { crlContentId } from "../../src/events/content-id.ts";
import { crlRowEvent } from "../../src/events/crl-row-event.ts";
import type { CertwireEvent } from "../../src/events/event.ts";
import { rowEvents } from "../../src/events/row-events.ts";
import { dispositions, exitEvents } from "../../src/exit/ca-codes.ts";
import { EventContents } from "../../src/reconcile/event-contents.ts";
import type { ReconcileOptions, ReconcileReport } from "../../src/reconcile/reconcile.ts";
import { RunFile } from "../../src/reconcile/run-file.ts";
import type { Sink } from "../../src/sinks/sink.ts";
import { crl, crlRow } from "../support/crl-rows.ts";
import { publishedEvents } from "../support/evidence-journal.ts";
import type { CaRow } from "../support/fake-ca-database.ts";
import { kafkaSink, rabbitMqSink } from "../support/make-sink.ts";
import { publishEvents } from "../support/publish-events.ts";
import { ReconcileScene } from "../support/reconcile-scene.ts";
import { until } from "../support/until.ts";
import type { KafkaCluster, RabbitmqCluster } from "./support/broker-provider.ts";
import { startKafka, startRabbitmq } from "./support/brokers.ts";
import { withAdmin } from "./support/kafka-topics.ts";
import { leaveRabbitmq } from "./support/leave-rabbitmq.ts";

const { issued, revoked } = dispositions;
const second = 1000;
const day = 86_400_000;
const last = 60;
/** Requests of which the topic lacks everything, and the revocation. */
const [lost, unrevoked] = [7, 9];
/** The CRL that it lacks. */
const lostCrl = crl("base", 2);

function row({ begin }: ReconcileScene, id: number, changes: Partial<CaRow> = {}): CaRow {
  const certificate = ReconcileScene.certificate(id);
  const dates = { submitted: begin, resolved: begin + second };
  return { id, disposition: issued, ...dates, certificate, ...changes };
}

/** A CA whose database and journal agree, but for the CRLs of partitions, and the events of the journal. */
async function agreeingScene(t: TestContext) {
  const scene = new ReconcileScene(t);
  for (let id = 2; id <= last; id += 1) scene.happen(exitEvents.issued, row(scene, id));
  const revocation = { disposition: revoked, revoked: scene.begin + 2 * second, reason: 1 };
  scene.happen(exitEvents.revoked, row(scene, unrevoked, revocation));
  for (const base of [crl("base", 1), lostCrl]) scene.recordCrls({ base });
  scene.recordCrls({ delta: crl("delta", 1) });
  scene.database.crls = [
    crlRow(1, crl("base", 1), scene.begin),
    crlRow(2, crl("delta", 1), scene.begin, { kind: "delta" }),
    crlRow(3, lostCrl, scene.begin),
  ];
  scene.database.partitions = { count: 1, certificates: [0] };
  scene.database.partitioned = [
    { index: 0, kind: "base", partition: 1, der: crl("base", 3) },
    { index: 0, kind: "delta", partition: 1, der: crl("delta", 3) },
  ];
  await scene.flushed();
  return { scene, events: await publishedEvents(scene.journal) };
}

function isLost({ type, partitionkey, contentid }: CertwireEvent): boolean {
  if (contentid === crlContentId(hash("sha256", lostCrl))) return true;
  const id = Number(/:(\d+)$/.exec(partitionkey)?.[1]);
  return id === lost || (id === unrevoked && type.includes("revoked"));
}

/** Compares the database with a place, as the command does. */
async function compare(
  scene: ReconcileScene,
  options: EventPlaceOptions,
  changes: Partial<ReconcileOptions> = {},
): Promise<ReconcileReport> {
  const place = await chooseEventPlace(options);
  assert.ok(place);
  const paths = scene.paths.place(place.key);
  return scene.reconcile({
    contents: await EventContents.open(place.noun, paths, place.read),
    journal: place.name,
    paths,
    run: await RunFile.open(paths.run),
    // What has happened since the beginning of the test is old enough.
    settleMs: -day,
    ...changes,
  });
}

function classesOf({ counts }: ReconcileReport): Record<string, number> {
  return present(counts);
}

function crlClassesOf({ crls }: ReconcileReport): Record<string, number> {
  return present(crls);
}

function present(counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

interface Place {
  readonly options: EventPlaceOptions;
  readonly sink: () => Sink;
}

/** Holds a place to the same as the journal: what is in it, what is not, and what a backfill has added. */
async function assertCompared(t: TestContext, { options, sink }: Place): Promise<void> {
  const { scene, events } = await agreeingScene(t);
  await publishEvents(
    t,
    events.filter((event) => !isLost(event)),
    sink(),
  );
  // Contradictory, deleted, never recorded, and from before the first event.
  scene.database.put(row(scene, 11, { certificate: ReconcileScene.certificate(111) }));
  scene.database.delete(12);
  scene.database.put(row(scene, 61));
  const old = { submitted: scene.begin - day, resolved: scene.begin - day };
  scene.database.put(row(scene, 62, old));
  const report = await compare(scene, options);
  assert.deepEqual(classesOf(report), {
    both: last - 1 - 4,
    missing: 2,
    state: 1,
    changed: 1,
    deleted: 1,
    history: 1,
  });
  assert.deepEqual(crlClassesOf(report), { both: 2, missing: 1, partition: 2 });
  const details = report.findings.map((finding) => {
    if ("crl" in finding) return [finding.crl, finding.class, finding.missing.join()];
    const { requestId, class: found, missing, detail } = finding;
    return [requestId, found, detail ?? missing.join()];
  });
  assert.deepEqual(details, [
    [lost, "missing", "certificate.issued"],
    [unrevoked, "state", `the ${report.comparedWith} lacks certificate.revoked`],
    [11, "changed", `${report.comparedWith} and database have different certificates`],
    [61, "missing", "certificate.issued"],
    [
      12,
      "deleted",
      `the ${report.comparedWith} has certificate.issued, and the database has no row`,
    ],
    ["crl/0/base/4112", "missing", "crl.issued"],
  ]);

  // The service publishes the rest, a backfill what the journal does not have either.
  await publishEvents(t, events.filter(isLost), sink());
  const backfilled: CertwireEvent[] = [];
  const { signal } = new AbortController();
  for await (const read of scene.caDatabase().rows([61, 62], signal)) {
    backfilled.push(...rowEvents(read, {}));
  }
  for await (const read of scene.caDatabase().partitionedCrls(signal)) {
    backfilled.push(...[crlRowEvent(read, {}) ?? []].flat());
  }
  await publishEvents(t, backfilled, sink());
  const whole = await compare(scene, options, { since: "full" });
  assert.deepEqual(classesOf(whole), {
    both: last - 1 - 2,
    changed: 1,
    backfilled: 2,
    deleted: 1,
  });
  assert.deepEqual(crlClassesOf(whole), { both: 3, backfilled: 2 });
}

/** Makes sure that the events of another CA are not taken for those of this one. */
async function assertOtherCa(t: TestContext, { options, sink }: Place): Promise<void> {
  const { scene, events } = await agreeingScene(t);
  const others = events.map((event) => {
    const ca = { ...(event.data["ca"] as object), certificateSha256: "0".repeat(64) };
    return { ...event, data: { ...event.data, ca } };
  });
  await publishEvents(t, others, sink());
  await assert.rejects(compare(scene, options), {
    code: "CERTWIRE_CA_DATABASE_OTHER",
    message: /^the (topic|stream) is of the CA "Contoso", and the database of "Contoso"$/,
  });
  await publishEvents(t, events.slice(0, 10), sink());
  const report = await compare(scene, options);
  assert.ok(report.otherCa > 0);
  assert.equal(report.counts.both + report.counts.missing + report.counts.state, last - 1);
  assert.ok(report.counts.missing >= last - 11);
}

suite("certwire reconcile against a topic of a real Kafka broker", () => {
  let kafka: KafkaCluster;
  let topics = 0;
  before(async () => {
    kafka = await startKafka();
  });
  after(() => kafka.stop());

  async function makeTopic(config: Record<string, string> = {}) {
    topics += 1;
    const topic = `reconcile-${process.pid}-${topics}`;
    await kafka.createTopic(topic, { partitions: 4, config });
    // A new partition has no leader for a moment.
    const offsets = () =>
      withAdmin(kafka.bootstrapServers, (admin) => admin.fetchTopicOffsets(topic));
    await until(async () => (await offsets()).length > 0, "the topic is there", { mayThrow: true });
    const url = `kafka://${kafka.bootstrapServers.join()}/${topic}`;
    const sink = () => kafkaSink(kafka.bootstrapServers, topic);
    return { topic, options: { mechanism: "plain", kafka: url }, sink };
  }

  test("what the topic lacks is found, and what a backfill has added counts", async (t) => {
    await assertCompared(t, await makeTopic());
  });

  test("the events of another CA are not mixed with this one's", async (t) => {
    await assertOtherCa(t, await makeTopic());
  });

  test("what retention has deleted from a partition is history, and not missing", async (t) => {
    const { topic, options, sink } = await makeTopic();
    const { scene, events } = await agreeingScene(t);
    await publishEvents(t, events, sink());
    const hasPassed = () => Date.now() > scene.begin + 3 * second;
    await until(hasPassed, "what the topic has is of the past");
    await withAdmin(kafka.bootstrapServers, async (admin) => {
      const offsets = await admin.fetchTopicOffsets(topic);
      const partitions = offsets.map(({ partition, high }) => ({ partition, offset: high }));
      await admin.deleteTopicRecords({ topic, partitions });
    });
    // The topic is not empty, and says nothing about what was before.
    scene.happen(exitEvents.issued, row(scene, last + 1));
    await scene.flushed();
    await publishEvents(t, (await publishedEvents(scene.journal)).slice(-1), sink());
    const report = await compare(scene, options);
    const { both, history, missing, state } = report.counts;
    assert.deepEqual(
      { both, history, missing, state },
      { both: 1, history: last - 1, missing: 0, state: 0 },
    );
  });

  test("an empty topic and a compacted one are refused", async (t) => {
    const scene = new ReconcileScene(t);
    await assert.rejects(compare(scene, (await makeTopic()).options), {
      code: "CERTWIRE_VERIFY_EMPTY",
    });
    const { options } = await makeTopic({ "cleanup.policy": "compact" });
    await assert.rejects(compare(scene, options), {
      code: "CERTWIRE_USAGE",
      message: /^the broker compacts the topic reconcile-/,
    });
  });
});

suite("certwire reconcile against a stream of a real RabbitMQ broker", () => {
  let rabbitmq: RabbitmqCluster;
  let url = "";
  const streams: string[] = [];
  before(async () => {
    rabbitmq = await startRabbitmq();
    [url = ""] = rabbitmq.urls;
  });
  after(() => leaveRabbitmq(rabbitmq, streams));

  async function makeStream() {
    const stream = `reconcile-${process.pid}-${streams.length + 1}`;
    streams.push(stream);
    const connection = await connect(url);
    const channel = await connection.createChannel();
    await channel.assertExchange(stream, "topic");
    await channel.assertQueue(stream, { arguments: { "x-queue-type": "stream" } });
    await channel.bindQueue(stream, stream, "#");
    await connection.close();
    const address = `amqp://guest@${new URL(url).host}/?stream=${stream}`;
    const sink = () => rabbitMqSink(rabbitmq.urls, stream);
    return { options: { mechanism: "plain", rabbitmqStream: address }, sink };
  }

  test("what the stream lacks is found, and what a backfill has added counts", async (t) => {
    await assertCompared(t, await makeStream());
  });

  test("the events of another CA are not mixed with this one's", async (t) => {
    await assertOtherCa(t, await makeStream());
  });
});
