import type { Channel, ChannelModel } from "amqplib";

/**
 * Closes a channel or a connection. Resolves once the broker has answered; rejects when it was closed already, and when
 * it ends without that answer: amqplib's own promise never settles then (lib/channel.js, `toClosing`).
 */
export async function closeOrderly(open: Channel | ChannelModel): Promise<void> {
  const ended = new Promise<never>((_, reject) => {
    // The event follows an answer, too: the promise of the answer gets a turn before this one.
    open.once("close", () => setImmediate(reject, new Error("ended before the broker answered")));
  });
  ended.catch(() => undefined);
  await Promise.race([open.close(), ended]);
}
