import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, afterEach, before, beforeEach, suite, test } from "node:test";
import type { Consumer } from "../../src/consumer/index.ts";
// In your project: import ... from "certwire/testing".
import {
  EventInbox,
  expectEvent,
  publish,
  rabbitMqAt,
  type TestRabbitMq,
  testCa,
} from "../../src/testing/index.ts";
import { startRabbitmq } from "../../test/integration/support/brokers.ts";
import { CertificateInventory } from "./certificate-inventory.ts";

/** A machine may be slow; a test that passes never waits this long. */
const patient = { timeoutMs: 180_000 };

test("without a broker: the handlers get events of a test CA", async () => {
  const ca = testCa();
  const inventory = new CertificateInventory();
  const issued = ca.issue({ subject: "CN=www.example.com", sans: ["www.example.com"] });
  // One event at a time, as the consumer does it.
  await inventory.handlers["certificate.issued"]?.(issued, undefined as never);
  const [entry] = inventory.entries;
  assert.equal(entry?.subject, "CN=www.example.com");
  assert.equal(entry?.notAfter, issued.data.certificate?.notAfter);
});

suite("with RabbitMQ", () => {
  let rabbit: TestRabbitMq;
  let handled: EventInbox;
  let inventory: CertificateInventory;
  let consumer: Consumer;
  let running: Promise<void>;
  let exchange: string;

  before(async () => {
    // In your project: rabbit = await startRabbitMq(), or rabbitMqAt("amqp://...") for one that runs already.
    const broker = await startRabbitmq();
    rabbit = { ...rabbitMqAt(broker.urls[0] ?? ""), stop: () => broker.stop() };
  });
  after(() => rabbit.stop());

  beforeEach(async () => {
    // Each test has its own exchange and queue, so that it sees its own events only.
    exchange = `test-${randomUUID()}`;
    const queue = `inventory-${randomUUID()}`;
    await rabbit.createQueue(queue, { exchange });
    handled = new EventInbox();
    inventory = new CertificateInventory((event) => handled.add(event));
    consumer = inventory.consumer(rabbit.source(queue));
    running = consumer.run();
    running.catch((error: Error) => handled.fail(error));
  });
  afterEach(async () => {
    await consumer.stop();
    await running;
  });

  test("a certificate is followed through issue, hold, release and revocation", async () => {
    const ca = testCa();
    const issued = ca.issue({ sans: ["www.example.com"] });
    ca.hold(issued);
    await publish(ca.events, rabbit.target(exchange), patient);
    await expectEvent(handled, "certificate.revoked", {}, patient);
    assert.deepEqual(states(), ["on hold"]);

    const released = ca.release(issued);
    await publish([released], rabbit.target(exchange), patient);
    await expectEvent(handled, "certificate.unrevoked", {}, patient);
    assert.deepEqual(states(), ["valid"]);

    const revoked = ca.revoke(issued, { reason: "keyCompromise" });
    await publish([revoked], rabbit.target(exchange), patient);
    await expectEvent(handled, "certificate.revoked", { id: revoked.id }, patient);
    assert.deepEqual(states(), ["revoked"]);
  });

  test("the same events sent twice change nothing", async () => {
    const ca = testCa();
    for (const name of ["a.example.com", "b.example.com", "c.example.com"]) {
      ca.issue({ sans: [name] });
    }
    ca.revoke(2);
    ca.issue({ sans: ["d.example.com"] });
    const certificateEvents = ca.events.filter(({ type }) => type.includes(".certificate."));
    for (let time = 1; time <= 2; time += 1) {
      await publish(ca.events, rabbit.target(exchange), patient);
    }
    const haveAllCome = () => handled.events.length >= 2 * certificateEvents.length;
    await expectEvent(handled, "certificate.issued", haveAllCome, patient);
    assert.deepEqual(states(), ["valid", "revoked", "valid", "valid"]);
  });

  test("a request that a manager denies leaves no entry", async () => {
    const ca = testCa();
    ca.deny(ca.pend({ requester: "CORP\\bob", template: "CorpCodeSigning" }));
    const approved = ca.approve(ca.pend({ requester: "CORP\\alice", template: "CorpCodeSigning" }));
    await publish(ca.events, rabbit.target(exchange), patient);
    await expectEvent(handled, "certificate.issued", { id: approved.id }, patient);
    assert.equal(inventory.entries.length, 1);
  });

  /** The states of the certificates, in the order of their request IDs. */
  function states(): string[] {
    const inOrder = inventory.entries.toSorted((a, b) =>
      a.serialNumber.slice(0, 10) < b.serialNumber.slice(0, 10) ? -1 : 1,
    );
    return inOrder.map(({ state }) => state);
  }
});
