import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { readStream, streamTarget } from "../../../src/cli/verify/rabbitmq-stream.ts";
import { Tally } from "../../../src/cli/verify/tally.ts";
import { Findings } from "../../../src/evidence/finding.ts";
import {
  type FakeOptions,
  type FakeRequest,
  startFakeRabbitMq,
} from "../../support/fake-rabbitmq.ts";
import { FakeStream } from "../../support/fake-stream.ts";
import { sampleEvent } from "../../support/sample-events.ts";
import { settled, until } from "../../support/until.ts";

const consume = "60.20";

async function setUp(t: TestContext, options: FakeOptions = {}) {
  const stream = new FakeStream();
  const broker = await startFakeRabbitMq(() => true, { stream, ...options });
  t.after(() => broker.stop());
  const stop = new AbortController();
  const tally = new Tally("message", new Findings());
  const read = () =>
    readStream(
      streamTarget(`${broker.url}/?stream=s`, { mechanism: "plain" }, "verify"),
      tally,
      0,
      stop.signal,
    );
  const asked = (method: string) => () =>
    broker.requests().some((request) => request.method === method);
  return { stream, broker, stop, tally, read, asked };
}

function silentAt(...methods: readonly string[]): FakeOptions {
  return { refuse: ({ method }: FakeRequest) => (methods.includes(method) ? "silent" : undefined) };
}

test("a stream is read to its end", async (t) => {
  const { stream, tally, read } = await setUp(t);
  stream.append(...[1, 2, 3].map((n) => JSON.stringify(sampleEvent(n))));
  await settled(read(), "the stream is read");
  assert.equal(tally.read, 3);
});

test("a broker that closes the connection as it opens is an error of the command", async (t) => {
  const { read } = await setUp(t, {
    append: ({ method }) =>
      method === "10.40"
        ? { closes: "connection", replyCode: 541, replyText: "INTERNAL_ERROR" }
        : undefined,
  });
  const reading = settled(read(), "the reading has ended");
  await assert.rejects(reading, { code: "CERTWIRE_CONSUMER_UNREACHABLE", message: /541/ });
});

for (const [about, method] of [
  ["opens no channel", "20.10"],
  ["grants no prefetch", "60.10"],
  ["accepts no consumer", consume],
  ["does not say how much the stream holds", "50.10"],
] as const) {
  test(`verifying a stream stops although the broker ${about}`, async (t) => {
    const { stream, stop, read, asked } = await setUp(t, silentAt(method));
    stream.append(JSON.stringify(sampleEvent(1)));
    const reading = read();
    await until(asked(method), "the broker is asked");
    stop.abort();
    await settled(reading, "the reading has stopped");
  });

  test(`verifying a stream fails when the broker ${about}`, async (t) => {
    const { stream, read, asked } = await setUp(t, silentAt(method));
    stream.append(JSON.stringify(sampleEvent(1)));
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const reading = read();
    reading.catch(() => undefined);
    await until(asked(method), "the broker is asked");
    t.mock.timers.tick(60_000);
    t.mock.timers.reset();
    const code = "CERTWIRE_CONSUMER_UNREACHABLE";
    await assert.rejects(settled(reading, "it has failed"), { code, message: /within 60 s/ });
  });
}

test("verifying a stream stops during the handshake of its broker", async (t) => {
  const { stop, read, asked } = await setUp(t, silentAt("10.40"));
  const reading = read();
  await until(asked("10.40"), "the broker is asked");
  stop.abort();
  await settled(reading, "the reading has stopped");
});

test("a stream that has messages and hands out none is not taken for an empty one", async (t) => {
  const { stream, read } = await setUp(t);
  stream.append(JSON.stringify(sampleEvent(1)));
  stream.isSilent = true;
  const code = "CERTWIRE_CONSUMER_UNREACHABLE";
  await assert.rejects(settled(read(), "it has failed"), { code, message: /gives no message/ });
});
