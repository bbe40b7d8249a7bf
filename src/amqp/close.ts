import type { Channel, ChannelModel } from "amqplib";

/**
 * Closes a channel or a connection. Resolves once the broker has answered. Rejects when it was closed already, when it
 * ends without that answer, since amqplib's own promise never settles then (`toClosing` in lib/channel.js and
 * lib/connection.js), and when the answer takes longer than `limitMs`. Default: no limit.
 */
export async function closeOrderly(open: Channel | ChannelModel, limitMs?: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const ended = new Promise<never>((_, reject) => {
    const fail = (): void => reject(new Error("ended before the broker answered"));
    // The event follows an answer, too: the promise of the answer gets a turn before this one.
    open.once("close", () => setImmediate(fail));
    if (limitMs !== undefined) timer = setTimeout(fail, limitMs);
  });
  ended.catch(() => undefined);
  try {
    await Promise.race([open.close(), ended]);
  } finally {
    clearTimeout(timer);
  }
}
