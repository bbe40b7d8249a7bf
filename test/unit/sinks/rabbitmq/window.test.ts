import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import type { ConfirmChannel, Options } from "amqplib";
import { ConfirmWindow, type WindowOptions } from "../../../../src/sinks/rabbitmq/window.ts";
import { range } from "../../../support/run-pipeline.ts";
import { sampleOutbound, sequenceOf } from "../../../support/sample-events.ts";
import { scaled } from "../../../support/scale.ts";
import { until } from "../../../support/until.ts";

const signal = new AbortController().signal;

interface Pending {
  readonly sequence: number;
  readonly key: string;
  readonly messageId: string;
  readonly confirm: (error: Error | null) => void;
}

/** A confirm channel whose broker is the test. */
class FakeChannel extends EventEmitter {
  readonly published: number[] = [];
  readonly pending: Pending[] = [];
  most = 0;
  isFull = false;
  onPublish: () => void = () => {};

  publish(
    _exchange: string,
    _key: string,
    content: Buffer,
    options: Options.Publish,
    done: unknown,
  ) {
    const event = JSON.parse(content.toString("utf8")) as { id: string; partitionkey: string };
    this.published.push(sequenceOf(event));
    this.pending.push({
      sequence: sequenceOf(event),
      key: event.partitionkey,
      messageId: options.messageId ?? "",
      confirm: done as (error: Error | null) => void,
    });
    this.most = Math.max(this.most, this.pending.length);
    queueMicrotask(() => this.onPublish());
    return !this.isFull;
  }

  /** Answers a pending event; `null` is an acknowledgement. */
  answer(at: number, error: Error | null): void {
    const [pending] = this.pending.splice(at, 1);
    pending?.confirm(error);
  }

  /** The broker returns an event before it confirms it. */
  returnToSender(at: number): void {
    const properties = { messageId: this.pending[at]?.messageId };
    const key = { exchange: "e", routingKey: "certificate.issued" };
    const fields = { replyCode: 312, replyText: "NO_ROUTE", ...key };
    this.emit("return", { fields, properties });
  }
}

function run(
  channel: FakeChannel,
  events: readonly ReturnType<typeof sampleOutbound>[],
  options: Partial<WindowOptions> = {},
) {
  return new ConfirmWindow(events, {
    channel: channel as unknown as ConfirmChannel,
    mode: "structured",
    size: 10,
    confirmTimeoutMs: 60_000,
    destinationOf: ({ kind }) => ({ exchange: "e", routingKey: kind }),
    isBlocked: () => false,
    onUnblocked: () => () => undefined,
    channelError: () => undefined,
    ...options,
  }).run(signal);
}

test("no more than the window is unconfirmed, and never two events of one key", async () => {
  const channel = new FakeChannel();
  const faults: string[] = [];
  channel.onPublish = () => {
    const keys = channel.pending.map(({ key }) => key);
    if (new Set(keys).size < keys.length) faults.push(keys.join());
    setImmediate(() => channel.answer(Math.floor(Math.random() * channel.pending.length), null));
  };
  const events = range(1, scaled(300)).map((n) => sampleOutbound(n, `ca/${n % 15}`));
  const result = await run(channel, events);
  assert.equal(result.confirmed.size, events.length);
  assert.deepEqual(faults, []);
  assert.ok(channel.most <= 10);
  for (let key = 0; key < 15; key += 1) {
    const ofKey = channel.published.filter((n) => n % 15 === key);
    assert.deepEqual(
      ofKey,
      ofKey.toSorted((a, b) => a - b),
    );
  }
});

test("a returned event is not taken as confirmed although the broker confirms it", async () => {
  const channel = new FakeChannel();
  channel.onPublish = () => {
    if (channel.pending[0]?.sequence === 2) channel.returnToSender(0);
    channel.answer(0, null);
  };
  const events = range(1, 3).map((n) => sampleOutbound(n, "ca/1"));
  const result = await run(channel, events);
  assert.deepEqual([...result.confirmed], [events[0]?.id]);
  const failure = result.failures.get(events[1]?.id ?? "");
  assert.equal(failure?.kind, "unroutable");
  assert.equal(
    failure?.cause.message,
    `the broker returned event ${events[1]?.id}: 312 NO_ROUTE, exchange "e", routing key "certificate.issued"`,
  );
  assert.deepEqual(channel.published, [1, 2], "nothing of that key goes after it");
});

test("after a nack nothing new is sent, and the others in flight are awaited", async () => {
  const channel = new FakeChannel();
  const events = range(1, 30).map((n) => sampleOutbound(n, `ca/${n}`));
  const running = run(channel, events);
  channel.answer(3, new Error("message nacked"));
  while (channel.pending.length > 0) channel.answer(0, null);
  const result = await running;
  assert.equal(channel.published.length, 10);
  assert.equal(result.confirmed.size, 9);
  assert.equal(result.failures.get(events[3]?.id ?? "")?.kind, "retry-identical");
  assert.ok(result.isSettled);
});

test("without a confirm the window gives up after its time, and its channel is not to be used again", async () => {
  const channel = new FakeChannel();
  const result = await run(channel, [sampleOutbound(1)], { confirmTimeoutMs: 50 });
  assert.equal(result.failure?.kind, "reset");
  assert.equal(result.isSettled, false);
});

test("while the broker blocks nothing is sent and the clock stands still", async () => {
  const channel = new FakeChannel();
  let [isBlocked, asked] = [true, 0];
  const unblocked = new EventEmitter();
  const options = {
    onUnblocked: (callback: () => void) => {
      unblocked.on("unblocked", callback);
      return () => unblocked.off("unblocked", callback);
    },
    isBlocked: () => {
      asked += 1;
      return isBlocked;
    },
    confirmTimeoutMs: 50,
  };
  /** The window asks each time that the time for a confirm is over. */
  const confirmTimes = (): Promise<boolean> => {
    const last = asked + 2;
    return until(() => asked >= last, "the time for a confirm is over");
  };
  const running = run(channel, [sampleOutbound(1)], options);
  await confirmTimes();
  assert.deepEqual(channel.published, []);
  channel.onPublish = () => (isBlocked = true);
  isBlocked = false;
  unblocked.emit("unblocked");
  assert.deepEqual(channel.published, [1], "the event is sent at once");
  await confirmTimes();
  channel.answer(0, null);
  assert.equal((await running).confirmed.size, 1);
  assert.equal(unblocked.listenerCount("unblocked"), 0);
});

test("a full socket delays sending until it drains", async () => {
  const channel = new FakeChannel();
  channel.isFull = true;
  const events = range(1, 3).map((n) => sampleOutbound(n, `ca/${n}`));
  const running = run(channel, events);
  assert.deepEqual(channel.published, [1]);
  channel.isFull = false;
  channel.onPublish = () => channel.answer(0, null);
  channel.emit("drain");
  channel.answer(0, null);
  assert.equal((await running).confirmed.size, 3);
  assert.equal(channel.listenerCount("drain"), 0);
});

test("when the channel ends, everything unconfirmed stays so, with the channel's own reason", async () => {
  const channel = new FakeChannel();
  let reason: Error | undefined;
  const events = range(1, 5).map((n) => sampleOutbound(n, `ca/${n}`));
  const running = run(channel, events, { channelError: () => reason });
  channel.answer(0, null);
  reason = Object.assign(new Error("NOT_FOUND - no exchange"), { code: 404 });
  while (channel.pending.length > 0) channel.answer(0, new Error("channel closed"));
  const result = await running;
  assert.deepEqual([...result.confirmed], [events[0]?.id]);
  assert.equal(result.failure?.kind, "config");
});

const noVerdicts = [
  new RangeError("Maximum call stack size exceeded"),
  new RangeError("Array buffer allocation failed"),
  new RangeError("Invalid typed array length: -1"),
  new TypeError("content is not a buffer"),
  new TypeError("Field 'exchange' is the wrong type; must be a string (up to 255 chars)"),
  new Error("Channel closed"),
];

for (const error of noVerdicts) {
  test(`${error.name} "${error.message}" ends the connection and does not condemn the event`, async () => {
    const channel = new FakeChannel();
    channel.publish = () => {
      throw error;
    };
    const result = await run(channel, [sampleOutbound(1)]);
    assert.equal(result.failure?.kind, "reset");
    assert.equal(result.failures.size, 0);
    assert.equal(result.isSettled, false);
  });
}
