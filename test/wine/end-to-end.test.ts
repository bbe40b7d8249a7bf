// The whole way on Windows binaries: stand-in, exit module, journal, service on node.exe, brokers.
import assert from "node:assert/strict";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { startKafka, startRabbitmq } from "../integration/support/brokers.ts";
import { readKafka } from "../integration/support/read-kafka.ts";
import { countRabbitmq, readRabbitmq } from "../integration/support/read-rabbitmq.ts";
import { repoRoot } from "../integration/support/repo-root.ts";
import { startAll } from "../integration/support/start-all.ts";
import { makeTempDirectory } from "../integration/support/temp-directory.ts";
import { writeScenario } from "../scenarios/generate.ts";
import { until } from "../support/until.ts";
import { checkFiles, checkPublished, countEvents } from "./support/check-published.ts";
import { checkContents, checkRun, checkStartAndStop } from "./support/check-run.ts";
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
  const [kafka, rabbitmq] = await startAll(startKafka(), startRabbitmq());
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
      const outcomes = checkRun(path, run);
      checkContents(outcomes);
      checkStartAndStop(outcomes);
      const { records, scenario } = outcomes;
      const { secrets } = scenario.header;
      const expected = countEvents(records);
      const arrived = { rabbitmq: 0, kafka: 0 };
      const isComplete = async (): Promise<boolean> => {
        arrived.rabbitmq = await countRabbitmq(amqpUrl, name);
        arrived.kafka = await countKafka(kafka.bootstrapServers, name);
        return arrived.rabbitmq >= expected && arrived.kafka >= expected;
      };
      await until(isComplete, `${expected} events are on both brokers`, {
        mayThrow: true,
        everyMs: 1_000,
        giveUp: () => service.assertRunning(),
        state: () => ({ ...arrived, log: service.newestLogLines() }),
      });
      assert.equal(await service.stop(), 0, "the service ends cleanly when its input is closed");
      const fromKafka = await readKafka(kafka.bootstrapServers, name);
      checkPublished(
        records,
        secrets,
        fromKafka.map(({ value }) => value ?? ""),
      );
      assert.equal(new Set(fromKafka.map(({ partition }) => partition)).size, partitions);
      checkPublished(records, secrets, await readRabbitmq(amqpUrl, name));
      checkFiles(service.directory, secrets);
    });
  }
});
