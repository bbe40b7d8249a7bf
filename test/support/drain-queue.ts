import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "amqplib";

/** A queue that gives nothing for this long, in ms, may be empty. */
const quietMs = 1000;

/**
 * Takes all messages out of a queue and returns their bodies in its order. For many thousands: amqp-tools start
 * a program for each.
 */
export async function drainQueue(url: string, queue: string): Promise<string[]> {
  const connection = await connect(url);
  try {
    const channel = await connection.createChannel();
    const bodies: string[] = [];
    await channel.prefetch(1000);
    await channel.consume(queue, (message) => {
      if (message === null) return;
      bodies.push(message.content.toString());
      channel.ack(message);
    });
    for (let before = -1; before < bodies.length; ) {
      before = bodies.length;
      await sleep(quietMs);
    }
    const { messageCount } = await channel.checkQueue(queue);
    if (messageCount > 0) throw new Error(`${queue} has ${messageCount} more messages`);
    return bodies;
  } finally {
    await connection.close();
  }
}
