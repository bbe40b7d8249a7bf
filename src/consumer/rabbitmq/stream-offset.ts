import type { Channel, ConsumeMessage } from "amqplib";
import { CertwireError } from "../../errors/certwire-error.ts";

/** Offset of a message of a stream. Throws CERTWIRE_CONSUMER_REFUSED for a message of another queue. */
export function offsetOf(message: ConsumeMessage): bigint {
  const offset: unknown = message.properties.headers?.["x-stream-offset"];
  if (typeof offset !== "number" && typeof offset !== "bigint") {
    const text = "the message has no x-stream-offset: the queue is not a stream";
    throw new CertwireError("CERTWIRE_CONSUMER_REFUSED", text);
  }
  return BigInt(offset);
}

/** Most messages that AMQP can let a broker hand out; a chunk has fewer. */
const wholeChunk = 65_535;

/** Offset of the oldest message of a stream that is not empty. */
export async function firstOffsetOf(channel: Channel, stream: string): Promise<bigint> {
  await channel.prefetch(1);
  return new Promise((resolve, reject) => {
    receiveFrom(channel, stream, "first", resolve, reject);
  });
}

/**
 * Offset of the newest message of a stream; `undefined` if the broker gives none for `waitMs`. The count of messages
 * that a broker gives for a stream is up to 5 s old.
 */
export async function lastOffsetOf(
  channel: Channel,
  stream: string,
  waitMs: number,
): Promise<bigint | undefined> {
  await channel.prefetch(wholeChunk);
  let last: bigint | undefined;
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(resolve, waitMs);
    const settle = (offset: bigint): void => {
      last = offset;
      clearTimeout(timer);
      resolve();
    };
    receiveFrom(channel, stream, "last", settle, (error) => {
      clearTimeout(timer);
      reject(error);
    });
  });
  // The broker hands out a chunk as a whole, before it answers what comes after it on the channel.
  await channel.checkQueue(stream);
  return last;
}

/** Calls `receive` with the offset of each message, or `fail`. */
function receiveFrom(
  channel: Channel,
  stream: string,
  start: "first" | "last",
  receive: (offset: bigint) => void,
  fail: (error: unknown) => void,
): void {
  // The error says why; a close follows it, or comes alone.
  channel.once("error", fail);
  channel.once("close", () => fail(new Error("the channel was closed")));
  const options = { arguments: { "x-stream-offset": start } };
  const deliver = (message: ConsumeMessage | null): void => {
    if (message === null) return fail(new Error("the broker cancelled the consumer"));
    try {
      receive(offsetOf(message));
    } catch (error) {
      fail(error);
    }
  };
  channel.consume(stream, deliver, options).catch(fail);
}
