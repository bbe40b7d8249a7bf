// The whole way on Windows binaries: stand-in, exit module, journal, service on node.exe, brokers.
import assert from "node:assert/strict";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { startKafka, startRabbitmq } from "../integration/support/brokers.ts";
import { readKafka } from "../integration/support/read-kafka.ts";
import { countRabbitmq, readRabbitmq } from "../integration/support/read-rabbitmq.ts";
import { repoRoot } from "../integration/support/repo-root.ts";
import { makeTempDirectory } from "../integration/support/temp-directory.ts";
import { readScenario } from "../scenarios/format.ts";
import { writeScenario } from "../scenarios/generate.ts";
import { until } from "../support/until.ts";
import {
  checkFiles,
  checkPublished,
  countChanges,
  countEvents,
} from "./support/check-published.ts";
import { declareQueue, guestPassword } from "./support/declare-queue.ts";
import { runStandin } from "./support/standin.ts";
import { WindowsService } from "./support/windows-service.ts";
import { prepareWine } from "./support/wine.ts";

const addon = join(repoRoot, "prebuilds", "win32-x64", "certwire.node");
const partitions = 6;

async function countKafka(brokers: readonly string[], topic: string): Promise<number> {
  return (await readKafka(brokers, topic)).length;
}

test("every event reaches Kafka and RabbitMQ unchanged and in its order, from Windows binaries", async (t) => {
  if (!(await prepareWine(t))) return;
  assert.ok(existsSync(addon), `${addon} is missing: run npm run build:windows`);
  const [kafka, rabbitmq] = await Promise.all([startKafka(), startRabbitmq()]);
  t.after(async () => {
    await Promise.all([kafka.stop(), rabbitmq.stop()]);
  });
  const [amqpUrl = ""] = rabbitmq.urls;
  for (const name of ["everyday", "volume"]) {
    await t.test(`scenario ${name}`, async (scenarioTest) => {
      const directory = makeTempDirectory("end-to-end");
      const journalDirectory = join(directory, "journal");
      mkdirSync(journalDirectory);
      const path = writeScenario(name, directory);
      const scenario = readScenario(path);
      await kafka.createTopic(name, { partitions });
      await declareQueue(amqpUrl, name);
      const { hostname, port } = new URL(amqpUrl);
      const service = await WindowsService.start({
        directory: makeTempDirectory("service"),
        journalDirectory,
        sinks: [
          {
            name: "kafka",
            url: `kafka://${kafka.bootstrapServers.join(",")}/${name}`,
            detail: "full",
          },
          {
            name: "rabbitmq",
            url: `amqp://guest@${hostname}:${port}/?exchange=${name}`,
            password: guestPassword,
            detail: "full",
          },
        ],
      });
      scenarioTest.after(() => service.kill());
      const run = await runStandin(path, { journalDirectory });
      assert.equal(run.exitCode, 0);
      const expected = countEvents(scenario) + countChanges(journalDirectory);
      const isComplete = async (): Promise<boolean> =>
        (await countRabbitmq(amqpUrl, name)) >= expected &&
        (await countKafka(kafka.bootstrapServers, name)) >= expected;
      const waiting = { mayThrow: true, everyMs: 1_000 };
      await until(isComplete, `${expected} events are on both brokers`, waiting);
      assert.equal(await service.stop(), 0, "the service ends cleanly when its input is closed");
      const fromKafka = await readKafka(kafka.bootstrapServers, name);
      checkPublished(
        scenario,
        fromKafka.map(({ value }) => value ?? ""),
      );
      assert.equal(new Set(fromKafka.map(({ partition }) => partition)).size, partitions);
      checkPublished(scenario, await readRabbitmq(amqpUrl, name));
      checkFiles(service.directory, scenario.header.secrets);
    });
  }
});
