import type { Channel, ChannelModel } from "amqplib";
import { clock, type Timer } from "../clock.ts";

/**
 * Closes a channel or a connection. Resolves once the broker has answered. Rejects when it was closed already, when it
 * ends without that answer, since amqplib's own promise never settles then (`toClosing` in lib/channel.js and
 * lib/connection.js), and when the answer takes longer than `limitMs`. Default: no limit.
 */
export async function closeOrderly(open: Channel | ChannelModel, limitMs?: number): Promise<void> {
  let timer: Timer | undefined;
  const ended = new Promise<never>((_, reject) => {
    const fail = (): void => reject(new Error("ended before the broker answered"));
    // The event follows an answer, too: the promise of the answer gets a turn before this one.
    open.once("close", () => clock.nextTurn(fail));
    if (limitMs !== undefined) timer = clock.setTimeout(fail, limitMs);
  });
  ended.catch(() => undefined);
  try {
    await Promise.race([open.close(), ended]);
  } finally {
    clock.clear(timer);
  }
}
