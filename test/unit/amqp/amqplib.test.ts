// Runs the real amqplib into every text and every private field that src/amqp/amqplib.ts relies on.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { connect, type Options } from "amqplib";
import {
  abortable,
  channelMaxOf,
  checkAmqplibVersion,
  cutOff,
  hasUnsentFrames,
  isConnectTimeout,
  isHungUp,
  isNack,
  isOutOfChannels,
  isUnencodable,
  patchHandshake,
} from "../../../src/amqp/amqplib.ts";
import { CertwireError } from "../../../src/errors/certwire-error.ts";
import { repoRoot } from "../../integration/support/repo-root.ts";
import { startFakeRabbitMq, startRefusingRabbitMq } from "../../support/fake-rabbitmq.ts";
import { rabbitMqSink } from "../../support/make-sink.ts";
import { startMuteServer } from "../../support/mute-server.ts";
import { sampleOutbound } from "../../support/sample-events.ts";
import { patienceMs, until } from "../../support/until.ts";

const signal = new AbortController().signal;

test("package.json asks for exactly the version of amqplib that the sink accepts", () => {
  assert.doesNotThrow(checkAmqplibVersion);
  const { dependencies } = JSON.parse(readFileSync(join(repoRoot, "package.json"), "utf8"));
  assert.match(dependencies.amqplib, /^\d+\.\d+\.\d+$/);
});

/** amqplib drops the code and the text of a refused vhost; with the patch its error has both. */
function isReply(code: number, message: string) {
  return (error: unknown) => {
    assert.deepEqual(
      { ...(error as object), message: String(Object(error).message) },
      { code, message },
    );
    return true;
  };
}

const refusals = [
  {
    about: "hangs up during the handshake",
    refusal: { at: "10.11" },
    holds: isHungUp,
    code: "CERTWIRE_SINK_UNREACHABLE",
    hint: /amqps:\/\//,
  },
  {
    about: "refuses the password",
    refusal: { at: "10.11", replyCode: 403, replyText: "ACCESS_REFUSED - Login was refused" },
    holds: isReply(403, "403 ACCESS_REFUSED - Login was refused"),
    code: "CERTWIRE_SINK_AUTH",
    hint: /secret file/,
  },
  {
    about: "does not allow the connection",
    refusal: { at: "10.11", replyCode: 530, replyText: "NOT_ALLOWED - too many connections" },
    holds: isReply(530, "530 NOT_ALLOWED - too many connections"),
    code: "CERTWIRE_SINK_CONFIG",
    hint: /broker's text/,
  },
  {
    about: "has no such vhost",
    refusal: { at: "10.40", replyCode: 530, replyText: "NOT_ALLOWED - vhost pki not found" },
    holds: isReply(530, "530 NOT_ALLOWED - vhost pki not found"),
    code: "CERTWIRE_SINK_CONFIG",
    hint: /vhost/,
  },
] as const;

for (const { about, refusal, holds, code, hint } of refusals) {
  test(`a broker that ${about} is recognized, and reported as ${code}`, async (t) => {
    const broker = await startRefusingRabbitMq(refusal);
    t.after(() => broker.stop());
    patchHandshake();
    await assert.rejects(connect(broker.url), holds);
    await assert.rejects(rabbitMqSink([broker.url], "events").open(signal), (error) => {
      assert.ok(error instanceof CertwireError);
      assert.equal(error.code, code);
      assert.match(error.hint, hint);
      return true;
    });
  });
}

async function openChannel(t: TestContext, confirms: () => boolean | "nack") {
  const broker = await startFakeRabbitMq(confirms);
  const model = await connect(broker.url);
  model.on("error", () => undefined);
  t.after(() => broker.stop());
  return { broker, model, channel: await model.createConfirmChannel() };
}

test("a nack is recognized, and the same events are sent again", async (t) => {
  const { broker, channel } = await openChannel(t, () => "nack");
  const publishing = new Promise<void>((resolve, reject) => {
    channel.publish("e", "k", Buffer.from("x"), {}, (error: unknown) =>
      error ? reject(error) : resolve(),
    );
  });
  await assert.rejects(publishing, isNack);
  const sink = rabbitMqSink([broker.url], "events");
  await sink.open(signal);
  const event = sampleOutbound(1);
  const { failure } = await sink.publish(sink.laneOf(event), [event], signal);
  assert.equal(failure?.kind, "retry-identical");
  await sink.close();
});

const unencodable: Readonly<Record<string, Options.Publish>> = {
  "headers above 64 KiB": { headers: { large: "x".repeat(70_000) } },
  "a header name above 255 bytes": { headers: { ["n".repeat(300)]: "x" } },
  "a property above 255 bytes": { messageId: "i".repeat(300) },
  "a time before 1970": { timestamp: -1 },
  "a time that is not a number": { timestamp: Number.NaN },
};

for (const [about, options] of Object.entries(unencodable)) {
  test(`amqplib's error for ${about} is recognized`, async (t) => {
    const { channel } = await openChannel(t, () => true);
    assert.throws(() => channel.publish("e", "k", Buffer.from("x"), options), isUnencodable);
  });
}

test("amqplib's errors for an exchange and a routing key that are too long say nothing about an event", async (t) => {
  const { channel } = await openChannel(t, () => true);
  const long = "x".repeat(300);
  for (const [exchange, routingKey] of [
    [long, "k"],
    ["e", long],
  ] as const) {
    assert.throws(
      () => channel.publish(exchange, routingKey, Buffer.from("x")),
      (error) => /is the wrong type/.test(String(error)) && !isUnencodable(error),
    );
  }
});

test("a connection that is cut off ends at once, with the reason, although the broker says nothing", {
  timeout: patienceMs,
}, async (t) => {
  const { model } = await openChannel(t, () => false);
  const reason = new Error("cut off");
  const closed = new Promise((resolve) => void model.on("close", resolve));
  cutOff(model.connection, reason);
  assert.equal(await closed, reason);
});

test("the number of channels that client and broker agreed upon is known, and none above it opens", async (t) => {
  for (const [channelMax, agreed] of [
    [2, 2],
    [0, 65_535],
  ] as const) {
    const broker = await startFakeRabbitMq(() => true, { channelMax });
    t.after(() => broker.stop());
    const model = await connect(broker.url);
    model.on("error", () => undefined);
    assert.equal(channelMaxOf(model.connection), agreed);
    await model.createChannel();
    await model.createChannel();
    if (channelMax === 2) await assert.rejects(model.createChannel(), isOutOfChannels);
  }
});

test("a silent port is recognized, and an attempt to connect ends with its signal", async (t) => {
  const { port, connections } = await startMuteServer(t);
  const url = `amqp://127.0.0.1:${port}`;
  await assert.rejects(connect(url, { timeout: 50 }), isConnectTimeout);
  const stop = new AbortController();
  const connecting = connect(url, { ...abortable(stop.signal) });
  await until(() => connections() === 2, "the second attempt waits for an answer");
  stop.abort();
  await assert.rejects(connecting, { name: "AbortError" });
});

test("frames of a closed channel that wait for the socket are noticed, and nothing but its answer is not", async (t) => {
  for (const [messages, isWaiting] of [
    [1, false],
    [64, true],
  ] as const) {
    const broker = await startFakeRabbitMq(() => true, {
      refuse: ({ method }) =>
        method === "60.40"
          ? { closes: "channel", replyCode: 406, replyText: "PRECONDITION_FAILED" }
          : undefined,
    });
    const model = await connect(broker.url);
    model.on("error", () => undefined);
    t.after(() => broker.stop());
    const channel = await model.createConfirmChannel();
    const seen = new Promise<boolean>((resolve) => {
      channel.on("error", () => resolve(hasUnsentFrames(channel)));
    });
    // More than what the sockets between both ends hold.
    const content = Buffer.alloc(messages === 1 ? 10 : 1024 * 1024);
    for (let sent = 0; sent < messages; sent += 1) channel.publish("e", "k", content);
    assert.equal(await seen, isWaiting);
  }
});
