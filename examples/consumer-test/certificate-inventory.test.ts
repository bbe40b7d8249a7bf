import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Channel, type ChannelModel, connect } from "amqplib";
import { startRabbitmq } from "../../test/integration/support/brokers.ts";
import { CertificateInventory } from "./certificate-inventory.ts";

// In your project this is the package: run `npx certwire` instead.
const certwire = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));
const recording = resolve("examples/consumer-test/recorded-events.ndjson");
const queue = "certificate-inventory";

let broker: Awaited<ReturnType<typeof startRabbitmq>>;
let connection: ChannelModel;
let channel: Channel;
let directory: string;

before(async () => {
  // In your project: a broker from testcontainers, or the address of an existing one.
  broker = await startRabbitmq();
  const [url = ""] = broker.urls;
  connection = await connect(url);
  directory = await mkdtemp(join(tmpdir(), "certificate-inventory-"));
  await writeFile(join(directory, "certwire.json"), JSON.stringify(configuration(new URL(url))));
});

after(async () => {
  await connection.close();
  await broker.stop();
  await rm(directory, { recursive: true });
});

beforeEach(async () => {
  channel = await connection.createChannel();
  await channel.assertExchange("certwire", "topic", { durable: true });
  await channel.deleteQueue(queue);
  await channel.assertQueue(queue, { durable: true });
  // Everything: an event that no queue takes is not published, and delays those after it.
  await channel.bindQueue(queue, "certwire", "#");
});

/** The part of the service's configuration that a replay needs. The password stays in the environment. */
function configuration({ username, host, pathname, password }: URL): object {
  process.env["INVENTORY_TEST_PASSWORD"] = decodeURIComponent(password);
  return {
    journal: { directory: "journal" },
    state: { directory: "state" },
    sinks: [
      {
        name: "rabbit",
        url: `amqp://${username}@${host}${pathname || "/"}?exchange=certwire`,
        password: { environment: "INVENTORY_TEST_PASSWORD" },
      },
    ],
  };
}

/** Sends recorded events as the service would have sent them. */
async function replay(...selection: string[]): Promise<void> {
  const target = ["--config", join(directory, "certwire.json"), "--to-sink", "rabbit"];
  const words = [certwire, "replay", recording, ...target, ...selection];
  await promisify(execFile)(process.execPath, words);
}

/** Lets an inventory consume all that is in the queue; a replay has ended once everything is there. */
async function consumeAll(inventory: CertificateInventory): Promise<void> {
  const { messageCount } = await channel.checkQueue(queue);
  await inventory.consume(channel, queue);
  const deadline = performance.now() + 180_000;
  while (inventory.handled < messageCount) {
    assert.ok(performance.now() < deadline, `${inventory.handled} of ${messageCount} are handled`);
    await delay(50);
  }
  await channel.close();
}

function countStates({ entries }: CertificateInventory): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { state } of entries) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

test("the inventory follows certificates through issue, revocation, hold and release", async () => {
  const inventory = new CertificateInventory();
  await replay();
  await consumeAll(inventory);
  assert.deepEqual(countStates(inventory), { valid: 15, "on hold": 1, revoked: 1 });
});

test("the same events sent twice change nothing", async () => {
  const inventory = new CertificateInventory();
  await replay();
  await replay();
  await consumeAll(inventory);
  assert.deepEqual(countStates(inventory), { valid: 15, "on hold": 1, revoked: 1 });
});

test("a certificate that was released from hold is valid again", async () => {
  const inventory = new CertificateInventory();
  await replay("--request-id", "2");
  await consumeAll(inventory);
  assert.deepEqual(
    inventory.entries.map(({ state, notAfter }) => ({ state, notAfter })),
    [{ state: "valid", notAfter: "2027-01-05T07:50:00Z" }],
  );
});
