import type { Channel, ChannelModel, ConsumeMessage } from "amqplib";
import { CertwireError } from "../../errors/certwire-error.ts";
import { answered, answerTimeoutMs, withChannel } from "./connection.ts";

/** CERTWIRE_CONSUMER_REFUSED for a queue in the place of a stream, which no further try makes one. */
export class NotAStreamError extends CertwireError {
  constructor() {
    const text = "the message has no x-stream-offset: the queue is not a stream";
    super("CERTWIRE_CONSUMER_REFUSED", text);
  }
}

/** Offset of a message of a stream. Throws a NotAStreamError for a message of another queue. */
export function offsetOf(message: ConsumeMessage): bigint {
  const offset: unknown = message.properties.headers?.["x-stream-offset"];
  if (typeof offset !== "number" && typeof offset !== "bigint") {
    throw new NotAStreamError();
  }
  return BigInt(offset);
}

/** Most messages that AMQP can let a broker hand out; a chunk has fewer. */
const wholeChunk = 65_535;

/**
 * Offset of the oldest message of a stream that is not empty. Rejects with CERTWIRE_CONSUMER_UNREACHABLE if the broker
 * gives none within `waitMs`, by default a minute. The channel must have no other consumer.
 */
export async function firstOffsetOf(
  channel: Channel,
  stream: string,
  waitMs = answerTimeoutMs,
): Promise<bigint> {
  let first: bigint | undefined;
  await answered(channel.prefetch(1));
  await receiveFrom(channel, stream, "first", waitMs, (offset) => {
    // The whole chunk comes, whatever the prefetch is.
    first ??= offset;
    return true;
  });
  if (first === undefined) throw silent(stream);
  return first;
}

/** How long to wait for the newest message of a stream. */
export interface NewestOptions {
  /** Longest wait, in ms. */
  readonly waitMs: number;
  /** The wait goes on after an older message: the broker's copy of the stream may lag. Default 0. */
  readonly atLeast?: bigint;
}

/**
 * Offset of the newest message of a stream; `undefined` if the stream is empty. Rejects with
 * CERTWIRE_CONSUMER_UNREACHABLE if it has messages and the broker gives none. The count of messages that a broker gives
 * for a stream is up to 5 s old.
 */
export async function newestOffsetOf(
  model: ChannelModel,
  stream: string,
  options: NewestOptions,
): Promise<bigint | undefined> {
  await withChannel(model, (channel) => checkIsStream(channel, stream, options.waitMs));
  return withChannel(model, (channel) => newestOn(channel, stream, options));
}

/** Asks for one message: a queue would hand out as many as a whole chunk may have, and count each as delivered. */
async function checkIsStream(channel: Channel, stream: string, waitMs: number): Promise<void> {
  const { messageCount } = await answered(channel.checkQueue(stream));
  if (messageCount > 0) await firstOffsetOf(channel, stream, waitMs);
}

async function newestOn(
  channel: Channel,
  stream: string,
  { waitMs, atLeast = 0n }: NewestOptions,
): Promise<bigint | undefined> {
  let newest: bigint | undefined;
  await answered(channel.prefetch(wholeChunk));
  await receiveFrom(channel, stream, "last", waitMs, (offset) => {
    newest = offset;
    return offset >= atLeast;
  });
  // The broker hands out a chunk as a whole, before it answers what comes after it on the channel.
  const { messageCount } = await answered(channel.checkQueue(stream));
  if (newest === undefined && messageCount > 0) throw silent(stream);
  return newest;
}

function silent(stream: string): CertwireError {
  const text = `the broker gives no message of the stream "${stream}"`;
  return new CertwireError("CERTWIRE_CONSUMER_UNREACHABLE", text);
}

/**
 * Offset of the newest message that was there when this was called; `undefined` if there was none. Rejects as
 * `newestOffsetOf` does. What is published meanwhile is seen on another channel, which listens first.
 */
export function endOffsetOf(
  model: ChannelModel,
  stream: string,
  waitMs: number,
): Promise<bigint | undefined> {
  return withChannel(model, async (later) => {
    let next: bigint | undefined;
    const receive = (offset: bigint): void => {
      next ??= offset;
    };
    await answered(later.prefetch(1));
    await consumeFrom(later, stream, "next", receive, () => undefined);
    const newest = await newestOffsetOf(model, stream, { waitMs });
    await answered(later.checkQueue(stream));
    if (next === undefined) return newest;
    return next === 0n ? undefined : next - 1n;
  });
}

/** Receives offsets until `isLast` is true for one, or `waitMs` have passed. */
async function receiveFrom(
  channel: Channel,
  stream: string,
  start: "first" | "last",
  waitMs: number,
  isLast: (offset: bigint) => boolean,
): Promise<void> {
  let finish: () => void = () => undefined;
  let fail: (error: unknown) => void = () => undefined;
  const received = new Promise<void>((resolve, reject) => {
    finish = resolve;
    fail = reject;
  });
  received.catch(() => undefined);
  const receive = (offset: bigint): void => {
    if (isLast(offset)) finish();
  };
  await consumeFrom(channel, stream, start, receive, fail);
  const timer = setTimeout(finish, waitMs);
  try {
    await received;
  } finally {
    clearTimeout(timer);
  }
}

/** Calls `receive` with the offset of each message, or `fail`. Resolves once the broker has accepted the consumer. */
async function consumeFrom(
  channel: Channel,
  stream: string,
  start: "first" | "last" | "next",
  receive: (offset: bigint) => void,
  fail: (error: unknown) => void,
): Promise<void> {
  // The error says why; a close follows it, or comes alone.
  channel.once("error", fail);
  channel.once("close", () => fail(new Error("the channel was closed")));
  const deliver = (message: ConsumeMessage | null): void => {
    if (message === null) return fail(new Error("the broker cancelled the consumer"));
    try {
      receive(offsetOf(message));
    } catch (error) {
      fail(error);
    }
  };
  await answered(channel.consume(stream, deliver, { arguments: { "x-stream-offset": start } }));
}
