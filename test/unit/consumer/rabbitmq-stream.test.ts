import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type ConsumerLogger, silentLogger } from "../../../src/consumer/logger.ts";
import { MemoryOffsets, type OffsetStore } from "../../../src/consumer/rabbitmq/offset-store.ts";
import {
  type RabbitMqStreamOptions,
  rabbitMqStream,
} from "../../../src/consumer/rabbitmq/stream-source.ts";
import {
  type FakeOptions,
  type FakeRequest,
  startFakeRabbitMq,
} from "../../support/fake-rabbitmq.ts";
import { FakeStream } from "../../support/fake-stream.ts";
import { RunningConsumer } from "../../support/running-consumer.ts";
import { sampleEvent, sequenceOf } from "../../support/sample-events.ts";
import { settled, until } from "../../support/until.ts";

const shorter = /^the stream ends before the place of this consumer/;

function texts(from: number, to: number): string[] {
  const numbers = range(from, to);
  return numbers.map((n) => JSON.stringify(sampleEvent(n, `ca/${n}`)));
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, at) => from + at);
}

async function setUp(t: TestContext, options: FakeOptions = {}) {
  const stream = new FakeStream();
  const broker = await startFakeRabbitMq(() => true, { ...options, stream });
  t.after(() => broker.stop());
  const offsets = new MemoryOffsets();
  const source = (more: Partial<RabbitMqStreamOptions> = {}) =>
    rabbitMqStream({ connection: broker.url, stream: "s", offsets, ...more });
  return { stream, broker, offsets, source };
}

function untilSaved(offsets: OffsetStore, offset: bigint): Promise<boolean> {
  return until<boolean>(async () => (await offsets.load()) === offset, `offset ${offset} is saved`);
}

function untilLogged(run: RunningConsumer, message: RegExp | string): Promise<void> {
  const isLogged = () => logged(run, message).length > 0;
  return run.until(isLogged, `it is logged: ${message}`);
}

function logged(run: RunningConsumer, message: RegExp | string) {
  return run.lines.filter(({ msg }) =>
    typeof message === "string" ? msg === message : message.test(String(msg)),
  );
}

function sequences(run: RunningConsumer): number[] {
  return run.events.map(sequenceOf).toSorted((a, b) => a - b);
}

/** A store in memory that notes each save. */
class NotedOffsets implements OffsetStore {
  readonly saves: bigint[];

  constructor(saves: readonly bigint[] = []) {
    this.saves = [...saves];
  }

  async load(): Promise<bigint | undefined> {
    return this.saves.at(-1);
  }

  async save(offset: bigint): Promise<void> {
    this.saves.push(offset);
  }
}

test("a stream that was declared again is read from its first message, with an error line", async (t) => {
  const { stream, broker, offsets, source } = await setUp(t);
  stream.append(...texts(1, 20));
  const run = new RunningConsumer(t, source());
  await run.untilHandled(20);
  await untilSaved(offsets, 19n);
  stream.declareAgain();
  stream.append(...texts(21, 25));
  broker.cut();
  await run.untilHandled(25);
  const [line, ...others] = logged(run, shorter);
  assert.deepEqual(others, []);
  assert.deepEqual(
    { level: line?.["level"], place: line?.["place"], newest: line?.["newest"] },
    { level: 50, place: "19", newest: "4" },
  );
  stream.append(...texts(26, 60));
  await run.untilHandled(60);
  await run.stop();
  assert.equal(await offsets.load(), 39n);
  assert.deepEqual(sequences(run), range(1, 60));
});

test("a stream that is empty where the consumer was further is read from its first message", async (t) => {
  const { stream, broker, offsets, source } = await setUp(t);
  await offsets.save(499n);
  const run = new RunningConsumer(t, source({ from: "next" }));
  await untilLogged(run, shorter);
  assert.deepEqual(await run.consumer.lag(), [{ place: "s", messages: 0 }]);
  await untilLogged(run, "consuming");
  broker.cut();
  stream.append(...texts(1, 5));
  await run.untilHandled(5);
  await run.stop();
  assert.equal(await offsets.load(), 4n);
  assert.equal(logged(run, shorter).length, 1);
});

test("the lag of a consumer that is further than its stream is all of that stream", async (t) => {
  const { stream, offsets, source } = await setUp(t);
  stream.append(...texts(1, 5));
  await offsets.save(499n);
  assert.deepEqual(await source().lag(), [{ place: "s", messages: 5 }]);
  await offsets.save(1n);
  assert.deepEqual(await source().lag(), [{ place: "s", messages: 3 }]);
});

test("the lag does not count what retention has deleted", async (t) => {
  const { stream, offsets, source } = await setUp(t);
  stream.append(...texts(1, 10));
  stream.deleteOldest(6);
  for (const [place, messages] of [
    [-1n, 4],
    [1n, 4],
    [5n, 4],
    [6n, 3],
    [9n, 0],
  ] as const) {
    await offsets.save(place);
    assert.deepEqual(await source().lag(), [{ place: "s", messages }], `at ${place}`);
  }
});

test("a stream that hands out nothing although it has messages is not taken for another one", async (t) => {
  const { stream, offsets, source } = await setUp(t);
  stream.append(...texts(1, 20));
  stream.isSilent = true;
  await offsets.save(9n);
  const run = new RunningConsumer(t, source());
  await untilLogged(run, "lost the connection");
  stream.isSilent = false;
  await run.untilHandled(10);
  await run.stop();
  assert.deepEqual(sequences(run), range(11, 20));
  assert.deepEqual(logged(run, shorter), []);
});

test("a copy of the stream that lags for a moment is not taken for another stream", async (t) => {
  const { stream, broker, offsets, source } = await setUp(t);
  stream.append(...texts(1, 5));
  await offsets.save(9n);
  const run = new RunningConsumer(t, source());
  const isAsked = () => broker.requests().some(({ text }) => text.includes("last"));
  await run.until(isAsked, "the consumer asks for the newest message");
  stream.append(...texts(6, 20));
  await run.untilHandled(10);
  await run.stop();
  assert.deepEqual(sequences(run), range(11, 20));
  assert.deepEqual(logged(run, shorter), []);
});

test("what is published after a consumer of the next message has started is not left out after a lost connection", async (t) => {
  const { stream, broker, offsets, source } = await setUp(t);
  stream.append(...texts(1, 10));
  let isDown = true;
  const run = new RunningConsumer(t, source({ from: "next" }), {}, () => {
    if (isDown) throw new Error("the database is down");
  });
  await untilLogged(run, "consuming");
  stream.append(...texts(11, 11));
  await run.until(() => run.consumer.stats.failures > 0, "a handler has failed");
  broker.cut();
  stream.append(...texts(12, 12));
  await untilLogged(run, "lost the connection");
  isDown = false;
  await run.untilHandled(2);
  await run.stop();
  assert.deepEqual([...new Set(sequences(run))], [11, 12]);
  assert.equal(await offsets.load(), 11n);
});

test("a consumer of the next message keeps its start for the next run, though nothing came", async (t) => {
  const { stream, source } = await setUp(t);
  stream.append(...texts(1, 10));
  const first = new RunningConsumer(t, source({ from: "next" }));
  await untilLogged(first, "consuming");
  await first.stop();
  stream.append(...texts(11, 12));
  const second = new RunningConsumer(t, source({ from: "next" }));
  await second.untilHandled(2);
  await second.stop();
  assert.deepEqual(sequences(second), [11, 12]);
});

/** A handler that never succeeds. */
function failToHandle(): void {
  throw new Error("the database is down");
}

test("a stream that was declared again is read from its first message though the consumer restarts before an event is handled", async (t) => {
  const { stream, offsets, source } = await setUp(t);
  await offsets.save(9n);
  stream.append(...texts(1, 3));
  const first = new RunningConsumer(t, source(), {}, failToHandle);
  await untilLogged(first, shorter);
  await first.until(() => first.consumer.stats.failures > 0, "a handler has failed");
  await first.stop();
  stream.append(...texts(4, 15));
  const second = new RunningConsumer(t, source());
  await second.untilHandled(15);
  await second.stop();
  assert.deepEqual(sequences(second), range(1, 15));
  assert.equal(await offsets.load(), 14n);
});

test("a consumer of the next message of an empty stream keeps its start for the next run", async (t) => {
  const { stream, source } = await setUp(t);
  const first = new RunningConsumer(t, source({ from: "next" }), {}, failToHandle);
  await untilLogged(first, "consuming");
  await first.stop();
  stream.append(...texts(1, 3));
  const second = new RunningConsumer(t, source({ from: "next" }));
  await second.untilHandled(3);
  await second.stop();
  assert.deepEqual(sequences(second), [1, 2, 3]);
});

for (const { about, published, from, places, kept } of [
  { about: "the next message", published: 10, from: "next", places: [], kept: 9n },
  {
    about: "the next message of an empty stream",
    published: 0,
    from: "next",
    places: [],
    kept: -1n,
  },
  {
    about: "a stream that was declared again",
    published: 3,
    from: "first",
    places: [9n],
    kept: -1n,
  },
] as const) {
  test(`a consumer of ${about} keeps its start before it consumes`, async (t) => {
    const { stream, source } = await setUp(t);
    stream.append(...texts(1, published));
    const offsets = new NotedOffsets(places);
    let atStart: readonly bigint[] | undefined;
    const logger: ConsumerLogger = {
      ...silentLogger,
      info: (_, message) => {
        if (message === "consuming") atStart ??= [...offsets.saves];
      },
    };
    const run = new RunningConsumer(t, source({ from, offsets }), { logger }, failToHandle);
    await run.until(() => atStart !== undefined, "the consumer consumes");
    assert.deepEqual(atStart, [...places, kept]);
    await run.stop();
  });
}

test("a consumer of the next message of an empty stream gets what is published while it starts", async (t) => {
  const { stream, broker, source } = await setUp(t);
  const run = new RunningConsumer(t, source({ from: "next" }));
  const isAsked = () => broker.requests().some(({ text }) => text.includes("last"));
  await run.until(isAsked, "the consumer asks for the newest message");
  stream.append(...texts(1, 3));
  await run.untilHandled(3);
  await run.stop();
  assert.deepEqual(sequences(run), [1, 2, 3]);
});

test("a handler of a lost connection that ends late does not move the place back", async (t) => {
  const { stream, broker, source } = await setUp(t);
  const offsets = new NotedOffsets();
  let release: () => void = () => undefined;
  let letters = 0;
  const onDeadLetter = (): Promise<void> | undefined => {
    letters += 1;
    if (letters > 1) return undefined;
    return new Promise<void>((resolve) => {
      release = resolve;
    });
  };
  stream.append("not an event", ...texts(1, 49));
  const run = new RunningConsumer(t, source({ offsets }), { onDeadLetter });
  await run.untilHandled(49);
  broker.cut();
  await run.until(() => offsets.saves.at(-1) === 49n, "the second delivery is saved");
  stream.append(...texts(50, 99));
  await run.until(() => offsets.saves.at(-1) === 99n, "what came later is saved");
  const { deadLetters } = run.consumer.stats;
  release();
  await run.until(() => run.consumer.stats.deadLetters > deadLetters, "the first hook has ended");
  await run.stop();
  assert.equal(offsets.saves.at(-1), 99n);
  const grows = offsets.saves.toSorted((a, b) => Number(a - b));
  assert.deepEqual(offsets.saves, grows);
});

test("an event that is handled while the place is saved is saved as well, though nothing follows", async (t) => {
  const { stream, source } = await setUp(t);
  let finishSave: (() => void) | undefined;
  let saved: bigint | undefined;
  const offsets: OffsetStore = {
    load: async () => undefined,
    async save(offset) {
      if (offset === 0n) {
        await new Promise<void>((resolve) => {
          finishSave = resolve;
        });
      }
      saved = offset;
    },
  };
  stream.append(...texts(1, 1));
  const run = new RunningConsumer(t, source({ offsets }));
  await run.until(() => finishSave !== undefined, "the first one is being saved");
  stream.append(...texts(2, 2));
  await run.untilHandled(2);
  finishSave?.();
  await run.until(() => saved === 1n, "the second one is saved");
  await run.stop();
});

test("a place that could not be saved is saved later, though nothing follows", async (t) => {
  const { stream, source } = await setUp(t);
  let saved: bigint | undefined;
  let tries = 0;
  const offsets: OffsetStore = {
    load: async () => undefined,
    async save(offset) {
      tries += 1;
      if (tries === 1) throw new Error("the disk is full");
      saved = offset;
    },
  };
  stream.append(...texts(1, 3));
  const run = new RunningConsumer(t, source({ offsets }));
  await run.until(() => saved === 2n, "the place is saved");
  await run.stop();
  assert.equal(logged(run, "the place in the stream is not saved").length, 1);
});

test("a queue that is not a stream ends the consumer with an error, not the process", async (t) => {
  const { stream, source } = await setUp(t);
  stream.isQueue = true;
  stream.append(...texts(1, 1));
  const run = new RunningConsumer(t, source());
  const ended = settled(run.ended, "the consumer ends");
  await assert.rejects(ended, { code: "CERTWIRE_CONSUMER_REFUSED", message: /not a stream/ });
});

test("a queue that takes the place of the stream ends the consumer, and is asked for no more than one message", async (t) => {
  const { stream, broker, offsets, source } = await setUp(t);
  stream.append(...texts(1, 10));
  const run = new RunningConsumer(t, source());
  await run.untilHandled(10);
  await untilSaved(offsets, 9n);
  stream.isQueue = true;
  const before = broker.requests().length;
  broker.cut();
  const ended = settled(run.ended, "the consumer ends");
  await assert.rejects(ended, { code: "CERTWIRE_CONSUMER_REFUSED", message: /not a stream/ });
  assert.deepEqual(prefetches(broker.requests().slice(before)), [1]);
});

test("a queue is asked for no more than one message by a consumer of the next message", async (t) => {
  const { stream, broker, source } = await setUp(t);
  stream.isQueue = true;
  stream.append(...texts(1, 10));
  const run = new RunningConsumer(t, source({ from: "next" }));
  const ended = settled(run.ended, "the consumer ends");
  await assert.rejects(ended, { code: "CERTWIRE_CONSUMER_REFUSED", message: /not a stream/ });
  assert.deepEqual([...new Set(prefetches(broker.requests()))], [1]);
});

/** How many messages were asked for, by each basic.qos. */
function prefetches(requests: readonly FakeRequest[]): number[] {
  const asked = requests.filter(({ method }) => method === "60.10");
  return asked.map(({ text }) => Buffer.from(text, "latin1").readUInt16BE(4));
}

test("messages that a broker hands out twice on a channel do not hold up the place", async (t) => {
  const { stream, offsets, source } = await setUp(t);
  stream.copies = 2;
  stream.append(...texts(1, 20));
  const run = new RunningConsumer(t, source());
  await run.untilHandled(20);
  await untilSaved(offsets, 19n);
  await run.stop();
});
