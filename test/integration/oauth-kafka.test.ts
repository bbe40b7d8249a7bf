import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, suite, type TestContext, test } from "node:test";
import { inspect } from "node:util";
import { oauthBearer } from "../../src/consumer/kafka/access.ts";
import { kafkaTopic } from "../../src/consumer/kafka/topic-source.ts";
import type { OutboundEvent } from "../../src/events/outbound-event.ts";
import type { Sink } from "../../src/sinks/sink.ts";
import { kafkaSink } from "../support/make-sink.ts";
import { type CliResult, runCli } from "../support/run-cli.ts";
import { range } from "../support/run-pipeline.ts";
import { RunningConsumer } from "../support/running-consumer.ts";
import { sampleOutbound } from "../support/sample-events.ts";
import { type Stalls, watchForStalls } from "../support/stalls.ts";
import { audience, issuer, TokenServer } from "../support/token-server.ts";
import { patienceMs, until } from "../support/until.ts";
import { type LocalKafka, startLocalKafka } from "./support/local-kafka.ts";
import { readKafka } from "./support/read-kafka.ts";
import { SecurePublisher, skip, tls } from "./support/secure-publisher.ts";
import { makeTempDirectory, removeTempDirectory } from "./support/temp-directory.ts";
import { makeCertificates, type TestCertificates } from "./support/test-certificates.ts";

const signal = new AbortController().signal;
/** A session lasts 15 s and is renewed after 5 s: with pauses below this it ends in no connection. */
const stallMs = 3000;

suite("Kafka with tokens of a token server", { skip }, () => {
  let directory: string;
  let certificates: TestCertificates;
  let kafka: LocalKafka;
  let topics = 0;
  /** Signs for all servers of the tests: the broker knows one key. */
  const signer = new TokenServer();
  before(async () => {
    directory = makeTempDirectory("certificates");
    certificates = await makeCertificates(directory);
    const tokens = { jwks: signer.jwks, issuer, audience };
    const user = { username: "certwire", password: "Kafka5ecret" };
    kafka = await startLocalKafka({ security: { certificates, ...user, tokens } });
  });
  after(async () => {
    await kafka.stop();
    removeTempDirectory(directory);
  });

  /** A token server, a fresh topic, and a publisher with the client secret in `password.txt`. */
  async function setUp(t: TestContext) {
    topics += 1;
    const topic = `tokens-${topics}`;
    await kafka.createTopic(topic, { partitions: 3 });
    const server = signer.sibling();
    await server.start();
    t.after(() => server.stop());
    const publisher = await SecurePublisher.create(t, certificates, server.clientSecret);
    const oauth = {
      tokenEndpoint: server.url,
      clientId: server.clientId,
      clientSecret: { file: "password.txt" },
      timeoutMs: 60_000,
    };
    const url = `kafkas://${kafka.secureServers("OAUTH").join()}/${topic}`;
    const entryWith = (more: object) => {
      return { url, tls, sasl: { mechanism: "oauthbearer", oauth: { ...oauth, ...more } } };
    };
    const assertArrived = async (): Promise<void> => {
      const messages = await readKafka(kafka.bootstrapServers, topic);
      publisher.assertArrived(messages.map(({ value }) => value));
    };
    return { topic, url, server, publisher, entryWith, entry: entryWith({}), assertArrived };
  }

  /**
   * Publishes an event at the first try. Only on a machine that stood still, so that the session of a connection may have
   * ended, may that try fail and another one follow.
   */
  async function publishOnTime(sink: Sink, event: OutboundEvent, stalls: Stalls): Promise<void> {
    for (;;) {
      const outcome = await sink.publish(sink.laneOf(event), [event], signal);
      if (outcome.acknowledged === 1) return;
      assert.equal(outcome.failure?.kind, "reset", inspect(outcome));
      assert.ok(stalls.longestMs > stallMs, `longest stall: ${stalls.longestMs} ms`);
    }
  }

  test("events arrive with a token that all connections share", async (t) => {
    const { server, publisher, entryWith, assertArrived } = await setUp(t);
    await publisher.publishAll(entryWith({ scope: "kafka publish" }));
    await assertArrived();
    assert.equal(server.issued, 1);
    assert.equal(server.queries[0]?.scope, "kafka publish");
  });

  test("a wrong secret waits with an alarm, and publishes once the secret is right", async (t) => {
    const { server, publisher, entry, assertArrived } = await setUp(t);
    const right = server.clientSecret;
    publisher.write("password.txt", `wrong-${right}`);
    await publisher.isRefused(entry, {
      code: "CERTWIRE_SINK_AUTH",
      message: /status 401: invalid_client: the secret \*\*\* is wrong/,
      hint: /client secret/,
    });
    await publisher.publishAll(entry, async () => publisher.write("password.txt", right));
    await assertArrived();
  });

  test("a token endpoint that is down at the start is waited for", async (t) => {
    const { server, publisher, entry, assertArrived } = await setUp(t);
    await server.stop();
    await publisher.isRefused(entry, {
      code: "CERTWIRE_SINK_UNREACHABLE",
      message: /cannot reach the token endpoint 127\.0\.0\.1:\d+: .*ECONNREFUSED/,
      hint: /tokenEndpoint/,
    });
    await publisher.publishAll(entry, () => server.start());
    await assertArrived();
  });

  test("a token that the broker refuses is reported as such, and is not used again", async (t) => {
    const { server, publisher, entry, assertArrived } = await setUp(t);
    server.audience = "another-service";
    await publisher.isRefused(entry, {
      code: "CERTWIRE_SINK_AUTH",
      message: /localhost:\d+ refuses the access token: invalid_token/,
      hint: /audience and scope/,
    });
    await publisher.publishAll(entry, async () => {
      server.audience = audience;
    });
    await assertArrived();
  });

  test("a broker that does not know the mechanism says so", async (t) => {
    const { topic, publisher, entry } = await setUp(t);
    const url = `kafkas://${kafka.secureServers("SASL").join()}/${topic}`;
    await publisher.isRefused(
      { ...entry, url },
      { code: "CERTWIRE_SINK_AUTH", message: /requested SASL mechanism/, hint: /mechanism/ },
    );
  });

  test("connections outlive their tokens and a change of the secret, without a failure", async (t) => {
    const { topic, server, publisher, entry } = await setUp(t);
    // The least that is accepted: each connection authenticates again after five seconds.
    server.lifetimeSeconds = 15;
    const sink = await publisher.sink(entry);
    await sink.open(signal);
    t.after(() => sink.close());
    const stalls = watchForStalls(t);
    const sent: string[] = [];
    const newSecret = "An0ther secret";
    const isEnough = () =>
      server.queries.filter((each) => each.clientSecret === newSecret).length >= 2;
    for (let n = 1; !isEnough(); n += 1) {
      if (server.issued >= 5) {
        server.clientSecret = newSecret;
        publisher.write("password.txt", newSecret);
      }
      const event = sampleOutbound(n, `ca/${n % 3}`);
      await publishOnTime(sink, event, stalls);
      sent.push(event.id);
    }
    const messages = await readKafka(kafka.bootstrapServers, topic);
    const ids = messages.map(({ value }) => JSON.parse(value ?? "{}").id as string);
    assert.deepEqual([...new Set(ids)].toSorted(), sent.toSorted());
  });

  test("a token endpoint that is down for longer than a token lives delays events, and loses none", async (t) => {
    const { topic, server, publisher, entry } = await setUp(t);
    server.lifetimeSeconds = 15;
    const sink = await publisher.sink(entry);
    await sink.open(signal);
    t.after(() => sink.close());
    const sent: string[] = [];
    const publish = async () => {
      const event = sampleOutbound(sent.length + 1, "ca/1");
      const { acknowledged, failure } = await sink.publish(sink.laneOf(event), [event], signal);
      if (acknowledged === 1) sent.push(event.id);
      return failure;
    };
    assert.equal(await publish(), undefined);
    await server.stop();
    const failure = await until(publish, "the token is over");
    assert.equal(failure.kind, "reset");
    assert.match(failure.cause.cause instanceof Error ? failure.cause.cause.message : "", /ECONN/);
    await server.start();
    await until(async () => (await publish()) === undefined, "events are published again");
    const messages = await readKafka(kafka.bootstrapServers, topic);
    const ids = messages.map(({ value }) => JSON.parse(value ?? "{}").id as string);
    assert.deepEqual(ids.toSorted(), sent.toSorted());
  });

  test("a consumer reads with tokens of its own, which end while it reads", async (t) => {
    const { topic, server, publisher, entry } = await setUp(t);
    server.lifetimeSeconds = 15;
    const sink = await publisher.sink(entry);
    await sink.open(signal);
    t.after(() => sink.close());
    const sasl = oauthBearer({
      tokenEndpoint: server.url,
      clientId: server.clientId,
      clientSecret: () => server.clientSecret,
      timeoutMs: patienceMs,
    });
    const ca = { ca: readFileSync(certificates.caFile) };
    const client = { brokers: kafka.secureServers("OAUTH"), ssl: ca, sasl };
    const consumer = new RunningConsumer(t, kafkaTopic({ client, topic, groupId: topic }));
    const stalls = watchForStalls(t);
    const losses = () =>
      consumer.lines.filter(({ msg }) => msg === "lost the consumer group").length;
    let lossesAtStart = 0;
    let published = 0;
    const publish = async (count: number): Promise<void> => {
      for (const n of range(published + 1, published + count)) {
        await publishOnTime(sink, sampleOutbound(n, "ca/1"), stalls);
      }
      published += count;
    };
    for (const at of range(1, 4)) {
      await publish(5);
      await consumer.untilHandled(published);
      // A group that is new may be refused until its coordinator has loaded.
      if (at === 1) lossesAtStart = losses();
      const issued = server.issued;
      await consumer.until(() => server.issued > issued, `token ${at} is renewed`);
    }
    await consumer.stop();
    const isOnTime = stalls.longestMs < stallMs;
    assert.ok(losses() === lossesAtStart || !isOnTime, `longest stall: ${stalls.longestMs} ms`);
  });

  test("a consumer waits for a token endpoint that is down, at its start and later on", async (t) => {
    const { topic, server } = await setUp(t);
    const sink = kafkaSink(kafka.bootstrapServers, topic);
    await sink.open();
    t.after(() => sink.close());
    const publish = async (n: number): Promise<void> => {
      const event = sampleOutbound(n, "ca/1");
      const { acknowledged } = await sink.publish(sink.laneOf(event), [event], signal);
      assert.equal(acknowledged, 1);
    };
    server.lifetimeSeconds = 15;
    await server.stop();
    const sasl = oauthBearer({
      tokenEndpoint: server.url,
      clientId: server.clientId,
      clientSecret: server.clientSecret,
    });
    const ssl = { ca: readFileSync(certificates.caFile) };
    const client = { brokers: kafka.secureServers("OAUTH"), ssl, sasl };
    const consumer = new RunningConsumer(t, kafkaTopic({ client, topic, groupId: topic }));
    const logged = (message: string) => () =>
      consumer.lines.some(
        ({ msg, error }) => msg === message && /token endpoint/.test(String(error)),
      );
    await publish(1);
    await consumer.until(logged("cannot connect"), "the consumer has tried");
    await server.start();
    await consumer.untilHandled(1);
    await server.stop();
    await consumer.until(logged("lost the consumer group"), "the token is over");
    await publish(2);
    await server.start();
    await consumer.untilHandled(2);
    await consumer.stop();
  });

  test("a consumer with a wrong secret ends with an error that says so", async (t) => {
    const { topic, server } = await setUp(t);
    const { tokenEndpoint, clientId } = { tokenEndpoint: server.url, clientId: server.clientId };
    const sasl = oauthBearer({ tokenEndpoint, clientId, clientSecret: "wrong" });
    const ssl = { ca: readFileSync(certificates.caFile) };
    const client = { brokers: kafka.secureServers("OAUTH"), ssl, sasl };
    const consumer = new RunningConsumer(t, kafkaTopic({ client, topic, groupId: topic }));
    await assert.rejects(consumer.ended, {
      code: "CERTWIRE_CONSUMER_REFUSED",
      message: /invalid_client/,
      hint: /client secret/,
    });
  });

  test("check and verify take tokens, and show no secret", async (t) => {
    const { url, server, publisher, entry } = await setUp(t);
    const check = () => runCli("check", "--config", publisher.configure(entry), "--timeout", "120");
    const words = ["--mechanism", "oauthbearer", "--token-endpoint", server.url, "--client-id"];
    const secret = ["--client-secret-file", publisher.path("password.txt")];
    const files = [...secret, "--ca-file", certificates.caFile];
    const verify = () => runCli("verify", "--kafka", url, ...words, server.clientId, ...files);
    const assertExit = ({ exitCode, stdout, stderr }: CliResult, expected: number): void => {
      assert.equal(exitCode, expected, stdout + stderr);
      assert.ok(!`${stdout}${stderr}`.includes(server.clientSecret));
    };
    assertExit(await check(), 0);
    await publisher.publishAll(entry);
    assertExit(await verify(), 0);
    publisher.write("password.txt", `wrong-${server.clientSecret}`);
    const refused = await check();
    assertExit(refused, 77);
    assert.match(refused.stdout, /CERTWIRE_SINK_AUTH: .*invalid_client/);
    assertExit(await verify(), 77);
  });
});
