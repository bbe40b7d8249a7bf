import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { describeCause } from "../../../../src/errors/describe-cause.ts";
import {
  type Confirms,
  type FakeOptions,
  startFakeRabbitMq,
} from "../../../support/fake-rabbitmq.ts";
import { rabbitMqSink } from "../../../support/make-sink.ts";
import { sampleOutbound } from "../../../support/sample-events.ts";
import { settled, until } from "../../../support/until.ts";

const signal = new AbortController().signal;
const queueDeclare = "50.10";

async function setUp(
  t: TestContext,
  { lanes = 2, ...queue }: { readonly lanes?: number } & Record<string, unknown>,
  options: FakeOptions = {},
  confirms: Confirms = () => true,
) {
  const broker = await startFakeRabbitMq(confirms, options);
  const lines: { level: number; msg: string }[] = [];
  const settings = { lanes, topology: { quorumQueues: [{ name: "inventory", ...queue }] } };
  const sink = rabbitMqSink([broker.url], "events", settings, (line) =>
    lines.push(JSON.parse(line)),
  );
  t.after(async () => {
    await sink.close();
    broker.stop();
  });
  const declarations = () =>
    broker
      .requests()
      .filter(({ method }) => method === queueDeclare)
      .map(({ text }) => text);
  const warnings = () => lines.filter(({ level }) => level >= 40).map(({ msg }) => msg);
  return { broker, sink, declarations, warnings };
}

/** A broker on which the queue exists with another value of an argument. */
function existing(argument: string): Pick<FakeOptions, "refuse"> {
  const refuse: FakeOptions["refuse"] = ({ method, text }) =>
    method === queueDeclare && text.includes(argument)
      ? {
          closes: "channel",
          replyCode: 406,
          replyText: `PRECONDITION_FAILED - inequivalent arg '${argument}' for queue 'inventory' in vhost '/': received the value '-1' of type 'signedint' but current is none`,
        }
      : undefined;
  return { refuse };
}

test("on RabbitMQ 4 a queue is declared without its limit of 20, on RabbitMQ 3 as it is", async (t) => {
  for (const [version, isUnlimited] of [
    ["4.0.5", true],
    ["4.2.0-rc.1", true],
    ["3.13.7", false],
    ["3.10.8", false],
  ] as const) {
    const { sink, declarations, warnings } = await setUp(t, {}, { version });
    await sink.open(signal);
    const [declaration = "", ...others] = declarations();
    assert.equal(others.length, 0);
    // A signed number of one byte: -1.
    assert.equal(declaration.includes("x-delivery-limitb\xff"), isUnlimited, version);
    assert.equal(declaration.includes("x-delivery-limit"), isUnlimited, version);
    assert.deepEqual(warnings(), []);
  }
});

test("a queue that exists with the default limit keeps it, with a warning", async (t) => {
  const options = { version: "4.0.5", channelMax: 1, ...existing("x-delivery-limit") };
  const { sink, declarations, warnings } = await setUp(t, {}, options);
  await sink.open(signal);
  assert.equal(declarations().length, 2);
  assert.ok(warnings().includes("the queue has a delivery limit of its own"));
  const finding =
    'queue "inventory" has a delivery limit: the broker removes events that are returned more often';
  assert.equal(sink.findings.at(-1)?.message, finding);
  const event = sampleOutbound(1);
  assert.deepEqual(await sink.publish(0, [event], signal), { acknowledged: 1 });
});

test("a queue with the default limit is one finding and one warning, however often the sink connects", async (t) => {
  const options = { version: "4.0.5", ...existing("x-delivery-limit") };
  const { broker, sink, declarations, warnings } = await setUp(t, { lanes: 1 }, options);
  const event = sampleOutbound(1);
  await sink.open(signal);
  broker.close(320, "CONNECTION_FORCED");
  await until(async () => {
    await sink.publish(0, [event], signal);
    return broker.connections() === 2;
  }, "the sink has connected again");
  await sink.open(signal);
  assert.equal(declarations().length, 6);
  assert.equal(sink.findings.length, 1);
  const limits = warnings().filter((text) => text === "the queue has a delivery limit of its own");
  assert.equal(limits.length, 1);
});

test("a limit that was asked for is not given up: another one is a configuration error", async (t) => {
  const options = { version: "4.0.5", ...existing("x-delivery-limit") };
  const { sink } = await setUp(t, { deliveryLimit: 5 }, options);
  await assert.rejects(sink.open(signal), (error) => {
    assert.equal(Object(error).exitCode, 78);
    assert.match(Object(error).hint, /x-delivery-limit \(deliveryLimit\)/);
    assert.match(describeCause(error), /inequivalent arg 'x-delivery-limit'/);
    return true;
  });
});

test("a stream that takes a part of the events is a finding before RabbitMQ 4", async (t) => {
  const stream = (bindingKey?: string) => ({ name: "all", maxAge: "7D", bindingKey });
  for (const [version, key, found] of [
    ["3.13.7", "certificate.*", 1],
    ["3.13.7", undefined, 0],
    ["4.0.5", "certificate.*", 0],
  ] as const) {
    const broker = await startFakeRabbitMq(() => true, { version });
    const settings = { lanes: 1, topology: { stream: stream(key) } };
    const sink = rabbitMqSink([broker.url], "events", settings);
    t.after(() => broker.stop());
    await sink.open(signal);
    const messages = sink.findings.map(({ message }) => message);
    assert.equal(messages.length, found, `${version} ${key}`);
    if (found > 0) assert.match(messages[0] ?? "", /stream "all" does not take every event/);
    await sink.close();
  }
});

test("events go to the dead-letter exchange at least once", async (t) => {
  const queue = { deliveryLimit: 5, deadLetterExchange: "dead" };
  const { sink, declarations, broker } = await setUp(t, queue);
  await sink.open(signal);
  const [declaration = ""] = declarations();
  assert.ok(declaration.includes("x-delivery-limitb\x05"));
  assert.match(declaration, /x-dead-letter-exchangeS.{4}dead/s);
  assert.match(declaration, /x-dead-letter-strategyS.{4}at-least-once/s);
  assert.match(declaration, /x-overflowS.{4}reject-publish/s);
  const checked = broker.requests().find(({ text }) => text.includes("\x04dead"));
  assert.equal(checked?.method, "40.10", "the dead-letter exchange is looked for first");
});

test("a dead-letter exchange that does not exist is a configuration error", async (t) => {
  const { sink, declarations } = await setUp(
    t,
    { deadLetterExchange: "dead" },
    {
      refuse: ({ method, text }) =>
        method === "40.10" && text.includes("\x04dead")
          ? {
              closes: "channel",
              replyCode: 404,
              replyText: "NOT_FOUND - no exchange 'dead' in vhost '/'",
            }
          : undefined,
    },
  );
  await assert.rejects(sink.open(signal), { code: "CERTWIRE_SINK_CONFIG" });
  assert.deepEqual(declarations(), [], "no queue that drops events is declared");
});

test("while exchange and queues are declared no other lane publishes", async (t) => {
  let binds = 0;
  let deleted = 2;
  const { sink, broker } = await setUp(
    t,
    { lanes: 3 },
    {
      refuse: ({ method }) => {
        // The second declaration stops before its binding.
        if (method === "50.20" && ++binds === 2) return "silent";
        if (method !== "60.40" || deleted === 0) return undefined;
        deleted -= 1;
        const replyText = "NOT_FOUND - no exchange 'events' in vhost '/'";
        return { closes: "channel", replyCode: 404, replyText };
      },
    },
  );
  await sink.open(signal);
  for (const lane of [0, 2]) {
    const { failure } = await sink.publish(lane, [sampleOutbound(lane)], signal);
    assert.equal(failure?.kind, "config");
  }
  const stop = new AbortController();
  const publish = (lane: number) => sink.publish(lane, [sampleOutbound(lane)], stop.signal);
  const published = broker.messages();
  const opened = () => broker.requests().filter(({ method }) => method === "85.10").length;
  const preparing = publish(0);
  await until(() => binds === 2, "the topology is declared again");
  const before = opened();
  const waiting = publish(1);
  // Its channel needs an answer of the broker, so what lane 1 sends has arrived by then.
  const opening = publish(2);
  await until(() => opened() > before, "another channel is open");
  assert.equal(broker.messages(), published);
  stop.abort();
  const outcomes = await settled(Promise.all([preparing, waiting, opening]), "all were stopped");
  assert.ok(outcomes.every(({ acknowledged }) => acknowledged === 0));
  assert.equal(broker.messages(), published, "nothing was published in between");
});

test("a queue that was deleted is declared again after a return, at most once a minute", async (t) => {
  const clock = { ms: 0 };
  t.mock.method(performance, "now", () => clock.ms);
  let exists = false;
  const { sink, declarations } = await setUp(
    t,
    { lanes: 2 },
    {
      // The lanes have all the channels that there are.
      channelMax: 2,
      refuse: ({ method }) => {
        if (method === queueDeclare) exists = true;
        return undefined;
      },
    },
    () => exists || "return",
  );
  const publish = async (lane = 0) => {
    const { acknowledged, failure } = await sink.publish(lane, [sampleOutbound(1)], signal);
    return acknowledged === 1 ? "stored" : failure?.kind;
  };
  await sink.open(signal);
  assert.equal(await publish(), "stored");
  exists = false;
  assert.equal(await publish(), "unroutable");
  assert.equal(await publish(), "unroutable");
  assert.equal(declarations().length, 1, "it was declared within the last minute");
  clock.ms += 60_000;
  assert.equal(await publish(), "unroutable");
  assert.equal(await publish(1), "unroutable", "the other lane leaves it to the first");
  assert.equal(await publish(), "stored");
  assert.equal(await publish(1), "stored");
  assert.equal(declarations().length, 2);
  exists = false;
  assert.equal(await publish(), "unroutable");
  assert.equal(await publish(), "unroutable");
  assert.equal(declarations().length, 2, "the next time is a minute later");
});

test("an event whose queue cannot be declared again waits, and the lanes go on", async (t) => {
  for (const [replyCode, kind] of [
    [403, "auth"],
    [406, "config"],
  ] as const) {
    const clock = { ms: 0 };
    const { mock } = t.mock.method(performance, "now", () => clock.ms);
    let isRefused = false;
    let isRoutable = true;
    const { sink, declarations, warnings } = await setUp(
      t,
      { lanes: 2 },
      {
        // The lanes have all the channels that there are.
        channelMax: 2,
        refuse: ({ method }) =>
          isRefused && method === queueDeclare
            ? { closes: "channel", replyCode, replyText: "refused" }
            : undefined,
      },
      () => isRoutable || "return",
    );
    const publish = async (lane = 0) => {
      const { acknowledged, failure } = await sink.publish(lane, [sampleOutbound(1)], signal);
      return acknowledged === 1 ? "stored" : failure?.kind;
    };
    await sink.open(signal);
    clock.ms += 60_000;
    isRefused = true;
    isRoutable = false;
    assert.equal(await publish(), "unroutable");
    assert.equal(await publish(), kind, "no missing right makes a dead letter");
    assert.equal(await publish(1), kind);
    isRoutable = true;
    assert.equal(await publish(), "stored");
    assert.equal(await publish(1), "stored");
    assert.equal(declarations().length, 2);
    assert.deepEqual(warnings(), ["cannot declare the topology again"]);
    isRefused = false;
    isRoutable = false;
    clock.ms += 60_000;
    assert.equal(await publish(), kind, "the refusal that is known");
    assert.equal(await publish(), "unroutable", "it could be declared again");
    mock.restore();
  }
});
