// What a port answers that is not the AMQP port of a broker, or that says nothing.
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { type TestContext, test } from "node:test";
import { CertwireError } from "../../../../src/errors/certwire-error.ts";
import type { ErrorCode } from "../../../../src/errors/codes.ts";
import { describeCause } from "../../../../src/errors/describe-cause.ts";
import { startFakeRabbitMq, startRefusingRabbitMq } from "../../../support/fake-rabbitmq.ts";
import { rabbitMqSink } from "../../../support/make-sink.ts";
import { startMuteServer } from "../../../support/mute-server.ts";
import { sampleOutbound } from "../../../support/sample-events.ts";
import { settled, until } from "../../../support/until.ts";

const signal = new AbortController().signal;

/** A server that answers the first bytes with some bytes, and hangs up. */
async function startServer(t: TestContext, bytes: Buffer): Promise<number> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined).once("data", () => socket.end(bytes));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function openError(urls: readonly string[], settings: object = {}): Promise<CertwireError> {
  const sink = rabbitMqSink(urls, "events", settings);
  const error = await sink.open(signal).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  await sink.close();
  assert.ok(error instanceof CertwireError);
  return error;
}

const answers: readonly (readonly [string, Buffer, RegExp, RegExp])[] = [
  ["HTTP", Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"), /but HTTP/, /AMQP port/],
  ["SSH", Buffer.from("SSH-2.0-OpenSSH_9.2\r\n"), /but SSH/, /AMQP port/],
  ["another version of AMQP", Buffer.from("AMQP\x00\x01\x00\x00"), /another version/, /AMQP port/],
  ["SMTP", Buffer.from("220 mail.example ESMTP\r\n"), /another protocol/, /AMQP port/],
  ["TLS", Buffer.from([0x15, 3, 3, 0, 2, 2, 70, 0, 0, 0, 0]), /but TLS/, /amqps:\/\//],
];

for (const [protocol, bytes, message, hint] of answers) {
  test(`a port that speaks ${protocol} is a configuration error that names it`, async (t) => {
    const port = await startServer(t, bytes);
    const error = await openError([`amqp://127.0.0.1:${port}`]);
    assert.equal(error.exitCode, 78);
    const text = describeCause(error);
    assert.match(text, message);
    assert.ok(text.includes(`127.0.0.1:${port}`), text);
    assert.match(error.hint, hint);
  });
}

test("a silent port is reported with its address within the time to connect", async (t) => {
  const { port } = await startMuteServer(t);
  const error = await openError([`amqp://127.0.0.1:${port}`], { connectTimeoutMs: 150 });
  assert.equal(error.code, "CERTWIRE_SINK_UNREACHABLE");
  assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${port}`));
  assert.match(error.hint, /host and port, firewalls/);
});

test("a publish that connects to a silent port ends when it is stopped", async (t) => {
  const broker = await startFakeRabbitMq(() => true);
  const mute = await startMuteServer(t);
  const urls = [broker.url, `amqp://127.0.0.1:${mute.port}`];
  const sink = rabbitMqSink(urls, "events", { connectTimeoutMs: 300_000 });
  await sink.open(signal);
  broker.stop();
  const stop = new AbortController();
  const event = sampleOutbound(1);
  const publish = () => sink.publish(sink.laneOf(event), [event], stop.signal);
  // The first publish finds the connection lost, unless that was noticed already.
  const publishing = publish().then(publish);
  await until(() => mute.connections() > 0, "the sink connects to the silent port");
  stop.abort();
  const { failure } = await settled(publishing, "the publish has ended");
  assert.equal(failure?.kind, "reset");
  await sink.close();
});

const vhostReplies: readonly (readonly [number, string, ErrorCode, RegExp])[] = [
  [530, "NOT_ALLOWED - vhost pki not found", "CERTWIRE_SINK_CONFIG", /Create the vhost/],
  [
    530,
    "NOT_ALLOWED - access to vhost 'pki' refused for user 'guest'",
    "CERTWIRE_SINK_AUTH",
    /set_permissions/,
  ],
  [
    530,
    "NOT_ALLOWED - access to vhost 'pki' refused for user 'guest': connection limit (3) is reached",
    "CERTWIRE_SINK_CONFIG",
    /connection limit/,
  ],
  [
    541,
    "INTERNAL_ERROR - access to vhost 'pki' refused for user 'guest': vhost 'pki' is down",
    "CERTWIRE_SINK_CONFIG",
    /restart_vhost/,
  ],
];

for (const [replyCode, replyText, code, hint] of vhostReplies) {
  test(`a vhost refused with "${replyText}" is reported with code, text and address`, async (t) => {
    const broker = await startRefusingRabbitMq({ at: "10.40", replyCode, replyText });
    t.after(() => broker.stop());
    const error = await openError([broker.url]);
    assert.equal(error.code, code);
    assert.match(error.hint, hint);
    const { host } = new URL(broker.url);
    assert.equal(describeCause(error), `cannot connect to ${host}: ${replyCode} ${replyText}`);
  });
}

test("with several hosts the answer of a broker is reported, not the silence of another", async (t) => {
  const replyText = "NOT_ALLOWED - vhost pki not found";
  const refusing = await startRefusingRabbitMq({ at: "10.40", replyCode: 530, replyText });
  t.after(() => refusing.stop());
  const gone = await startFakeRabbitMq(() => true);
  gone.stop();
  for (const urls of [
    [refusing.url, gone.url],
    [gone.url, refusing.url],
  ]) {
    assert.match(describeCause(await openError(urls)), /530 NOT_ALLOWED - vhost pki not found/);
  }
});

test("a vhost that is deleted while events flow needs someone to act", async (t) => {
  const broker = await startFakeRabbitMq(() => false);
  const sink = rabbitMqSink([broker.url], "events", { lanes: 1 });
  t.after(async () => {
    await sink.close();
    broker.stop();
  });
  await sink.open(signal);
  const publishing = sink.publish(0, [sampleOutbound(1)], signal);
  await until(() => broker.messages() === 1, "the event is on its way");
  broker.close(320, "CONNECTION_FORCED - vhost 'pki' is deleted");
  const { failure } = await settled(publishing, "the publish has ended");
  assert.equal(failure?.kind, "config");
  assert.match(describeCause(failure?.cause), /320 .*vhost 'pki' is deleted/);
  assert.match(Object(failure?.cause).hint, /Create the vhost/);
});
