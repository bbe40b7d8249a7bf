import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, type TestContext, test } from "node:test";
import type { KafkaCluster, RabbitmqCluster } from "../../integration/support/broker-provider.ts";
import { startKafka, startRabbitmq } from "../../integration/support/brokers.ts";
import { repoRoot } from "../../integration/support/repo-root.ts";
import { startAll } from "../../integration/support/start-all.ts";
import { readGoldenEvents } from "../../support/golden-events.ts";
import { type BrokerMessage, messagesOf } from "../support/broker-messages.ts";
import { keepResult, passedMessages } from "../support/results.ts";
import { askProgram, assertUnderstood } from "../support/sdk-program.ts";

const golden = readGoldenEvents();
const directory = join(repoRoot, "test", "interop");

/** The only match of a pattern in a file of versions. */
function pinned(file: string, pattern: RegExp): string {
  const version = pattern.exec(readFileSync(join(directory, file), "utf8"))?.[1];
  return version ?? assert.fail(`${file} has no ${pattern}`);
}

suite("the CloudEvents SDKs that are fetched read every golden event from real brokers, in both modes, and write it again", () => {
  let kafka: KafkaCluster;
  let rabbitmq: RabbitmqCluster;
  let published: Promise<BrokerMessage[]> | undefined;
  before(async () => {
    [kafka, rabbitmq] = await startAll(startKafka(), startRabbitmq());
  });
  after(async () => {
    await Promise.all([kafka?.stop(), rabbitmq?.stop()]);
  });

  async function check(t: TestContext, command: string, args: readonly string[]) {
    published ??= messagesOf(t, golden, { kafka, rabbitmq });
    const messages = await published;
    const answers = await askProgram(command, args, messages);
    assert.equal(assertUnderstood(golden, messages, answers), 4 * golden.length);
    return passedMessages(messages);
  }

  test("Go", async (t) => {
    keepResult({
      software: "Go: `sdk-go/v2`",
      version: pinned("go/go.mod", /sdk-go\/v2 v(\S+)/),
      passed: await check(t, "go", ["-C", join(directory, "go"), "run", "-mod=readonly", "."]),
    });
  });

  test("Java", async (t) => {
    const libraries = join(repoRoot, "var", "cloudevents-libs", "*");
    const program = join(directory, "java", "CloudEventsSdk.java");
    keepResult({
      software: "Java: `cloudevents-kafka`, `cloudevents-http-basic`",
      version: pinned("java/pom.xml", /<cloudevents\.version>([^<]+)</),
      passed: await check(t, "java", ["-cp", libraries, program]),
    });
  });
});
