import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, suite, type TestContext, test } from "node:test";
import { connect } from "amqplib";
import type { CertwireEvent } from "../../src/events/event.ts";
import { kindOf } from "../../src/events/event-kind.ts";
import { encodeEvent } from "../../src/events/outbound-event.ts";
import { SimulatedCa } from "../../src/simulate/simulated-ca.ts";
import { assertDelivered } from "../contract/sink-contract.ts";
import { eventContext, eventsOfFrame } from "../support/exit-records.ts";
import { patientEntry, type UrlEntry } from "../support/patient-entry.ts";
import { RunningService } from "../support/running-service.ts";
import { sequenceOf } from "../support/sample-events.ts";
import { flushed, journalDirectory, openSmall, readAll } from "../support/small-journal.ts";
import { until } from "../support/until.ts";
import type { KafkaCluster, RabbitmqCluster } from "./support/broker-provider.ts";
import { startKafka, startRabbitmq } from "./support/brokers.ts";
import { leaveRabbitmq } from "./support/leave-rabbitmq.ts";
import { readKafka } from "./support/read-kafka.ts";
import { startAll } from "./support/start-all.ts";

const key = "0123456789abcdef0123456789abcdef";
const count = 250;
/** The destinations of the two sinks; others may use the brokers too. */
const places = [`shape-whole-${process.pid}`, `shape-part-${process.pid}`] as const;

/** What a team gets that counts the certificates of people: no computers, and no names. */
const shape = {
  only: [{ kind: ["certificate.*"] }],
  except: [{ requester: ["CORP\\*$"] }],
  redact: {
    hash: ["request.requesterName"],
    remove: ["certificate.subject", "certificate.subjectAlternativeNames", "attributes"],
    hashSecret: { file: "hash-key.txt" },
  },
};

/** A message as it lies on a broker. */
interface Arrived {
  readonly body: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly routing: string;
}

interface Journal {
  readonly directory: string;
  readonly events: readonly CertwireEvent[];
  readonly wanted: readonly CertwireEvent[];
}

function requesterOf({ data }: CertwireEvent): string {
  return String(Object(data["request"]).requesterName ?? "");
}

/** True for what the shape lets pass, by other means than the product's. */
function isWanted(event: CertwireEvent): boolean {
  const kind = kindOf(event);
  if (/^(ca|journal)\./.test(kind)) return true;
  return kind.startsWith("certificate.") && !/^corp\\.*\$$/i.test(requesterOf(event));
}

/** A journal with the start of a CA and everything that it does then. */
async function prepareJournal(t: TestContext): Promise<Journal> {
  const directory = journalDirectory(t);
  writeFileSync(join(dirname(directory), "hash-key.txt"), `${key}\n`);
  const simulator = openSmall(directory, 4 * 1024 * 1024);
  t.after(() => simulator.close());
  const ca = new SimulatedCa({ seed: "shape", now: () => new Date(Date.UTC(2026, 0, 5)) });
  simulator.notify(ca.started());
  for (let made = 0; made < count; made += 1) simulator.notify(ca.next());
  await flushed(simulator);
  const context = eventContext();
  const events = (await readAll(directory)).flatMap((frame) => eventsOfFrame(frame, context));
  const wanted = events.filter(isWanted);
  assert.ok(wanted.length > 20 && wanted.length < events.length - 20, `${wanted.length} events`);
  return { directory, events, wanted };
}

/** Runs two sinks over a journal until both have passed its end, and checks their counters and cursors. */
async function publish(
  t: TestContext,
  { directory, events, wanted }: Journal,
  [whole, part]: readonly [entry: UrlEntry, entry: UrlEntry],
): Promise<void> {
  const sinks = [
    patientEntry({ ...whole, name: "whole" }),
    patientEntry({ ...part, ...shape, name: "part" }),
  ];
  const service = await RunningService.start(t, directory, sinks);
  const last = Math.max(...events.map(sequenceOf));
  for (const name of ["whole", "part"]) await service.reached(name, last);
  await service.stop();
  const [all, chosen] = ["whole", "part"].map((name) => service.stats(name));
  const bytes = events.reduce((sum, event) => sum + encodeEvent(event).json.length, 0);
  assert.deepEqual(
    [all?.acknowledgedEvents, all?.skippedEvents, all?.acknowledgedBytes],
    [events.length, 0, bytes],
  );
  assert.deepEqual(
    [chosen?.acknowledgedEvents, chosen?.skippedEvents],
    [wanted.length, events.length - wanted.length],
  );
  for (const name of ["whole", "part"]) {
    assert.equal((await service.checkpoint(name))?.sequence, BigInt(last), name);
  }
  t.diagnostic(`${events.length} events, ${wanted.length} for the shaped sink`);
}

/** Names that stand in an event for the person or the machine that it is about. */
function namesIn({ data }: CertwireEvent): string[] {
  const certificate = Object(data["certificate"]);
  const { dns = [], upn = [], email = [] } = Object(certificate.subjectAlternativeNames);
  const { commonName = [], emailAddress = [] } = Object(certificate.subject);
  const requester = requesterOf({ data } as CertwireEvent);
  const account = requester.split("\\").at(-1) ?? "";
  return [requester, account, ...dns, ...upn, ...email, ...commonName, ...emailAddress]
    .filter((name: string) => name !== "")
    .map((name: string) => name.toLowerCase());
}

/** The messages of the shaped sink hold its events in their order, each without names and with the hash of its requester. */
function assertShaped(arrived: readonly Arrived[], { wanted }: Journal): void {
  const messages = arrived.map(({ body, headers }) => ({
    id: String(headers["id"]),
    partitionkey: String(headers["partitionkey"]),
    data: JSON.parse(body),
  }));
  assertDelivered(messages, wanted);
  const byId = new Map(wanted.map((event) => [event.id, event]));
  for (const [at, message] of messages.entries()) {
    const event = byId.get(message.id);
    assert.ok(event, message.id);
    const requester = requesterOf(event);
    if (requester !== "") {
      const hash = createHmac("sha256", key).update(requester.toLowerCase()).digest("hex");
      assert.equal(message.data.request.requesterName, hash);
    }
    const { body, headers, routing } = arrived[at] ?? { body: "", headers: {}, routing: "" };
    const text = `${body}\n${JSON.stringify(headers)}\n${routing}`.toLowerCase();
    for (const name of namesIn(event)) {
      const place = text.indexOf(JSON.stringify(name).slice(1, -1));
      const isWord = !/[a-z0-9]/.test(text.charAt(place - 1) + text.charAt(place + name.length));
      assert.ok(place < 0 || !isWord, `${name} in ${text}`);
    }
    if (kindOf(event) === "certificate.issued") {
      assert.equal(message.data.certificate.der, undefined);
      assert.equal(message.data.certificate.serialNumber.length > 0, true);
    }
  }
}

/** Headers by the names of the attributes in them. */
function attributes(
  headers: Iterable<readonly [string, unknown]>,
  prefix: string,
): Record<string, unknown> {
  const own = [...headers].filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(own.map(([name, value]) => [name.slice(prefix.length), value]));
}

suite("two sinks of one service, one of which takes part of the events without names", () => {
  let kafka: KafkaCluster;
  let rabbitmq: RabbitmqCluster;
  before(async () => {
    [kafka, rabbitmq] = await startAll(startKafka(), startRabbitmq());
  });
  after(async () => {
    await Promise.all([kafka.stop(), leaveRabbitmq(rabbitmq, places)]);
  });

  test("on Kafka", async (t) => {
    const journal = await prepareJournal(t);
    for (const topic of places) await kafka.createTopic(topic, { partitions: 3 });
    const url = (topic: string) => `kafka://${kafka.bootstrapServers.join()}/${topic}`;
    await publish(t, journal, [{ url: url(places[0]) }, { url: url(places[1]), mode: "binary" }]);
    const whole = await readKafka(kafka.bootstrapServers, places[0]);
    assertBytes(
      whole.map(({ value }) => value ?? ""),
      journal,
    );
    const part = await readKafka(kafka.bootstrapServers, places[1]);
    assertShaped(
      part.map(({ value, key: routing, headers }) => ({
        body: value ?? "",
        headers: attributes(headers, "ce_"),
        routing: routing ?? "",
      })),
      journal,
    );
  });

  test("on RabbitMQ", async (t) => {
    const journal = await prepareJournal(t);
    const [address = ""] = rabbitmq.urls;
    const { host } = new URL(address);
    const entry = (name: string) => ({
      url: `amqp://guest@${host}/?exchange=${name}`,
      topology: { quorumQueues: [{ name }] },
    });
    await publish(t, journal, [entry(places[0]), { ...entry(places[1]), mode: "binary" }]);
    const whole = await takeAll(address, places[0], journal.events.length);
    assertBytes(
      whole.map(({ body }) => body),
      journal,
    );
    assertShaped(await takeAll(address, places[1], journal.wanted.length), journal);
  });
});

/** The messages of the other sink are its events, byte by byte. */
function assertBytes(bodies: readonly string[], { events }: Journal): void {
  const sent = events.map((event) => encodeEvent(event).json.toString());
  assert.deepEqual(bodies.toSorted(), sent.toSorted());
}

/** Takes this many messages out of a queue, and makes sure that there are no more. */
async function takeAll(url: string, queue: string, expected: number): Promise<Arrived[]> {
  const connection = await connect(url);
  try {
    const channel = await connection.createChannel();
    const taken: Arrived[] = [];
    const take = async (): Promise<boolean> => {
      const message = await channel.get(queue, { noAck: true });
      if (message === false) return taken.length >= expected;
      const { headers = {} } = message.properties;
      taken.push({
        body: message.content.toString(),
        headers: attributes(Object.entries(headers), "ce-"),
        routing: message.fields.routingKey,
      });
      return false;
    };
    await until(take, `${queue} has ${expected} messages`, {
      everyMs: 1,
      state: () => taken.length,
    });
    return taken;
  } finally {
    await connection.close();
  }
}
