import assert from "node:assert/strict";
import { after, before, suite, type TestContext, test } from "node:test";
import { range } from "../support/run-pipeline.ts";
import { sampleOutbound } from "../support/sample-events.ts";
import type { SecureKafkaListener } from "./support/kafka-security.ts";
import { type LocalKafka, startLocalKafka } from "./support/local-kafka.ts";
import { readKafka } from "./support/read-kafka.ts";
import { clientTls, SecurePublisher, skip, tls } from "./support/secure-publisher.ts";
import { makeTempDirectory, removeTempDirectory } from "./support/temp-directory.ts";
import { makeCertificates, type TestCertificates } from "./support/test-certificates.ts";

const username = "certwire";
const password = "Kafka5ecret";
const signal = new AbortController().signal;

suite("the Kafka sink on a broker with security", { skip }, () => {
  let directory: string;
  let certificates: TestCertificates;
  let kafka: LocalKafka;
  let topics = 0;
  before(async () => {
    directory = makeTempDirectory("certificates");
    certificates = await makeCertificates(directory);
    kafka = await startLocalKafka({ security: { certificates, username, password } });
  });
  after(async () => {
    await kafka.stop();
    removeTempDirectory(directory);
  });

  /** A publisher and a fresh topic for it. */
  async function setUp(t: TestContext) {
    topics += 1;
    const topic = `secure-${topics}`;
    await kafka.createTopic(topic, { partitions: 3 });
    const publisher = await SecurePublisher.create(t, certificates, password);
    const url = (listener: SecureKafkaListener): string =>
      `kafkas://${kafka.secureServers(listener).join()}/${topic}`;
    return { topic, publisher, url };
  }

  /** Reads a topic back over TLS too. */
  async function read(
    listener: SecureKafkaListener,
    topic: string,
    settings: Record<string, string> = {},
  ) {
    const messages = await readKafka(kafka.secureServers(listener), topic, {
      "security.protocol": "ssl",
      "ssl.ca.location": certificates.caFile,
      ...settings,
    });
    return messages.map(({ value }) => value);
  }

  test("events arrive over TLS from a broker that is verified against the CA file", async (t) => {
    const { topic, publisher, url } = await setUp(t);
    await publisher.publishAll({ url: url("TLS"), tls });
    publisher.assertArrived(await read("TLS", topic));
  });

  test("a broker that requires the client's certificate gets it", async (t) => {
    const { topic, publisher, url } = await setUp(t);
    await publisher.isRefused(
      { url: url("MUTUAL"), tls },
      { code: "CERTWIRE_SINK_AUTH", message: /certificate/, hint: /tls\.certificateFile/ },
    );
    await publisher.publishAll({ url: url("MUTUAL"), tls: clientTls });
    const { certificateFile, keyFile } = certificates.client;
    const client = { "ssl.certificate.location": certificateFile, "ssl.key.location": keyFile };
    publisher.assertArrived(await read("MUTUAL", topic, client));
  });

  test("each connection uses the certificate and key that are in the files at that time", async (t) => {
    const { publisher, url } = await setUp(t);
    const sink = await publisher.sink({ url: url("MUTUAL"), tls: clientTls });
    await sink.open(signal);
    t.after(() => sink.close());
    // The first lane is connected by now; the others connect when they publish for the first time.
    publisher.useClient(certificates.strangerCa);
    const events = range(1, 20).map((n) => sampleOutbound(n, `ca/${n}`));
    const event = events.find((each) => sink.laneOf(each) > 0);
    assert.ok(event);
    const refused = await sink.publish(sink.laneOf(event), [event], signal);
    assert.equal(refused.failure?.kind, "auth");
    publisher.useClient(certificates.renewedClient);
    const taken = await sink.publish(sink.laneOf(event), [event], signal);
    assert.deepEqual(taken, { acknowledged: 1 });
  });

  for (const mechanism of ["scram-sha-512", "scram-sha-256", "plain"]) {
    test(`${mechanism} over TLS takes the password from a file`, async (t) => {
      const { topic, publisher, url } = await setUp(t);
      const entry = { url: url("SASL"), tls };
      const sasl = { mechanism, username };
      await publisher.isRefused(
        { ...entry, sasl: { ...sasl, password: { file: "wrong.txt" } } },
        { code: "CERTWIRE_SINK_AUTH", message: /authentication failed/i, hint: /secret file/ },
      );
      await publisher.publishAll({
        ...entry,
        sasl: { ...sasl, password: { file: "password.txt" } },
      });
      publisher.assertArrived(await readWithPassword(topic));
    });
  }

  test("the password may come from the environment", async (t) => {
    const { topic, publisher, url } = await setUp(t);
    process.env["CERTWIRE_TEST_KAFKA_PASSWORD"] = password;
    t.after(() => delete process.env["CERTWIRE_TEST_KAFKA_PASSWORD"]);
    const secret = { environment: "CERTWIRE_TEST_KAFKA_PASSWORD" };
    const sasl = { mechanism: "scram-sha-512", username, password: secret };
    await publisher.publishAll({ url: url("SASL"), tls, sasl });
    publisher.assertArrived(await readWithPassword(topic));
  });

  // With PLAIN: the SCRAM of kcat's older librdkafka is refused by brokers that check its nonce.
  function readWithPassword(topic: string) {
    return read("SASL", topic, {
      "security.protocol": "sasl_ssl",
      "sasl.mechanisms": "PLAIN",
      "sasl.username": username,
      "sasl.password": password,
    });
  }

  test("a broker of an unknown CA gets nothing, and everything once the CA is right", async (t) => {
    const { topic, publisher, url } = await setUp(t);
    const refusal = { code: "CERTWIRE_SINK_CONFIG", message: /certificate/, hint: /tls\.caFile/ };
    await publisher.isRefused({ url: url("TLS") }, refusal);
    await publisher.isRefused({ url: url("TLS"), tls: { caFile: "stranger.pem" } }, refusal);
    await publisher.publishAll({ url: url("TLS"), tls });
    publisher.assertArrived(await read("TLS", topic));
  });

  test("a broker under another name gets nothing, and everything once serverName names it", async (t) => {
    const { topic, publisher, url } = await setUp(t);
    const entry = { url: url("TLS").replace("localhost", "127.0.0.1") };
    await publisher.isRefused(
      { ...entry, tls },
      { code: "CERTWIRE_SINK_CONFIG", message: /127\.0\.0\.1/, hint: /tls\.serverName/ },
    );
    await publisher.publishAll({ ...entry, tls: { ...tls, serverName: "localhost" } });
    publisher.assertArrived(await read("TLS", topic));
  });

  test("a URL without TLS for a port with TLS, or the reverse, is reported at once", async (t) => {
    const { publisher, url, topic } = await setUp(t);
    const refusal = { code: "CERTWIRE_SINK_UNREACHABLE", message: /connect/, hint: /kafkas:\/\// };
    await publisher.isRefused({ url: url("TLS").replace("kafkas", "kafka") }, refusal);
    const open = `kafkas://${kafka.bootstrapServers.join()}/${topic}`;
    await publisher.isRefused({ url: open, tls }, refusal);
  });
});
