import assert from "node:assert/strict";
import { test } from "node:test";
import pino from "pino";
import { CertwireError } from "../../../../src/errors/certwire-error.ts";
import { describeCause } from "../../../../src/errors/describe-cause.ts";
import {
  rabbitmqSinkOptions,
  resolveRabbitMqSink,
} from "../../../../src/sinks/rabbitmq/options.ts";
import { RabbitMqSink } from "../../../../src/sinks/rabbitmq/sink.ts";
import { startFakeRabbitMq } from "../../../support/fake-rabbitmq.ts";
import { rabbitMqSink } from "../../../support/make-sink.ts";
import { MemorySource } from "../../../support/memory-source.ts";
import { range, testPipeline } from "../../../support/run-pipeline.ts";
import { sampleEvent, sampleOutbound } from "../../../support/sample-events.ts";
import { settled, turns, until } from "../../../support/until.ts";

const signal = new AbortController().signal;
const connectionOpen = "10.40";
const connectionClose = "10.50";
const basicPublish = "60.40";
const channelOpen = "20.10";
const channelClose = "20.40";
const exchangeDeclare = "40.10";

test("a connection without confirms ends once for all lanes, and the next one is left alone", async (t) => {
  const clock = { ms: 0 };
  t.mock.method(performance, "now", () => clock.ms);
  const broker = await startFakeRabbitMq((connection) => connection > 1);
  const settings = { lanes: 2, confirmTimeoutMs: 1000 };
  const sink = rabbitMqSink([broker.url], "events", settings);
  t.after(async () => {
    await sink.close();
    broker.stop();
  });
  await sink.open(signal);
  const first = sink.publish(0, [sampleOutbound(1)], signal);
  await until(() => broker.messages() === 1, "the first lane waits for its confirm");
  clock.ms = 600;
  const second = sink.publish(1, [sampleOutbound(2)], signal);
  await until(() => broker.messages() === 2, "the second lane waits for its confirm");
  // The time of the first lane is over, that of the second never will be.
  clock.ms = 1100;
  const outcomes = await settled(Promise.all([first, second]), "both lanes have given up");
  assert.deepEqual(
    outcomes.map(({ failure }) => failure?.kind),
    ["reset", "reset"],
  );
  assert.deepEqual(await sink.publish(0, [sampleOutbound(1)], signal), { acknowledged: 1 });
  assert.deepEqual(await sink.publish(1, [sampleOutbound(2)], signal), { acknowledged: 1 });
  assert.equal(broker.connections(), 2);
});

test("a blocked sink says so, and closes without waiting for a broker that reads nothing", async (t) => {
  const broker = await startFakeRabbitMq(() => false);
  t.after(() => broker.stop());
  const sink = rabbitMqSink([broker.url], "events", { lanes: 2 });
  await sink.open(signal);
  assert.equal(sink.isBlocked, false);
  const stop = new AbortController();
  const publishing = [0, 1].map((lane) => sink.publish(lane, [sampleOutbound(lane)], stop.signal));
  await until(() => broker.messages() === 2, "both lanes wait for a confirm");
  broker.block();
  await until(() => sink.isBlocked, "the sink knows");
  // Nothing that waits for a time comes to an end.
  t.mock.timers.enable({ apis: ["setTimeout"] });
  stop.abort();
  await Promise.all(publishing);
  await sink.close();
  t.mock.timers.reset();
  assert.equal(sink.isBlocked, false);
});

for (const [replyCode, replyText] of [
  [320, "CONNECTION_FORCED - broker forced connection closure"],
  [541, "INTERNAL_ERROR - please try again later"],
] as const) {
  test(`a connection that ends with ${replyCode} in the same read as it opened is made again`, async (t) => {
    const ended = new Set([1, 3]);
    const broker = await startFakeRabbitMq(() => true, {
      append: ({ connection, method }) =>
        method === connectionOpen && ended.has(connection)
          ? { closes: "connection", replyCode, replyText }
          : undefined,
    });
    const sink = rabbitMqSink([broker.url], "events");
    t.after(async () => {
      await sink.close();
      broker.stop();
    });
    await assert.rejects(sink.open(signal), (error) => {
      assert.equal(Object(error).code, "CERTWIRE_SINK_UNREACHABLE");
      assert.match(describeCause(error), new RegExp(replyText));
      return true;
    });
    await sink.open(signal);
    const event = sampleOutbound(1);
    broker.close(320, "CONNECTION_FORCED - Closed via management plugin");
    await until(async () => {
      const { failure } = await sink.publish(sink.laneOf(event), [event], signal);
      return new RegExp(replyText).test(describeCause(failure?.cause));
    }, "the third connection has ended as it opened");
    assert.deepEqual(await sink.publish(sink.laneOf(event), [event], signal), { acknowledged: 1 });
    assert.equal(broker.connections(), 4);
  });
}

test("a stop while the last channel opens leaves no connection", async (t) => {
  const stop = new AbortController();
  const broker = await startFakeRabbitMq(() => true, {
    refuse: ({ method }) => {
      if (method === exchangeDeclare) stop.abort();
      return undefined;
    },
  });
  t.after(() => broker.stop());
  const sink = rabbitMqSink([broker.url], "events", { lanes: 1 });
  await assert.rejects(sink.open(stop.signal), CertwireError);
  assert.equal(sink.lanes, 0);
  const closes = broker.requests().filter(({ method }) => method === connectionClose);
  assert.equal(closes.length, 1);
});

test("a connection that is blocked in the same read as it opened says so", async (t) => {
  const broker = await startFakeRabbitMq(() => true, {
    append: ({ method }) => (method === connectionOpen ? "blocked" : undefined),
  });
  const sink = rabbitMqSink([broker.url], "events");
  t.after(async () => {
    await sink.close();
    broker.stop();
  });
  await sink.open(signal);
  assert.equal(sink.isBlocked, true);
});

test("a sink says that the broker blocks it while it still opens its channels", async () => {
  const broker = await startFakeRabbitMq(() => true, {
    append: ({ method }) => (method === connectionOpen ? "blocked" : undefined),
    refuse: ({ method }) => (method === channelOpen ? "silent" : undefined),
  });
  const sink = rabbitMqSink([broker.url], "events");
  const opening = sink.open(signal);
  const refused = assert.rejects(opening, CertwireError);
  await until(() => sink.isBlocked, "the sink knows");
  broker.stop();
  await refused;
  assert.equal(sink.isBlocked, false);
  await sink.close();
});

test("a broker that closes every connection after an event takes few lines", async (t) => {
  const broker = await startFakeRabbitMq(() => true);
  t.after(() => broker.stop());
  // However long this takes, no minute is over after which the repeats are logged.
  t.mock.timers.enable({ apis: ["setInterval"] });
  const lines: { msg: string; repeated?: number }[] = [];
  const sink = rabbitMqSink([broker.url], "events", { lanes: 1 }, (line) =>
    lines.push(JSON.parse(line)),
  );
  const lost = () => lines.filter(({ msg }) => msg === "connection lost");
  await sink.open(signal);
  const ends = 20;
  for (let connection = 1; connection <= ends; connection += 1) {
    await until(async () => {
      await sink.publish(0, [sampleOutbound(connection)], signal);
      return broker.connections() === connection;
    }, "the sink has connected again");
    broker.close(320, "CONNECTION_FORCED");
  }
  assert.equal(lost().length, 1);
  await until(async () => {
    await sink.publish(0, [sampleOutbound(0)], signal);
    return broker.connections() === ends + 1;
  }, "the sink has noticed the last end");
  await sink.close();
  assert.deepEqual(
    lost().map(({ repeated }) => repeated),
    [undefined, ends - 1],
  );
});

test("a pipeline stops although the broker blocks it", async (t) => {
  const broker = await startFakeRabbitMq(() => false);
  t.after(() => broker.stop());
  const sink = rabbitMqSink([broker.url], "events");
  const events = range(1, 20).map((n) => sampleEvent(n, `ca/${n}`));
  const { pipeline } = await testPipeline(t, new MemorySource(events, { tail: true }), sink);
  const stop = new AbortController();
  const running = pipeline.run(stop.signal);
  await until(() => broker.messages() > 0, "events are on their way");
  broker.block();
  await until(() => sink.isBlocked, "the sink knows");
  stop.abort();
  // The drain alone would take as long as this waits.
  await settled(running, "the pipeline has stopped");
  assert.equal(pipeline.stats().acknowledgedEvents, 0);
});

test("the password is read for each connection, and one that cannot be read is a retried failure", async (t) => {
  const broker = await startFakeRabbitMq(() => true);
  t.after(() => broker.stop());
  let password: string | undefined = "old";
  const entry = rabbitmqSinkOptions.parse({
    name: "r",
    url: broker.url.replace("amqp://", "amqp://ca@"),
    password: { file: "password.txt" },
  });
  const context = {
    baseDirectory: "/",
    secret: () => {
      if (password !== undefined) return password;
      throw new CertwireError("CERTWIRE_CONFIG_INVALID", "ENOENT", { hint: "write it" });
    },
  };
  const sink = new RabbitMqSink(resolveRabbitMqSink(entry, context), pino({ level: "silent" }));
  await sink.open(signal);
  password = undefined;
  await assert.rejects(sink.open(signal), { code: "CERTWIRE_SINK_CONFIG", hint: "write it" });
  password = "new";
  await sink.open(signal);
  await sink.close();
  const logins = broker.requests().filter(({ method }) => method === "10.11");
  assert.deepEqual(
    logins.map(({ text }) => /\0ca\0(old|new)/.exec(text)?.[1]),
    ["old", "new"],
  );
});

test("a connection that ends while a lane closes its channel is made again", async (t) => {
  let returns = 1;
  const broker = await startFakeRabbitMq(() => (returns-- > 0 ? "return" : true), {
    refuse: ({ connection, method }) =>
      connection === 1 && method === channelClose
        ? { closes: "connection", replyCode: 541, replyText: "INTERNAL_ERROR" }
        : undefined,
  });
  const sink = rabbitMqSink([broker.url], "events", { lanes: 1 });
  t.after(async () => {
    await sink.close();
    broker.stop();
  });
  await sink.open(signal);
  const publish = () => settled(sink.publish(0, [sampleOutbound(1)], signal), "the publish ended");
  const { failure } = await publish();
  assert.equal(failure?.kind, "unroutable");
  assert.deepEqual(await publish(), { acknowledged: 1 });
  assert.equal(broker.connections(), 2);
});

for (const [about, silentAt] of [
  ["opening", channelOpen],
  ["closing", channelClose],
] as const) {
  test(`a broker that does not answer the ${about} of a channel loses its connection after three minutes`, async (t) => {
    let isSilent = false;
    const broker = await startFakeRabbitMq((connection) => (connection === 1 ? "return" : true), {
      refuse: ({ connection, method }) => {
        if (connection !== 1 || method !== silentAt || broker.messages() === 0) return undefined;
        isSilent = true;
        return "silent";
      },
    });
    const sink = rabbitMqSink([broker.url], "events", { lanes: 1 });
    t.after(async () => {
      t.mock.timers.reset();
      await sink.close();
      broker.stop();
    });
    await sink.open(signal);
    t.mock.timers.enable({ apis: ["setTimeout"] });
    // The first event is returned, so that the lane closes its channel, and opens another for the second.
    const publishing = (async () => [
      await sink.publish(0, [sampleOutbound(1)], signal),
      await sink.publish(0, [sampleOutbound(2)], signal),
      await sink.publish(0, [sampleOutbound(3)], signal),
    ])();
    await until(() => isSilent, "the broker is silent");
    t.mock.timers.tick(179_999);
    await turns();
    assert.equal(broker.connections(), 1);
    t.mock.timers.tick(1);
    const [first, second, third] = await settled(publishing, "the publishes have ended");
    assert.equal(first?.failure?.kind, "unroutable");
    if (silentAt === channelOpen) {
      assert.equal(second?.failure?.kind, "reset");
      assert.match(describeCause(second?.failure?.cause), /did not answer within 180 s/);
    } else assert.deepEqual(second, { acknowledged: 1 });
    assert.deepEqual(third, { acknowledged: 1 });
    assert.equal(broker.connections(), 2);
  });
}

test("a broker that blocks the connection may leave the close of a channel unanswered", async (t) => {
  const broker = await startFakeRabbitMq(() => "return", {
    refuse: ({ method }) => (method === channelClose ? "silent" : undefined),
  });
  const sink = rabbitMqSink([broker.url], "events", { lanes: 1 });
  await sink.open(signal);
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { failure } = await sink.publish(0, [sampleOutbound(1)], signal);
  assert.equal(failure?.kind, "unroutable");
  const stop = new AbortController();
  const publishing = sink.publish(0, [sampleOutbound(1)], stop.signal);
  const isClosing = () => broker.requests().some(({ method }) => method === channelClose);
  await until(isClosing, "the broker is asked to close the channel");
  broker.block();
  await until(() => sink.isBlocked, "the sink knows");
  for (let minute = 0; minute < 10; minute += 1) {
    t.mock.timers.tick(60_000);
    await turns();
  }
  assert.equal(sink.isBlocked, true);
  assert.equal(broker.connections(), 1);
  stop.abort();
  await publishing;
  t.mock.timers.reset();
  await sink.close();
  broker.stop();
});

for (const [version, channels, batches] of [
  ["3.10.8", 3, range(1, 25).map(() => 100)],
  ["3.10.8", 3, [499, 500, 500, 999, 2]],
  ["3.10.8", 3, [2500]],
  ["4.0.5", 1, [2500]],
] as const) {
  const title = `a lane of RabbitMQ ${version} uses ${channels} channels for 2,500 events in batches of ${[...new Set(batches)].join()}`;
  test(title, async (t) => {
    const broker = await startFakeRabbitMq(() => true, { version });
    const sink = rabbitMqSink([broker.url], "events", { lanes: 1 });
    t.after(async () => {
      await sink.close();
      broker.stop();
    });
    await sink.open(signal);
    let last = 0;
    for (const size of batches) {
      const batch = range(last + 1, last + size).map((n) => sampleOutbound(n));
      assert.deepEqual(await sink.publish(0, batch, signal), { acknowledged: size });
      last += size;
    }
    const perChannel: number[] = [];
    for (const { method } of broker.requests()) {
      if (method === channelOpen) perChannel.push(0);
      if (method === basicPublish) perChannel.push((perChannel.pop() ?? 0) + 1);
    }
    assert.equal(perChannel.length, channels);
    assert.equal(
      last,
      perChannel.reduce((sum, count) => sum + count),
    );
    if (channels > 1)
      assert.ok(
        perChannel.every((count) => count <= 1000),
        perChannel.join(),
      );
    assert.ok(broker.requests().every((request) => request.channels <= 1));
  });
}

test("a sink that publishes nothing knows that its connection has ended and why, and makes another", async (t) => {
  let isRefused = false;
  const refusal = {
    closes: "connection",
    replyCode: 530,
    replyText: "NOT_ALLOWED - down",
  } as const;
  const broker = await startFakeRabbitMq(() => true, {
    refuse: ({ method }) => (isRefused && method === connectionOpen ? refusal : undefined),
  });
  const sink = rabbitMqSink([broker.url], "events", { lanes: 2 });
  t.after(async () => {
    await sink.close();
    broker.stop();
  });
  await sink.open(signal);
  const failure = () => sink.connectionFailure;
  assert.equal(failure(), undefined);
  broker.cut();
  await until(() => failure() !== undefined, "the end is known");
  assert.equal(failure()?.kind, "reset");
  isRefused = true;
  sink.reconnect();
  sink.reconnect();
  await until(() => /NOT_ALLOWED/.test(describeCause(failure()?.cause)), "the reason is known", {
    state: () => failure(),
  });
  assert.equal(broker.connections(), 2);
  isRefused = false;
  sink.reconnect();
  await until(() => failure() === undefined, "there is a connection again");
  assert.deepEqual(await sink.publish(0, [sampleOutbound(1)], signal), { acknowledged: 1 });
  assert.equal(broker.connections(), 3);
  await sink.close();
  assert.equal(failure(), undefined);
});
