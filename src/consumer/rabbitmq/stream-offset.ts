import type { Channel, ConsumeMessage } from "amqplib";

/** Offset of a message of a stream. */
export function offsetOf(message: ConsumeMessage): bigint {
  const offset: unknown = message.properties.headers?.["x-stream-offset"];
  if (typeof offset !== "number" && typeof offset !== "bigint") {
    throw new Error("the message has no x-stream-offset: the queue is not a stream");
  }
  return BigInt(offset);
}

/** Offset of the oldest message of a stream that is not empty. */
export async function firstOffsetOf(channel: Channel, stream: string): Promise<bigint> {
  await channel.prefetch(1);
  return new Promise((resolve, reject) => {
    channel.once("close", () => reject(new Error("the channel was closed")));
    const receive = (message: ConsumeMessage | null): void => {
      if (message === null) reject(new Error("the broker cancelled the consumer"));
      else resolve(offsetOf(message));
    };
    const options = { arguments: { "x-stream-offset": "first" } };
    channel.consume(stream, receive, options).catch(reject);
  });
}
