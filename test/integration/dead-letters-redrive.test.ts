// Dead letters that a running service has written are redriven by the command line on real brokers.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, suite, type TestContext, test } from "node:test";
import { drainQueue } from "../support/drain-queue.ts";
import { patientEntry } from "../support/patient-entry.ts";
import { runCli, startCli } from "../support/run-cli.ts";
import { scaled } from "../support/scale.ts";
import { flushed, journalDirectory, openSmall, smallEvent } from "../support/small-journal.ts";
import { until } from "../support/until.ts";
import type { KafkaCluster } from "./support/broker-provider.ts";
import { startKafka } from "./support/brokers.ts";
import { OneRabbitmq } from "./support/one-rabbitmq.ts";
import { readKafka } from "./support/read-kafka.ts";
import { countRabbitmq } from "./support/read-rabbitmq.ts";

/** Events of each portion; with the smallest limit of dead letters the first portion takes several files. */
const portion = scaled(300, { least: 300, most: 400 });
const journalBytes = 4 * 1024 * 1024;
/** What the CA reports: a certificate, or a request that waits. */
const codes = { issued: 1, pending: 2 } as const;

/** An event as text: its id, and the JSON that a sink of the running service published. */
type Texts = ReadonlyMap<string, string>;

interface Settings {
  readonly name: string;
  readonly url: string;
  readonly [key: string]: unknown;
}

/** A CA, the service beside it and the commands of its administrator. */
class Stage {
  readonly #directory: string;
  readonly #config: string;
  readonly #journal: ReturnType<typeof openSmall>;
  readonly #t: TestContext;
  #requests = 0;

  constructor(t: TestContext) {
    const journal = journalDirectory(t);
    this.#t = t;
    this.#directory = dirname(journal);
    this.#config = join(this.#directory, "certwire.json");
    this.#journal = openSmall(journal, journalBytes);
    t.after(() => this.#journal.close());
  }

  /** Writes the configuration: these sinks, and one to files, which gets everything at once. */
  configure(...sinks: readonly Settings[]): void {
    const places = { journal: { directory: "journal" }, state: { directory: "state" } };
    const all = [{ name: "files", url: "file:events", maxFiles: 0 }, ...sinks];
    writeFileSync(this.#config, JSON.stringify({ ...places, sinks: all }));
  }

  /** Records a portion of events. */
  async record(code: number = codes.issued, count = portion): Promise<void> {
    for (let made = 0; made < count; made += 1) {
      this.#requests += 1;
      this.#journal.notify({ ...smallEvent(this.#requests), event: code });
    }
    await flushed(this.#journal);
  }

  /** Number of all events that were recorded. */
  get recorded(): number {
    return this.#requests;
  }

  startService() {
    const service = startCli(["run", "--config", this.#config]);
    this.#t.after(() => service.child.kill("SIGKILL"));
    return {
      service,
      async stop(): Promise<void> {
        service.child.kill("SIGTERM");
        const { exitCode, stderr } = await service.ended;
        assert.equal(exitCode, 0, stderr);
      },
    };
  }

  /** Lets a service run until it has written this many dead letters, and stops it. */
  async makeLetters(count: number): Promise<void> {
    const running = this.startService();
    await this.writtenLetters(count);
    await running.stop();
  }

  redrive(...words: string[]) {
    return runCli("dead-letters", "redrive", "--config", this.#config, ...words);
  }

  async list(): Promise<{ readonly id: string; readonly redriven?: string }[]> {
    const words = ["dead-letters", "list", "--json", "--config", this.#config];
    return (await runCli(...words)).stdout
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  }

  async writtenLetters(count: number): Promise<void> {
    const lines = () => this.#lines("state", "dead-letters").length;
    await until(() => lines() >= count, `${count} dead letters are written`, { state: lines });
  }

  letterFiles(): string[] {
    return readdirSync(join(this.#directory, "state", "dead-letters")).toSorted();
  }

  letterIds(): Set<string> {
    const letters = this.#lines("state", "dead-letters").map((line) => JSON.parse(line));
    return new Set(letters.map(({ event }) => event.id));
  }

  /** What the file sink has published. */
  published(): Texts {
    return textsById(this.#lines("events"));
  }

  #lines(...names: string[]): string[] {
    const directory = join(this.#directory, ...names);
    try {
      return readdirSync(directory)
        .filter((name) => name.endsWith(".ndjson"))
        .flatMap((name) => readFileSync(join(directory, name), "utf8").split("\n").slice(0, -1));
    } catch {
      return []; // not created yet, or renamed at this moment
    }
  }
}

function textsById(lines: readonly string[]): Texts {
  return new Map(lines.map((line) => [JSON.parse(line).id, line]));
}

function byText(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}

/** Each event has arrived once, with the bytes it was published with; those of letters with one mark more. */
function assertArrivedOnce(arrived: readonly string[], sent: Texts, letters: ReadonlySet<string>) {
  const ids = arrived.map((text): string => JSON.parse(text).id);
  assert.deepEqual(ids.toSorted(byText), [...sent.keys()].toSorted(byText));
  for (const text of arrived) {
    const { id } = JSON.parse(text);
    const original = text.replace('"replayed":true,', "");
    assert.equal(original, sent.get(id));
    assert.equal(original !== text, letters.has(id), `${id}: ${text.slice(0, 1000)}`);
  }
}

suite("dead letters on real brokers", () => {
  const rabbitmq = new OneRabbitmq(`letters-${process.pid}`, { faults: false });
  let kafka: KafkaCluster;
  before(async () => {
    kafka = await startKafka();
  });
  after(() => kafka?.stop());

  /** A sink to an exchange without a queue. */
  async function unboundRabbit(name: string, settings: object = {}): Promise<Settings> {
    const exchange = rabbitmq.freshName();
    await rabbitmq.withChannel((channel) => channel.assertExchange(exchange, "topic"));
    const url = `amqp://guest@${rabbitmq.host}/?exchange=${exchange}`;
    const soon = { deadLetterAfterSeconds: 1, retryMaxMs: 500, maxDeadLetterMegabytes: 1 };
    return { name, url, exchange, ...soon, ...settings };
  }

  async function bind({ exchange }: Settings, key: string): Promise<string> {
    const queue = String(exchange);
    await rabbitmq.withChannel(async (channel) => {
      await channel.assertQueue(queue, { arguments: { "x-queue-type": "quorum" } });
      await channel.bindQueue(queue, queue, key);
    });
    return queue;
  }

  async function kafkaSink(name: string): Promise<Settings & { readonly topic: string }> {
    const topic = rabbitmq.freshName();
    await kafka.createTopic(topic, { partitions: 6 });
    return { name, url: `kafka://${kafka.bootstrapServers.join()}/${topic}`, topic };
  }

  test("once a queue is bound every letter arrives once beside a running service, and the files can go", async (t) => {
    const stage = new Stage(t);
    const rabbit = await unboundRabbit("rabbit");
    stage.configure(entryOf(rabbit));
    const running = stage.startService();
    await stage.record();
    await stage.writtenLetters(portion);
    const letters = stage.letterIds();
    assert.ok(stage.letterFiles().length > 1, "the letters take several files");

    const queue = await bind(rabbit, "certificate.issued");
    const [first = ""] = letters;
    const one = await stage.redrive("--id", first, "--delete");
    assert.match(one.stderr, /rabbit: 1 of 1 letters redriven, 1 events\n0 of \d files deleted/);
    const redriving = stage.redrive("--sink", "rabbit");
    await stage.record();
    const { exitCode, stderr } = await redriving;
    assert.equal(exitCode, 0, stderr);
    const rest = portion - 1;
    assert.ok(
      stderr.includes(`rabbit: ${rest} of ${rest} letters redriven, ${rest} events`),
      stderr,
    );
    assert.equal((await stage.list()).filter(({ redriven }) => redriven).length, portion);
    const again = await stage.redrive();
    assert.match(again.stderr, new RegExp(`left out +${portion} that were redriven before`));
    assert.doesNotMatch(again.stderr, /sink rabbit/);

    // Letters of another kind are in the current file, and none of them is redriven.
    await stage.record(codes.pending);
    await stage.writtenLetters(2 * portion);
    const files = stage.letterFiles();
    const some = await stage.redrive("--reason", "rejected", "--delete");
    assert.match(some.stderr, new RegExp(`\\d of ${files.length} files deleted`));
    for (const id of (await stage.list()).map((each) => each.id)) letters.add(id);
    assert.ok(stage.letterFiles().length < files.length, "files that were redriven are deleted");
    const left = (await stage.list()).filter(({ redriven }) => redriven === undefined);
    assert.equal(left.length, portion, "no letter is deleted that was not redriven");

    await bind(rabbit, "request.*");
    const last = await stage.redrive("--delete");
    assert.equal(last.exitCode, 0, last.stderr);
    assert.deepEqual(stage.letterFiles(), []);
    await stage.record(codes.pending);
    const count = () => stage.published().size;
    await until(() => count() >= stage.recorded, "files have everything", { state: count });
    const inQueue = () => countRabbitmq(rabbitmq.url, queue);
    await until(async () => (await inQueue()) >= stage.recorded, "the queue has everything");
    await running.stop();
    const arrived = await drainQueue(rabbitmq.url, queue);
    assertArrivedOnce(arrived, stage.published(), letters);
    t.diagnostic(`${stage.recorded} events, ${letters.size} of them redriven, each arrived once`);
  });

  test("--to-sink moves the letters of RabbitMQ to Kafka, and a second redrive sends nothing", async (t) => {
    const stage = new Stage(t);
    const [rabbit, target] = [await unboundRabbit("rabbit"), await kafkaSink("kafka")];
    stage.configure(entryOf(rabbit));
    await stage.record();
    await stage.makeLetters(portion);
    stage.configure(entryOf(rabbit), entryOf(target));
    const queue = await bind(rabbit, "#");
    const moved = await stage.redrive("--to-sink", "kafka");
    assert.equal(moved.exitCode, 0, moved.stderr);
    assert.ok(moved.stderr.includes(`${portion} letters to sink kafka`), moved.stderr);
    for (const words of [[], ["--to-sink", "kafka"], ["--delete"]]) {
      assert.doesNotMatch((await stage.redrive(...words)).stderr, /letters redriven/);
    }
    assert.deepEqual(stage.letterFiles(), []);
    const messages = await readKafka(kafka.bootstrapServers, target.topic);
    const sent = stage.published();
    assertArrivedOnce(
      messages.map(({ value }) => value ?? ""),
      sent,
      new Set(sent.keys()),
    );
    for (const { key, value } of messages) assert.equal(key, JSON.parse(value ?? "").partitionkey);
    assert.deepEqual(await drainQueue(rabbitmq.url, queue), []);
  });

  test("--to-sink moves letters of a sink that became one to Kafka back to RabbitMQ, in parts to each", async (t) => {
    const stage = new Stage(t);
    const [unbound, target] = [await unboundRabbit("events"), await kafkaSink("events")];
    stage.configure(entryOf(unbound));
    await stage.record();
    await stage.makeLetters(portion);
    const rabbit = await unboundRabbit("rabbit");
    const queue = await bind(rabbit, "#");
    stage.configure(entryOf(target), entryOf(rabbit));
    const letters = stage.letterIds();
    const chosen = [...letters].filter((_, at) => at % 3 === 0);
    const some = await stage.redrive(...chosen.flatMap((id) => ["--id", id]));
    assert.match(some.stderr, new RegExp(`events: ${chosen.length} of ${chosen.length} letters`));
    const rest = await stage.redrive("--to-sink", "rabbit", "--delete");
    assert.equal(rest.exitCode, 0, rest.stderr);
    assert.deepEqual(stage.letterFiles(), []);
    const inKafka = (await readKafka(kafka.bootstrapServers, target.topic)).map(
      ({ value }) => value ?? "",
    );
    assert.deepEqual(new Set(inKafka.map((text) => JSON.parse(text).id)), new Set(chosen));
    const inRabbit = await drainQueue(rabbitmq.url, queue);
    assertArrivedOnce([...inKafka, ...inRabbit], stage.published(), letters);
  });

  test("letters that the broker still cannot route stay, and the next redrive publishes all of them", async (t) => {
    const stage = new Stage(t);
    const rabbit = await unboundRabbit("rabbit");
    stage.configure(entryOf(rabbit));
    await stage.record();
    await stage.record(codes.pending, 20);
    await stage.makeLetters(portion + 20);
    const letters = stage.letterIds();
    const queue = await bind(rabbit, "certificate.*");
    const refused = await stage.redrive("--delete");
    assert.equal(refused.exitCode, 3, refused.stderr);
    assert.match(refused.stderr, /20 were refused again, first: .*NO_ROUTE/);
    assert.equal((await stage.list()).filter(({ redriven }) => !redriven).length, 20);
    await bind(rabbit, "request.*");
    const accepted = await stage.redrive("--delete");
    assert.match(accepted.stderr, /rabbit: 20 of 20 letters redriven/);
    assert.deepEqual(stage.letterFiles(), []);
    assertArrivedOnce(await drainQueue(rabbitmq.url, queue), stage.published(), letters);
  });
});

/** What stands in the configuration. */
function entryOf({ exchange: _exchange, topic: _topic, ...entry }: Settings): Settings {
  return patientEntry(entry);
}
