import assert from "node:assert/strict";
import { after, before, suite, type TestContext, test } from "node:test";
import type { CheckName } from "../../src/doctor/checks.ts";
import type { Finding } from "../../src/doctor/finding.ts";
import { configBeside } from "../support/config-beside.ts";
import { runCli } from "../support/run-cli.ts";
import { flushed, journalDirectory, openSmall, record } from "../support/small-journal.ts";
import { patienceMs } from "../support/until.ts";
import type { KafkaCluster, RabbitmqCluster } from "./support/broker-provider.ts";
import { startKafka, startRabbitmq } from "./support/brokers.ts";
import { leaveRabbitmq } from "./support/leave-rabbitmq.ts";
import { type LocalKafka, startLocalKafka } from "./support/local-kafka.ts";
import { type LocalRabbitmq, startLocalRabbitmq } from "./support/local-rabbitmq.ts";
import { clientTls, SecurePublisher, skip, tls } from "./support/secure-publisher.ts";
import { startAll } from "./support/start-all.ts";
import { makeTempDirectory, removeTempDirectory } from "./support/temp-directory.ts";
import { makeCertificates, type TestCertificates } from "./support/test-certificates.ts";

const unique = `doctor-${Date.now()}`;

/** The findings about the sinks, of a configuration that exists. */
async function findingsOf(config: string): Promise<readonly Finding[]> {
  const timeout = String(Math.ceil(patienceMs / 1000));
  const words = ["doctor", "--config", config, "--json", "--timeout", timeout];
  const { stdout, stderr } = await runCli(...words);
  assert.equal(stderr, "");
  return (JSON.parse(stdout) as { findings: Finding[] }).findings;
}

/** The findings of a doctor about one sink. */
async function examine(t: TestContext, sink: object): Promise<readonly Finding[]> {
  const journal = journalDirectory(t);
  const simulator = openSmall(journal);
  t.after(() => simulator.close());
  record(simulator, 1, 3);
  await flushed(simulator);
  return findingsOf(configBeside(journal, { sinks: [{ name: "sink", ...sink }] }));
}

/** State and text of what was found in one check. */
function of(found: readonly Finding[], check: CheckName): string[] {
  return found
    .filter((finding) => finding.check === check)
    .map(({ state, seen }) => `${state}: ${seen}`);
}

function assertSome(texts: readonly string[], pattern: RegExp): void {
  assert.ok(
    texts.some((text) => pattern.test(text)),
    `${pattern} is none of ${texts.join("\n")}`,
  );
}

suite("the doctor of a Kafka sink", () => {
  let kafka: KafkaCluster;
  let topics = 0;
  before(async () => {
    kafka = await startKafka();
  });
  after(() => kafka.stop());

  /** The findings about a sink with a topic of these settings. */
  async function withTopic(t: TestContext, settings: Record<string, string>) {
    topics += 1;
    const topic = `${unique}-${topics}`;
    await kafka.createTopic(topic, { partitions: 2, config: settings });
    const url = `kafka://${kafka.bootstrapServers.join()}/${topic}`;
    return examine(t, { url });
  }

  test("a topic that is compacted loses events: an error that says what to set", async (t) => {
    const found = await withTopic(t, { "cleanup.policy": "compact,delete" });
    assert.match(of(found, "sink-connection")[0] ?? "", /^ok: kafka: topic .*, 2 lanes$/);
    assertSome(of(found, "sink-destination"), /^error: cleanup\.policy compact/);
    const [finding] = found.filter(({ seen }) => seen.startsWith("cleanup.policy"));
    assert.match(finding?.hint ?? "", /to delete/);
  });

  test("a topic that takes smaller events than maxEventBytes is a warning with the number to set", async (t) => {
    const found = await withTopic(t, { "max.message.bytes": "65536" });
    const smaller = /^warn: max\.message\.bytes 65536: events above 64512 bytes .* 921600$/;
    assertSome(of(found, "sink-destination"), smaller);
    const [finding] = found.filter(({ seen }) => seen.startsWith("max.message.bytes"));
    assert.match(finding?.hint ?? "", /to 922624 or more/);
  });

  test("few in-sync replicas, short retention and strict clocks are warnings", async (t) => {
    const found = await withTopic(t, {
      "min.insync.replicas": "1",
      "retention.ms": "60000",
      "message.timestamp.after.max.ms": "1000",
    });
    const texts = of(found, "sink-destination");
    assertSome(texts, /^warn: min\.insync\.replicas 1/);
    assertSome(texts, /^warn: retention\.ms 60000/);
    assertSome(texts, /^warn: message\.timestamp\.after\.max\.ms 1000/);
  });

  test("a topic that does not exist is an error, and is not made", async (t) => {
    const url = `kafka://${kafka.bootstrapServers.join()}/${unique}-none`;
    const found = await examine(t, { url });
    assertSome(of(found, "sink-connection"), /^error: CERTWIRE_SINK_CONFIG: .*does not exist/);
    assertSome(of(found, "sink-destination"), /^skipped: /);
    assertSome(of(found, "clock"), /^ok: compared with the newest record/);
  });
});

suite("the doctor of a RabbitMQ sink", () => {
  let rabbitmq: RabbitmqCluster;
  before(async () => {
    rabbitmq = await startRabbitmq();
  });
  after(() => leaveRabbitmq(rabbitmq, [`${unique}-queue`]));

  /** The entry of a sink for this exchange. */
  function entry(exchange: string, more: object = {}): object {
    const { host, username, password } = new URL(rabbitmq.urls[0] ?? "");
    process.env["CERTWIRE_TEST_DOCTOR_PASSWORD"] = password;
    return {
      url: `amqp://${username}@${host}/?exchange=${exchange}`,
      password: { environment: "CERTWIRE_TEST_DOCTOR_PASSWORD" },
      ...more,
    };
  }

  test("an exchange that does not exist is an error, and is not made", async (t) => {
    for (let times = 0; times < 2; times += 1) {
      const found = await examine(t, entry(`${unique}-none`));
      assertSome(of(found, "sink-connection"), /^error: CERTWIRE_SINK_CONFIG: .*-none/);
    }
  });

  test("an exchange with a queue that has no limit is ok", async (t) => {
    const name = `${unique}-queue`;
    const found = await examine(t, entry(name, { topology: { quorumQueues: [{ name }] } }));
    assertSome(of(found, "sink-connection"), /^ok: rabbitmq: exchange .*-queue on /);
    assert.deepEqual(of(found, "sink-destination"), [
      "ok: no setting that can be seen puts events at risk",
    ]);
    assertSome(of(found, "sink-backlog"), /^ok: /);
  });

  test("a queue that exists with another delivery limit is an error", async (t) => {
    const name = `${unique}-queue`;
    const quorumQueues = [{ name, deliveryLimit: 3, deadLetterExchange: "amq.topic" }];
    const found = await examine(t, entry(name, { topology: { quorumQueues } }));
    assertSome(of(found, "sink-connection"), /^error: CERTWIRE_SINK_CONFIG: .*inequivalent arg/);
  });

  test("a wrong password is an error that names no password", async (t) => {
    const wrong = { url: `amqp://stranger@${new URL(rabbitmq.urls[0] ?? "").host}/` };
    process.env["CERTWIRE_TEST_DOCTOR_WRONG"] = "wr0ng-5ecret";
    const password = { environment: "CERTWIRE_TEST_DOCTOR_WRONG" };
    const found = await examine(t, { ...wrong, password });
    assertSome(of(found, "sink-connection"), /^error: CERTWIRE_SINK_AUTH: /);
    assert.ok(!JSON.stringify(found).includes("wr0ng-5ecret"));
  });
});

suite("the doctor of brokers with TLS", { skip }, () => {
  const password = "D0ctor5ecret";
  const username = "certwire";
  let directory: string;
  let certificates: TestCertificates;
  let kafka: LocalKafka;
  let rabbitmq: LocalRabbitmq;
  before(async () => {
    directory = makeTempDirectory("certificates");
    certificates = await makeCertificates(directory);
    const security = { certificates, username, password };
    [kafka, rabbitmq] = await startAll(
      startLocalKafka({ security }),
      startLocalRabbitmq({ security: { ...security, clientCertificate: "required" } }),
    );
    await kafka.createTopic("secure", { partitions: 1 });
  });
  after(async () => {
    await Promise.all([kafka.stop(), rabbitmq.stop()]);
    removeTempDirectory(directory);
  });

  /** Files of certificates and brokers all end within two days. */
  function assertEnding(found: readonly Finding[], server: string): void {
    const texts = of(found, "sink-certificates");
    for (const name of ["ca.pem", "client.pem", `the certificate of ${server}`]) {
      const escaped = name.replaceAll(".", String.raw`\.`);
      assertSome(texts, new RegExp(`^warn: .*${escaped} ends on \\d{4}-\\d\\d-\\d\\d$`));
    }
  }

  test("certificates that end soon are warnings: the files, and what Kafka itself shows", async (t) => {
    const publisher = await SecurePublisher.create(t, certificates, password);
    const [server = ""] = kafka.secureServers("MUTUAL");
    const config = publisher.configure({ url: `kafkas://${server}/secure`, tls: clientTls });
    const found = await findingsOf(config);
    assertSome(of(found, "sink-connection"), /^ok: /);
    assertEnding(found, server);
  });

  test("certificates that end soon are warnings: the files, and what RabbitMQ itself shows", async (t) => {
    const publisher = await SecurePublisher.create(t, certificates, password);
    const [server = ""] = rabbitmq.secureServers;
    const url = `amqps://${username}@${server}/?exchange=amq.topic`;
    const access = { password: { file: "password.txt" }, tls: clientTls };
    const found = await findingsOf(publisher.configure({ url, ...access }));
    assertSome(of(found, "sink-connection"), /^ok: /);
    assertEnding(found, server);
  });

  test("a broker that wants a client certificate shows its own all the same", async (t) => {
    const publisher = await SecurePublisher.create(t, certificates, password);
    const [server = ""] = kafka.secureServers("MUTUAL");
    const found = await findingsOf(publisher.configure({ url: `kafkas://${server}/secure`, tls }));
    assertSome(of(found, "sink-connection"), /^error: CERTWIRE_SINK_AUTH: /);
    assertSome(of(found, "sink-certificates"), new RegExp(`the certificate of ${server} ends on`));
  });
});
