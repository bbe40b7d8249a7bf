// What only a real RabbitMQ can show: its own texts for what it refuses, and its own limits.
import assert from "node:assert/strict";
import { before, suite, test } from "node:test";
import { CertwireError } from "../../src/errors/certwire-error.ts";
import type { ErrorCode } from "../../src/errors/codes.ts";
import { describeCause } from "../../src/errors/describe-cause.ts";
import type { RabbitMqSink } from "../../src/sinks/rabbitmq/sink.ts";
import { assertDelivered } from "../contract/sink-contract.ts";
import { rabbitMqSink } from "../support/make-sink.ts";
import { MemorySource } from "../support/memory-source.ts";
import { neverStopped, range, testPipeline } from "../support/run-pipeline.ts";
import { sampleEvent, sampleOutbound } from "../support/sample-events.ts";
import { until } from "../support/until.ts";
import { OneRabbitmq } from "./support/one-rabbitmq.ts";

const signal = new AbortController().signal;
const kibibyte = 1024;

suite("what a real RabbitMQ refuses and limits", () => {
  const rabbitmq = new OneRabbitmq("limits");
  before(async () => {
    await rabbitmq.ctl("add_user", "ca", "ca-password");
    await rabbitmq.ctl("set_permissions", "-p", "/", "ca", ".*", ".*", ".*");
  });

  /** A sink of the user `ca` that declares an exchange and a quorum queue, both of this name. */
  function sinkOn(vhost: string, name: string, settings: object = {}, lines: string[] = []) {
    const entry = {
      url: `amqp://ca@${rabbitmq.host}/${vhost}?exchange=${name}`,
      password: { environment: "ca-password" },
      topology: { quorumQueues: [{ name }] },
      ...settings,
    };
    return rabbitMqSink(rabbitmq.urls, name, entry, (line) => lines.push(line));
  }

  async function openError(sink: RabbitMqSink): Promise<CertwireError> {
    const error = await sink.open(signal).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    await sink.close();
    assert.ok(error instanceof CertwireError);
    return error;
  }

  async function assertRefused(vhost: string, code: ErrorCode, text: RegExp, hint: RegExp) {
    const error = await openError(sinkOn(vhost, rabbitmq.freshName()));
    const cause = describeCause(error);
    assert.equal(error.code, code, cause);
    assert.match(cause, text);
    assert.ok(cause.includes(rabbitmq.host), cause);
    assert.match(error.hint, hint);
  }

  async function run(t: Parameters<typeof testPipeline>[0], sink: RabbitMqSink, padBytes = 0) {
    const events = range(1, 40).map((n) => sampleEvent(n, `ca/${n}`, n % 4 === 0 ? padBytes : 0));
    const running = await testPipeline(t, new MemorySource(events), sink, {
      deadLetterAfterSeconds: 3600,
      shrink: (event) => ({ ...event, data: {} }),
    });
    await running.pipeline.run(neverStopped);
    assert.equal(running.pipeline.stats().acknowledgedEvents, 40);
    await assert.rejects(running.deadLetters(), { code: "ENOENT" });
    return running;
  }

  async function assertArrived(queue: string): Promise<void> {
    assertDelivered(
      await rabbitmq.readEvents(queue),
      range(1, 40).map((n) => sampleOutbound(n, `ca/${n}`)),
    );
  }

  test("each reason to refuse a vhost is reported with the broker's own text", async () => {
    await assertRefused("none", "CERTWIRE_SINK_CONFIG", /530 .*vhost none not found/, /Create/);
    await rabbitmq.ctl("add_vhost", "pki");
    const refused = /530 .*access to vhost 'pki' refused for user 'ca'/;
    await assertRefused("pki", "CERTWIRE_SINK_AUTH", refused, /set_permissions/);
    await rabbitmq.ctl("set_permissions", "-p", "pki", "ca", ".*", ".*", ".*");
    await rabbitmq.ctl("set_vhost_limits", "-p", "pki", '{"max-connections": 0}');
    const limited = /530 .*connection limit \(0\) is reached/;
    await assertRefused("pki", "CERTWIRE_SINK_CONFIG", limited, /connection limit/);
    await rabbitmq.ctl("clear_vhost_limits", "-p", "pki");
    await rabbitmq.ctl("set_user_limits", "ca", '{"max-connections": 0}');
    await assertRefused("pki", "CERTWIRE_SINK_CONFIG", /530 .*limit/, /connection limit/);
    await rabbitmq.ctl("clear_user_limits", "ca", "all");
    await rabbitmq.ctl("eval", 'rabbit_vhost_sup_sup:stop_and_delete_vhost(<<"pki">>).');
    await assertRefused("pki", "CERTWIRE_SINK_CONFIG", /541 .*is down/, /restart_vhost/);
  });

  test("a vhost that is deleted while events flow needs someone to act, and its return ends that", async (t) => {
    const [vhost, name] = [rabbitmq.freshName(), rabbitmq.freshName()];
    await rabbitmq.ctl("add_vhost", vhost);
    await rabbitmq.ctl("set_permissions", "-p", vhost, "ca", ".*", ".*", ".*");
    const source = new MemorySource([], { tail: true });
    const { pipeline, logLines } = await testPipeline(t, source, sinkOn(vhost, name));
    const stop = new AbortController();
    const running = pipeline.run(stop.signal);
    let sent = 0;
    const feed = setInterval(() => source.push(sampleEvent(++sent, `ca/${sent % 5}`)), 5);
    t.after(() => clearInterval(feed));
    t.after(() => stop.abort());
    await until(() => pipeline.stats().acknowledgedEvents > 20, "events are published");
    await rabbitmq.ctl("delete_vhost", vhost);
    // While the broker takes the vhost down it gives other reasons first.
    const isMissed = () =>
      pipeline.stats().state === "alarm" &&
      logLines.some(({ kind, hint }) => kind === "config" && /Create the vhost/.test(String(hint)));
    await until(isMissed, "the vhost is missed");
    await rabbitmq.ctl("add_vhost", vhost);
    await rabbitmq.ctl("set_permissions", "-p", vhost, "ca", ".*", ".*", ".*");
    clearInterval(feed);
    await until(() => pipeline.stats().acknowledgedEvents === sent, "all is acknowledged");
    stop.abort();
    await running;
  });

  test("with channel_max below `lanes` all lanes publish", async (t) => {
    const name = rabbitmq.freshName();
    await rabbitmq.ctl("eval", "application:set_env(rabbit, channel_max, 2).");
    t.after(() => rabbitmq.ctl("eval", "application:set_env(rabbit, channel_max, 2047)."));
    const { pipeline } = await run(t, sinkOn("", name));
    assert.equal(pipeline.stats().lanes, 2);
    assert.equal(pipeline.stats().failures.reset, 0);
    await assertArrived(name);
  });

  test("with max-channels of the user there are as many lanes, and the connection stays", async (t) => {
    const [name, lines] = [rabbitmq.freshName(), [] as string[]];
    await rabbitmq.ctl("set_user_limits", "ca", '{"max-channels": 2}');
    t.after(() => rabbitmq.ctl("clear_user_limits", "ca", "all"));
    const { pipeline } = await run(t, sinkOn("", name, {}, lines));
    assert.equal(pipeline.stats().lanes, 2);
    assert.equal(pipeline.stats().failures.reset, 0);
    const warnings = lines.filter((line) => JSON.parse(line).level >= 40);
    assert.equal(warnings.length, 1, warnings.join(""));
    await assertArrived(name);
  });

  test("a user without any channel is a configuration error", async (t) => {
    await rabbitmq.ctl("set_user_limits", "ca", '{"max-channels": 0}');
    t.after(() => rabbitmq.ctl("clear_user_limits", "ca", "all"));
    const error = await openError(sinkOn("", rabbitmq.freshName()));
    assert.equal(error.exitCode, 78);
    assert.match(describeCause(error), /maximum allowed user limit of \(0\)/);
    assert.match(error.hint, /max-channels/);
  });

  test("max_message_size makes events smaller and no dead letter", async (t) => {
    const name = rabbitmq.freshName();
    const setLimit = (bytes: number) =>
      rabbitmq.ctl(
        "eval",
        `application:set_env(rabbit, max_message_size, ${bytes}), persistent_term:put(max_message_size, ${bytes}).`,
      );
    await setLimit(100 * kibibyte);
    t.after(() => setLimit(128 * kibibyte * kibibyte));
    const sink = sinkOn("", name);
    const { pipeline, logLines } = await run(t, sink, 200 * kibibyte);
    assert.equal(sink.limits.maxEventBytes, 100 * kibibyte);
    assert.equal(pipeline.stats().relayouts, 1);
    assert.ok(logLines.length < 20, `${logLines.length} lines`);
    await assertArrived(name);
  });

  test("an exchange or a queue that differs is a configuration error that names the argument", async () => {
    const [exchange, classic, limited] = [
      rabbitmq.freshName(),
      rabbitmq.freshName(),
      rabbitmq.freshName(),
    ];
    await rabbitmq.withChannel(async (channel) => {
      await channel.assertExchange(exchange, "direct");
      await channel.assertQueue(classic, { durable: true });
      const quorum = { "x-queue-type": "quorum", "x-delivery-limit": 7 };
      await channel.assertQueue(limited, { durable: true, arguments: quorum });
    });
    const wrong = { topology: { quorumQueues: [{ name: limited, deliveryLimit: 5 }] } };
    for (const [sink, hint] of [
      [sinkOn("", exchange), /exchange "limits-\d+" exists with another type/],
      [sinkOn("", classic), /queue "limits-\d+" exists with another x-queue-type/],
      [sinkOn("", limited, wrong), /x-delivery-limit \(deliveryLimit\)/],
    ] as const) {
      const error = await openError(sink);
      assert.equal(error.exitCode, 78);
      assert.match(describeCause(error), /406 .*inequivalent arg/);
      assert.match(error.hint, hint);
    }
  });

  test("the broker takes a delivery limit with a dead-letter exchange, and uses both", async () => {
    const [name, dead] = [rabbitmq.freshName(), rabbitmq.freshName()];
    const queue = { name, deliveryLimit: 1, deadLetterExchange: dead };
    const sink = sinkOn("", name, { lanes: 1, topology: { quorumQueues: [queue] } });
    assert.match((await openError(sink)).hint, /exchange/, "there is none yet");
    await rabbitmq.withChannel(async (channel) => {
      await channel.assertExchange(dead, "fanout");
      await channel.assertQueue(dead, { durable: true });
      await channel.bindQueue(dead, dead, "");
      await sink.open(signal);
      const event = sampleOutbound(1);
      assert.deepEqual(await sink.publish(0, [event], signal), { acknowledged: 1 });
      await channel.consume(name, (message) => message && channel.nack(message));
      const found = await until(() => channel.get(dead, { noAck: true }), "the event is there");
      assert.deepEqual(found.content, event.json);
    });
    await sink.close();
  });
});
