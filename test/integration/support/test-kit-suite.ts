import assert from "node:assert/strict";
import { join } from "node:path";
import { suite, test } from "node:test";
import { GenericContainer } from "testcontainers";
import {
  type ContainerOptions,
  type EventSource,
  expectEvent,
  openInbox,
  type PublishTarget,
  publish,
  startKafka,
  startRabbitMq,
  testCa,
} from "../../../src/testing/index.ts";
import { patienceMs } from "../../support/until.ts";
import { repoRoot } from "./repo-root.ts";

const patient = { timeoutMs: patienceMs };

/** Registers the suite of the brokers that the test kit starts. */
export function testKitContainers(): void {
  suite("the test kit in containers", () => {
    test("startKafka starts a broker that takes and gives events", async () => {
      const kafka = await startKafka(await imageOf("test-kit-kafka", "7.9.1"));
      try {
        await kafka.createTopic("certificates");
        await sendAndReceive(kafka.target("certificates"), kafka.source("certificates"));
      } finally {
        await kafka.stop();
      }
    });

    test("startRabbitMq starts a broker that takes and gives events", async () => {
      const rabbit = await startRabbitMq(await imageOf("test-kit-rabbitmq", "4"));
      try {
        await rabbit.createQueue("inventory");
        await sendAndReceive(rabbit.target(), rabbit.source("inventory"));
      } finally {
        await rabbit.stop();
      }
    });
  });
}

async function sendAndReceive(target: PublishTarget, source: EventSource): Promise<void> {
  const ca = testCa();
  const issued = ca.issue();
  assert.equal(await publish(ca.events, target, patient), 2);
  const inbox = openInbox(source);
  try {
    await expectEvent(inbox, "certificate.issued", { id: issued.id }, patient);
  } finally {
    await inbox.close();
  }
}

/** The image of docker/ on CERTWIRE_TEST_BASE_IMAGE; without that the one that the kit starts by default. */
async function imageOf(name: string, tag: string): Promise<ContainerOptions> {
  const base = process.env["CERTWIRE_TEST_BASE_IMAGE"];
  if (!base) return {};
  const image = `certwire-${name}:${tag}`;
  await GenericContainer.fromDockerfile(join(repoRoot, "docker", name))
    .withBuildArgs({ BASE: base })
    .build(image, { deleteOnExit: false });
  return { image };
}
