// The whole way of challenge passwords on Windows binaries: to four sinks and their dead letters.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { test } from "node:test";
import { connect } from "amqplib";
import { startKafka, startRabbitmq } from "../integration/support/brokers.ts";
import { readKafka } from "../integration/support/read-kafka.ts";
import { countRabbitmq, readRabbitmq } from "../integration/support/read-rabbitmq.ts";
import { startAll } from "../integration/support/start-all.ts";
import { makeTempDirectory } from "../integration/support/temp-directory.ts";
import { writeScenario } from "../scenarios/generate.ts";
import { openText } from "../scenarios/secrets.ts";
import { until } from "../support/until.ts";
import { checkPublished, countEvents } from "./support/check-published.ts";
import { checkRun, runUnhurried } from "./support/check-run.ts";
import { declareQueue, guestPassword } from "./support/declare-queue.ts";
import { SecretSearch } from "./support/secrets.ts";
import { WindowsService } from "./support/windows-service.ts";
import { prepareWine } from "./support/wine.ts";

const name = "secrets";
/** The bulky event of the scenario is cut down to this limit of the Kafka sink. */
const maxEventBytes = 131_072;
/** No binding takes the pending request. */
const bindings = ["certificate.*", "ca.*"];
/** Files below the directory of the service. */
const eventFile = join("events", "events-00000001.ndjson");
const outputFile = "service.out";
const letterFile = join("state", "dead-letters", "rabbitmq.ndjson");

/** Start and stop of the CA. */
const isOfCa = (event: number): boolean => [0x80, 0x40].includes(event);

interface DeadLetter {
  readonly reason: string;
  readonly event: unknown;
}

function readLines({ directory }: WindowsService, file: string): string[] {
  const path = join(directory, file);
  return existsSync(path) ? readFileSync(path, "utf8").split("\n").filter(Boolean) : [];
}

function deadLetters(service: WindowsService): DeadLetter[] {
  return readLines(service, letterFile).map((line) => JSON.parse(line) as DeadLetter);
}

/** The event of the only dead letter, which RabbitMQ could not route. */
function onlyLetter(service: WindowsService): string {
  const letters = deadLetters(service);
  assert.deepEqual(
    letters.map((letter) => letter.reason),
    ["unroutable"],
  );
  return JSON.stringify(letters[0]?.event);
}

/** Whole messages of a queue, which keeps them, with all their properties and headers. */
async function peekRabbitmq(url: string, queue: string): Promise<Buffer> {
  const connection = await connect(url);
  const channel = await connection.createChannel();
  const parts: Buffer[] = [];
  for (let next = await channel.get(queue); next; next = await channel.get(queue)) {
    parts.push(Buffer.from(JSON.stringify([next.fields, next.properties])), next.content);
  }
  await connection.close();
  return Buffer.concat(parts);
}

/** All files of the service by their path below its directory. */
function filesOf({ directory }: WindowsService): Map<string, Buffer> {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  const paths = entries.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
  return new Map(paths.map((path) => [relative(directory, path), readFileSync(path)]));
}

/** Starts the service with the four sinks. */
async function startService(
  journalDirectory: string,
  kafkaServers: readonly string[],
  amqpUrl: string,
): Promise<WindowsService> {
  const { hostname, port } = new URL(amqpUrl);
  return WindowsService.start({
    directory: makeTempDirectory("service"),
    journalDirectory,
    includeRawRequest: true,
    sinks: [
      {
        name: "kafka",
        url: `kafka://${kafkaServers.join(",")}/${name}`,
        maxEventBytes,
        detail: "full",
      },
      {
        name: "rabbitmq",
        url: `amqp://guest@${hostname}:${port}/?exchange=${name}`,
        password: guestPassword,
        deadLetterAfterSeconds: 1,
        detail: "full",
      },
      { name: "file", url: "file:events", detail: "full" },
      { name: "stdout", url: "stdout:", detail: "full" },
    ],
  });
}

/** Events in the order of their lines. */
const inFile = (service: WindowsService): string[] => readLines(service, eventFile);
const onOutput = (service: WindowsService): string[] => readLines(service, outputFile);

/** Checks that no place holds a secret, by a search that finds what may be in the places with events. */
function checkPlaces(places: ReadonlyMap<string, Buffer>, secrets: readonly string[]): void {
  const secret = new SecretSearch(secrets);
  const open = new SecretSearch([openText]);
  for (const [place, bytes] of places) assert.deepEqual(secret.find(bytes), [], place);
  for (const place of ["Kafka", "RabbitMQ", eventFile, outputFile, letterFile]) {
    assert.deepEqual(open.find(places.get(place) ?? Buffer.alloc(0)), [openText], place);
  }
}

test("a challenge password is in no sink, dead letter, log or file, although its events are everywhere", async (t) => {
  if (!(await prepareWine(t))) return;
  const [kafka, rabbitmq] = await startAll(startKafka(), startRabbitmq());
  t.after(async () => {
    await Promise.all([kafka.stop(), rabbitmq.stop()]);
  });
  const servers = kafka.bootstrapServers;
  const [amqpUrl = ""] = rabbitmq.urls;
  await kafka.createTopic(name);
  await declareQueue(amqpUrl, name, bindings);
  const directory = makeTempDirectory("secrets");
  const path = writeScenario(name, directory);
  const run = await runUnhurried(path);
  const { records, scenario } = checkRun(path, run);
  const { secrets } = scenario.header;
  const service = await startService(run.journalDirectory, servers, amqpUrl);
  t.after(() => service.kill());
  const events = countEvents(records);
  const isComplete = async (): Promise<true> => {
    const counts = {
      kafka: (await readKafka(servers, name)).length,
      rabbitmq: await countRabbitmq(amqpUrl, name),
      file: inFile(service).length,
      stdout: onOutput(service).length,
      letters: deadLetters(service).length,
    };
    const all = {
      kafka: events,
      rabbitmq: events - 1,
      file: events,
      stdout: events,
      letters: 1,
    };
    assert.deepEqual(counts, all);
    return true;
  };
  await until(isComplete, "all events are at their ends", {
    mayThrow: true,
    everyMs: 100,
    giveUp: () => service.assertRunning(),
    state: () => service.newestLogLines(),
  });
  assert.equal(await service.stop(), 0, "the service ends cleanly when its input is closed");

  const fromKafka = await readKafka(servers, name);
  const inQueue = await peekRabbitmq(amqpUrl, name);
  // A quorum queue gets messages that were only peeked at back shortly after the connection has closed.
  const isBack = async () => (await countRabbitmq(amqpUrl, name)) === events - 1;
  await until(isBack, "the queue has its messages back", { everyMs: 100 });
  const published = [
    fromKafka.map(({ value }) => value ?? ""),
    [...(await readRabbitmq(amqpUrl, name)), onlyLetter(service)],
    inFile(service),
    onOutput(service),
  ];
  for (const texts of published) checkPublished(records, secrets, texts, "whole");
  const places = filesOf(service)
    .set("Kafka", Buffer.from(JSON.stringify(fromKafka)))
    .set("RabbitMQ", inQueue);
  checkPlaces(places, secrets);
  const open = new SecretSearch([openText]);
  assert.ok(records.every(({ event, payload }) => isOfCa(event) || open.find(payload).length > 0));
  assert.match(String(places.get("service.log")), /dead letter/, "the log reports it");
});
