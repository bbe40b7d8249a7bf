import assert from "node:assert/strict";
import { after, before, suite, type TestContext, test } from "node:test";
import { sampleOutbound } from "../support/sample-events.ts";
import { until } from "../support/until.ts";
import { type LocalRabbitmq, startLocalRabbitmq } from "./support/local-rabbitmq.ts";
import { readRabbitmq } from "./support/read-rabbitmq.ts";
import { clientTls, SecurePublisher, skip, tls } from "./support/secure-publisher.ts";
import { startAll } from "./support/start-all.ts";
import { makeTempDirectory, removeTempDirectory } from "./support/temp-directory.ts";
import { makeCertificates, type TestCertificates } from "./support/test-certificates.ts";

const username = "certwire";
const password = "Rabbit5ecret";
const signal = new AbortController().signal;

suite("the RabbitMQ sink on a broker with security", { skip }, () => {
  let directory: string;
  let certificates: TestCertificates;
  let rabbitmq: LocalRabbitmq;
  let demanding: LocalRabbitmq;
  let names = 0;
  before(async () => {
    directory = makeTempDirectory("certificates");
    certificates = await makeCertificates(directory);
    const security = { certificates, username, password };
    [rabbitmq, demanding] = await startAll(
      startLocalRabbitmq({ security }),
      startLocalRabbitmq({ security: { ...security, clientCertificate: "required" } }),
    );
  });
  after(async () => {
    await Promise.all([rabbitmq.stop(), demanding.stop()]);
    removeTempDirectory(directory);
  });

  /** A publisher, and a sink's entry that declares an exchange and a queue for it. */
  async function setUp(t: TestContext, broker: LocalRabbitmq) {
    names += 1;
    const name = `secure-${names}`;
    const publisher = await SecurePublisher.create(t, certificates, password);
    const entry = {
      url: `amqps://${username}@${broker.secureServers.join()}/?exchange=${name}`,
      password: { file: "password.txt" },
      topology: { quorumQueues: [{ name }] },
    };
    /** Reads the queue back over TLS too. */
    const read = (): Promise<string[]> => {
      const url = `amqps://${username}:${password}@${broker.secureServers.join()}`;
      const { caFile, client } = certificates;
      return readRabbitmq(url, name, { caFile, client });
    };
    return { publisher, entry, read };
  }

  test("events arrive over TLS from a broker that is verified, with a password from a file", async (t) => {
    const { publisher, entry, read } = await setUp(t, rabbitmq);
    await publisher.publishAll({ ...entry, tls });
    publisher.assertArrived(await read());
  });

  test("the password may come from the environment", async (t) => {
    const { publisher, entry, read } = await setUp(t, rabbitmq);
    process.env["CERTWIRE_TEST_RABBITMQ_PASSWORD"] = password;
    t.after(() => delete process.env["CERTWIRE_TEST_RABBITMQ_PASSWORD"]);
    const secret = { environment: "CERTWIRE_TEST_RABBITMQ_PASSWORD" };
    await publisher.publishAll({ ...entry, tls, password: secret });
    publisher.assertArrived(await read());
  });

  test("a wrong password is an auth failure, and everything arrives with the right one", async (t) => {
    const { publisher, entry, read } = await setUp(t, rabbitmq);
    await publisher.isRefused(
      { ...entry, tls, password: { file: "wrong.txt" } },
      { code: "CERTWIRE_SINK_AUTH", message: /ACCESS_REFUSED/, hint: /secret file/ },
    );
    await publisher.publishAll({ ...entry, tls });
    publisher.assertArrived(await read());
  });

  test("a broker that requires the client's certificate gets it", async (t) => {
    const { publisher, entry, read } = await setUp(t, demanding);
    await publisher.isRefused(
      { ...entry, tls },
      { code: "CERTWIRE_SINK_AUTH", message: /certificate/, hint: /tls\.certificateFile/ },
    );
    await publisher.publishAll({ ...entry, tls: clientTls });
    publisher.assertArrived(await read());
  });

  test("each connection uses the certificate and key that are in the files at that time", async (t) => {
    const { publisher, entry } = await setUp(t, demanding);
    const sink = await publisher.sink({ ...entry, tls: clientTls });
    await sink.open(signal);
    t.after(() => sink.close());
    const publish = () => {
      const event = sampleOutbound(1);
      return sink.publish(sink.laneOf(event), [event], signal);
    };
    assert.deepEqual(await publish(), { acknowledged: 1 });
    publisher.useClient(certificates.strangerCa);
    await demanding.ctl(1, "close_all_connections", "renewal");
    const isRefused = async () => (await publish()).failure?.kind === "auth";
    await until(isRefused, "the new connection is refused");
    publisher.useClient(certificates.renewedClient);
    assert.deepEqual(await publish(), { acknowledged: 1 });
  });

  test("a broker of an unknown CA gets nothing, and everything once the CA is right", async (t) => {
    const { publisher, entry, read } = await setUp(t, rabbitmq);
    const refusal = { code: "CERTWIRE_SINK_CONFIG", message: /certificate/, hint: /tls\.caFile/ };
    await publisher.isRefused(entry, refusal);
    await publisher.isRefused({ ...entry, tls: { caFile: "stranger.pem" } }, refusal);
    await publisher.publishAll({ ...entry, tls });
    publisher.assertArrived(await read());
  });

  test("a broker under another name gets nothing, and everything once serverName names it", async (t) => {
    const { publisher, entry, read } = await setUp(t, rabbitmq);
    const elsewhere = { ...entry, url: entry.url.replace("localhost", "127.0.0.1") };
    await publisher.isRefused(
      { ...elsewhere, tls },
      { code: "CERTWIRE_SINK_CONFIG", message: /127\.0\.0\.1/, hint: /tls\.serverName/ },
    );
    await publisher.publishAll({ ...elsewhere, tls: { ...tls, serverName: "localhost" } });
    publisher.assertArrived(await read());
  });

  test("a URL without TLS for a port with TLS, or the reverse, is reported at once", async (t) => {
    const { publisher, entry } = await setUp(t, rabbitmq);
    await publisher.isRefused(
      { ...entry, url: entry.url.replace("amqps", "amqp") },
      {
        code: "CERTWIRE_SINK_CONFIG",
        message: /does not speak AMQP .* but TLS/,
        hint: /amqps:\/\//,
      },
    );
    const { host } = new URL(rabbitmq.urls[0] ?? "");
    await publisher.isRefused(
      { ...entry, url: `amqps://${username}@${host}/`, tls },
      { code: "CERTWIRE_SINK_CONFIG", message: /wrong version number/, hint: /port with TLS/ },
    );
  });
});
