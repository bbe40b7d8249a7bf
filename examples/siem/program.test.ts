import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  linkSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, suite, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { connect } from "amqplib";
import type {
  KafkaCluster,
  RabbitmqCluster,
} from "../../test/integration/support/broker-provider.ts";
import { startKafka, startRabbitmq } from "../../test/integration/support/brokers.ts";
import { startAll } from "../../test/integration/support/start-all.ts";
import { makeCertificates } from "../../test/integration/support/test-certificates.ts";
import { BulkServer } from "../../test/support/bulk-server.ts";
import { HecServer } from "../../test/support/hec-server.ts";
import { lifelikeEvents } from "../../test/support/lifelike-events.ts";
import { kafkaSink, rabbitMqSink } from "../../test/support/make-sink.ts";
import { publishEvents } from "../../test/support/publish-events.ts";
import { temporaryDirectory } from "../../test/support/run-cli.ts";
import { scaled } from "../../test/support/scale.ts";
import { until } from "../../test/support/until.ts";

const program = fileURLToPath(new URL("main.js", import.meta.url));
const token = "c4d9b0a2-7d3e-4d0b-9a52-1f6f0d0f7a11";
const { events } = lifelikeEvents("siem", scaled(600, { least: 200 }), { withCrls: false });
const ids = events.map(({ id }) => id);
/** The broker has some of them twice, as after a crash of the service. */
const published = [...events, ...events.slice(-50)];
const batch = { events: 20, bytes: 1_000_000 };

/** A line of the program's log. */
interface LogLine {
  readonly message: string;
  readonly alarm?: boolean;
  readonly reason?: string;
  readonly event?: string;
  readonly error?: string;
  readonly url?: string;
}

/** The program with its settings, which a test starts, ends and kills. */
class Program {
  readonly refusedPath: string;
  readonly lines: LogLine[] = [];
  readonly #settingsPath: string;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #context: TestContext;

  constructor(context: TestContext, settings: object, environment: Record<string, string> = {}) {
    const directory = temporaryDirectory(context);
    this.refusedPath = join(directory, "refused.ndjson");
    this.#settingsPath = join(directory, "settings.json");
    writeFileSync(
      this.#settingsPath,
      JSON.stringify({ ...settings, batch, refused: this.refusedPath }),
    );
    this.#environment = environment;
    this.#context = context;
  }

  start(command: "forward" | "resend" = "forward", ...args: string[]): ChildProcess {
    const child = spawn(process.execPath, [program, command, this.#settingsPath, ...args], {
      env: { ...process.env, ...this.#environment },
      stdio: ["ignore", "inherit", "pipe"],
    });
    this.#context.after(() => child.kill("SIGKILL"));
    createInterface({ input: child.stderr }).on("line", (line) => {
      assert.ok(!line.includes(token), "the log holds no secret");
      this.lines.push(JSON.parse(line) as LogLine);
    });
    return child;
  }

  /** What the file of refused events holds. */
  refused(): { readonly reason: string; readonly event?: { id: string }; base64?: string }[] {
    if (!existsSync(this.refusedPath)) return [];
    const lines = readFileSync(this.refusedPath, "utf8").split("\n").filter(Boolean);
    return lines.map((line) => JSON.parse(line));
  }
}

async function reached(
  child: ChildProcess,
  isReached: () => boolean,
  what: string,
  state?: () => unknown,
): Promise<void> {
  const giveUp = () => assert.equal(child.exitCode, null, "the program has ended");
  await until(isReached, what, { giveUp, ...(state && { state }) });
}

async function end(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  const ended = once(child, "exit");
  child.kill(signal);
  assert.deepEqual(await ended, signal === "SIGTERM" ? [0, null] : [null, signal]);
}

suite("the forwarder to a SIEM", () => {
  let kafka: KafkaCluster;
  let rabbitmq: RabbitmqCluster;

  before(async () => {
    [kafka, rabbitmq] = await startAll(startKafka(), startRabbitmq());
  });

  after(async () => {
    await Promise.all([kafka.stop(), rabbitmq.stop()]);
  });

  test("from Kafka to OpenSearch loses and doubles nothing when it is killed and OpenSearch is down, and what is refused can be sent again", async (t) => {
    const server = await new BulkServer("certwire-ecs").start();
    t.after(() => server.stop());
    await kafka.createTopic("siem", { partitions: 3 });
    await publishEvents(t, published, kafkaSink(kafka.bootstrapServers, "siem"));
    const refusedId = ids[100] ?? "";
    let isBroken = true;
    let rejected = 0;
    server.itemFault = (id) => {
      if (id === refusedId && isBroken) {
        const error = { type: "mapper_parsing_exception", reason: "failed to parse" };
        return { status: 400, error };
      }
      rejected += 1;
      if (rejected % 50 !== 0) return undefined;
      return { status: 429, error: { type: "rejected_execution_exception", reason: "full" } };
    };
    const settings = {
      kafka: { brokers: kafka.bootstrapServers, topic: "siem" },
      opensearch: { url: server.url, target: "certwire-ecs" },
    };
    const forwarder = new Program(t, settings);
    const has = (count: number) => () => server.documents.size >= count;
    const size = () => server.documents.size;

    const first = forwarder.start();
    await reached(first, has(ids.length / 4), "a quarter is there", size);
    await end(first, "SIGKILL");
    assert.ok(size() < ids.length - 1, "killed before the end");

    const second = forwarder.start();
    await reached(second, has(ids.length / 2), "half of them are there", size);
    await server.stop();
    const isTold = () => forwarder.lines.some(({ reason }) => reason?.includes("ECONNREFUSED"));
    await reached(second, isTold, "it says that OpenSearch is down");
    server.faults.push("reset", "lose answer", { status: 503, body: { error: "busy" } });
    await server.start();
    const isRefused = () => forwarder.refused().length > 0;
    await reached(second, () => has(ids.length - 1)() && isRefused(), "all are there", size);
    await end(second, "SIGTERM");

    assert.deepEqual(server.violations, []);
    assert.ok(server.conflicts > 0, "some were sent twice");
    const refused = forwarder.refused();
    assert.deepEqual(new Set(refused.map(({ event }) => event?.id)), new Set([refusedId]));
    const alarm = forwarder.lines.find(({ event }) => event === refusedId);
    assert.equal(alarm?.alarm, true);

    isBroken = false;
    const again = `${forwarder.refusedPath}.again`;
    renameSync(forwarder.refusedPath, again);
    const resending = forwarder.start("resend", again);
    assert.deepEqual(await once(resending, "exit"), [0, null]);
    assert.deepEqual([...server.documents.keys()].toSorted(), ids.toSorted(), "each once");
    assert.deepEqual(forwarder.refused(), []);
  });

  test("from RabbitMQ to Splunk over TLS loses nothing when it is killed and Splunk is busy, and keeps what is not an event", async (t) => {
    const certificates = await makeCertificates(temporaryDirectory(t));
    const { certificateFile, keyFile } = certificates.broker;
    const keys = { cert: readFileSync(certificateFile), key: readFileSync(keyFile) };
    const server = await new HecServer({ token, indexes: ["adcs"] }, keys).start();
    t.after(() => server.stop());
    const [url = ""] = rabbitmq.urls;
    const connection = await connect(url);
    t.after(() => connection.close());
    const channel = await connection.createConfirmChannel();
    await channel.assertExchange("siem", "topic");
    await channel.assertQueue("siem", { arguments: { "x-queue-type": "quorum" } });
    await channel.bindQueue("siem", "siem", "#");
    const sink = rabbitMqSink(rabbitmq.urls, "siem");
    channel.sendToQueue("siem", Buffer.from("not an event"), { persistent: true });
    await channel.waitForConfirms();
    await publishEvents(t, published, sink);

    const settings = {
      rabbitmq: { url: { env: "SIEM_AMQP_URL" }, queue: "siem" },
      splunk: { url: server.url, token: { env: "SIEM_TOKEN" }, index: "adcs" },
    };
    const environment = { SIEM_AMQP_URL: url, SIEM_TOKEN: token };
    const distrustful = new Program(t, settings, environment);
    const stranger = distrustful.start();
    const isDistrusted = () =>
      distrustful.lines.some(({ reason }) => /SELF_SIGNED|UNABLE_TO_VERIFY/.test(reason ?? ""));
    await reached(stranger, isDistrusted, "it does not trust the server");
    await end(stranger, "SIGTERM");
    assert.equal(server.requests, 0);

    const trusting = { ...environment, NODE_EXTRA_CA_CERTS: certificates.caFile };
    const forwarder = new Program(t, settings, trusting);
    const sentIds = () => server.events.map(({ event }) => String(event["id"]));
    const has = (count: number) => () => new Set(sentIds()).size >= count;
    const size = () => new Set(sentIds()).size;
    server.faults.push(
      "reset",
      { status: 503, body: { text: "Server is busy", code: 9 } },
      { status: 403, body: { text: "Invalid token", code: 4 } },
      { status: 500, body: { text: "Internal server error", code: 8 } },
    );
    const first = forwarder.start();
    await reached(first, has(ids.length / 3), "a third is there", size);
    await end(first, "SIGKILL");
    assert.ok(size() < ids.length, "killed before the end");
    const isInvalidToken = ({ reason = "", alarm }: LogLine) =>
      alarm === true && reason.includes("Invalid token");
    assert.ok(forwarder.lines.some(isInvalidToken), "an invalid token is an alarm");

    server.faults.push("lose answer");
    const isEmpty = async () => (await channel.checkQueue("siem")).messageCount === 0;
    const isAlone = async () => (await channel.checkQueue("siem")).consumerCount === 0;
    // A stop hands back what the program has received but not begun to send.
    do {
      const next = forwarder.start();
      await reached(next, has(ids.length), "all are there", size);
      await until(isEmpty, "everything is delivered");
      await end(next, "SIGTERM");
      await until(isAlone, "the broker has noticed the end");
    } while (!(await isEmpty()));

    assert.deepEqual(server.violations, []);
    assert.deepEqual([...new Set(sentIds())].toSorted(), ids.toSorted());
    // Splunk keeps what is sent twice: what the broker has twice, the request whose answer is lost, and what is not
    // acknowledged when the program is killed, which are two requests at most.
    const doubled = server.events.length - ids.length;
    assert.ok(doubled <= published.length - ids.length + 3 * batch.events, `${doubled} doubled`);
    const kept = [...distrustful.refused(), ...forwarder.refused()];
    assert.deepEqual(
      [...new Set(kept.map(({ base64 = "" }) => Buffer.from(base64, "base64").toString()))],
      ["not an event"],
    );
  });
});

test("a secret that is missing ends the program at once, and says which", async (t) => {
  const settings = {
    kafka: { brokers: ["127.0.0.1:1"], topic: "siem" },
    splunk: { url: "https://127.0.0.1:1", token: { env: "SIEM_TEST_MISSING" } },
  };
  const forwarder = new Program(t, settings);
  const child = forwarder.start();
  assert.deepEqual(await once(child, "close"), [1, null]);
  assert.ok(JSON.stringify(forwarder.lines).includes("SIEM_TEST_MISSING is not set"));
});

/** Settings for `resend`, which reaches no broker. */
function resendingTo(siem: object): object {
  return { kafka: { brokers: ["127.0.0.1:1"], topic: "siem" }, ...siem };
}

const [refusedEvent] = events;
const refusedLine = `${JSON.stringify({ reason: "mapping", event: refusedEvent })}\n`;

for (const [what, otherName] of [
  [
    "another path",
    (path: string) => `${dirname(path)}/../${dirname(path).split("/").at(-1)}/refused.ndjson`,
  ],
  ["a symbolic link", (path: string) => linked(symlinkSync, path)],
  ["a hard link", (path: string) => linked(linkSync, path)],
] as const) {
  test(`resend does not read the file that it writes to, named by ${what}`, async (t) => {
    const server = await new BulkServer("certwire-ecs").start();
    t.after(() => server.stop());
    server.itemFault = () => ({
      status: 400,
      error: { type: "mapper_parsing_exception", reason: "failed to parse" },
    });
    const opensearch = { url: server.url, target: "certwire-ecs" };
    const forwarder = new Program(t, resendingTo({ opensearch }));
    writeFileSync(forwarder.refusedPath, refusedLine);
    const child = forwarder.start("resend", otherName(forwarder.refusedPath));
    assert.deepEqual(await once(child, "close"), [1, null]);
    assert.match(forwarder.lines.at(-1)?.error ?? "", /^move .* away first/);
    assert.equal(readFileSync(forwarder.refusedPath, "utf8"), refusedLine);
    assert.equal(server.requests, 0);
  });
}

function linked(link: (target: string, path: string) => void, target: string): string {
  const path = join(dirname(target), "link");
  link(target, path);
  return path;
}

test("a stop of resend does not wait until Splunk has indexed the events", async (t) => {
  const server = await new HecServer({ token, indexes: ["adcs"], acknowledgement: true }).start();
  t.after(() => server.stop());
  server.indexesAtOnce = false;
  const splunk = { url: server.url, token: { env: "SIEM_TOKEN" }, acknowledgement: true };
  const forwarder = new Program(t, resendingTo({ splunk }), { SIEM_TOKEN: token });
  const again = `${forwarder.refusedPath}.again`;
  writeFileSync(again, refusedLine);
  const child = forwarder.start("resend", again);
  await reached(child, () => server.events.length > 0, "Splunk has the event");
  const ended = once(child, "close");
  child.kill("SIGTERM");
  assert.deepEqual(await ended, [1, null]);
  // At the end of the wait, after 5 minutes, it would be: not indexed.
  assert.match(forwarder.lines.at(-1)?.error ?? "", /^stopped: The operation was aborted/);
  assert.deepEqual(forwarder.refused(), []);
  assert.equal(readFileSync(again, "utf8"), refusedLine);
});

test("resend of a file that is missing says so", async (t) => {
  const opensearch = { url: "http://127.0.0.1:1", target: "certwire-ecs" };
  const forwarder = new Program(t, resendingTo({ opensearch }));
  const missing = `${forwarder.refusedPath}.missing`;
  const child = forwarder.start("resend", missing);
  assert.deepEqual(await once(child, "close"), [1, null]);
  assert.ok(forwarder.lines.at(-1)?.error?.includes(missing), JSON.stringify(forwarder.lines));
});

test("a SIEM that is reached unencrypted is named in the log by its origin only", async (t) => {
  for (const host of ["siem.example", "localhost.example", "127.0.0.1.example"]) {
    const opensearch = { url: `http://${host}/a-path-of-a-proxy`, target: "certwire-ecs" };
    const forwarder = new Program(t, resendingTo({ opensearch }));
    const again = `${forwarder.refusedPath}.again`;
    writeFileSync(again, "");
    const child = forwarder.start("resend", again);
    assert.deepEqual(await once(child, "close"), [0, null]);
    const [warning] = forwarder.lines;
    assert.match(warning?.message ?? "", /unencrypted/);
    assert.equal(warning?.url, `http://${host}`);
  }
});
