import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { CertwireError } from "../../src/errors/certwire-error.ts";
import {
  type CertwireEvent,
  expectEvent,
  kafkaAt,
  type OpenInbox,
  openInbox,
  publish,
  rabbitMqAt,
  replay,
  type TestKafka,
  type TestRabbitMq,
  testCa,
  writeRecording,
} from "../../src/testing/index.ts";
import { patienceMs, until } from "../support/until.ts";
import { startKafka, startRabbitmq } from "./support/brokers.ts";

const patient = { timeoutMs: patienceMs };

/** A CA that has issued and revoked some certificates. */
function workedCa() {
  const ca = testCa({ seed: "integration" });
  for (let count = 0; count < 20; count += 1) {
    ca.revoke(ca.issue({ requester: `CORP\\WEB-${count}$` }));
  }
  return ca;
}

async function withInbox(inbox: OpenInbox, use: () => Promise<void>): Promise<void> {
  try {
    await use();
  } finally {
    await inbox.close();
  }
}

/** Waits until all events have come, and checks them and their order per key; a repetition counts once. */
async function received(inbox: OpenInbox, events: readonly CertwireEvent[]): Promise<void> {
  const came = () => new Map(inbox.events.map((event) => [event.id, event]));
  await until(() => came().size >= events.length, "everything has come", {
    state: () => ({ came: came().size, failure: inbox.failure }),
  });
  assert.deepEqual(byKey([...came().values()]), byKey(events));
}

/** The events of each partition key as they are in JSON, by the key. */
function byKey(events: readonly CertwireEvent[]): Map<string, unknown[]> {
  const keys = new Map<string, unknown[]>();
  for (const event of events) {
    const key = event.partitionkey;
    keys.set(key, [...(keys.get(key) ?? []), JSON.parse(JSON.stringify(event))]);
  }
  return keys;
}

suite("the test kit on Kafka", () => {
  let cluster: Awaited<ReturnType<typeof startKafka>>;
  let kafka: TestKafka;
  before(async () => {
    cluster = await startKafka();
    kafka = kafkaAt(cluster.bootstrapServers);
  });
  after(() => cluster.stop());

  test("what is published comes to a consumer, in order per key", async () => {
    const ca = workedCa();
    const topic = `kit-${randomUUID()}`;
    await kafka.createTopic(topic, 4);
    assert.equal(await publish(ca.events, kafka.target(topic), patient), ca.events.length);
    const inbox = openInbox(kafka.source(topic));
    await withInbox(inbox, async () => {
      const revoked = await expectEvent(
        inbox,
        "certificate.revoked",
        { data: { request: { requesterName: "CORP\\WEB-7$" } } },
        patient,
      );
      assert.equal(revoked.data.request?.requestId, 8);
      await received(inbox, ca.events);
    });
  });

  test("a topic that does not exist is named", async () => {
    let timeoutMs = 2500;
    // The limit is always waited for, but must be long enough for the broker's answer.
    const isNamed = async () => {
      timeoutMs *= 2;
      const publishing = publish(workedCa().events, kafka.target("no-such-topic"), { timeoutMs });
      const error: unknown = await publishing.catch((reason: unknown) => reason);
      assert.ok(error instanceof CertwireError, String(error));
      assert.equal(error.code, "CERTWIRE_TESTING_PUBLISH");
      const start = `confirmed only 0 events within ${timeoutMs} ms`;
      assert.ok(error.message.includes(start), error.message);
      return new RegExp(`${start}: .*no-such-topic`).test(error.message);
    };
    await until(isNamed, "the topic is named");
  });
});

suite("the test kit on RabbitMQ", () => {
  let cluster: Awaited<ReturnType<typeof startRabbitmq>>;
  let rabbit: TestRabbitMq;
  before(async () => {
    cluster = await startRabbitmq();
    rabbit = rabbitMqAt(cluster.urls[0] ?? "");
  });
  after(() => cluster.stop());

  test("a recording is replayed into a queue, marked as replayed", async () => {
    const ca = workedCa();
    const directory = await mkdtemp(join(tmpdir(), "certwire-kit-"));
    try {
      const recording = join(directory, "recording.ndjson");
      await writeRecording(recording, ca.events);
      const [exchange, queue] = [randomUUID(), randomUUID()];
      await rabbit.createQueue(queue, { exchange });
      const types = ["certificate.revoked"];
      const sent = await replay(recording, rabbit.target(exchange), {
        types,
        ...patient,
      });
      assert.equal(sent, 20);
      const inbox = openInbox(rabbit.source(queue));
      const revoked = ca.events.filter(({ type }) => type.includes("certificate.revoked"));
      await withInbox(inbox, () =>
        received(
          inbox,
          revoked.map((event) => ({ ...event, replayed: true as const })),
        ),
      );
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  test("an event that no queue takes fails the test at once, and is named", async () => {
    const [exchange, queue] = [randomUUID(), randomUUID()];
    await rabbit.createQueue(queue, { exchange, bindingKey: "certificate.issued" });
    await assert.rejects(publish(workedCa().events, rabbit.target(exchange), patient), {
      code: "CERTWIRE_TESTING_PUBLISH",
      message: /did not take 21 of 41 events: unroutable: /,
    });
  });

  test("a queue that does not exist ends a wait with the reason", async () => {
    const inbox = openInbox(rabbit.source("no-such-queue"));
    await withInbox(inbox, () =>
      assert.rejects(expectEvent(inbox, "certificate.issued", {}, patient), /no-such-queue/),
    );
  });
});
