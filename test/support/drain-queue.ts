import { connect } from "amqplib";
import { until } from "./until.ts";

/**
 * Takes all messages out of a queue that nobody publishes to any more, and returns their bodies in their order. For
 * many thousands: amqp-tools start a program for each.
 */
export async function drainQueue(url: string, queue: string): Promise<string[]> {
  const connection = await connect(url);
  try {
    const channel = await connection.createChannel();
    const bodies: string[] = [];
    // Only a get that finds nothing proves that the queue is empty; one that finds something, that the queue
    // has its leader and knows how many more there are.
    for (;;) {
      const first = await channel.get(queue, { noAck: true });
      if (first === false) return bodies;
      bodies.push(first.content.toString());
      const { messageCount } = await channel.checkQueue(queue);
      const all = bodies.length + messageCount;
      // Without acknowledgements: a quorum queue may forget those that are under way when the channel closes.
      const { consumerTag } = await channel.consume(
        queue,
        (message) => {
          if (message !== null) bodies.push(message.content.toString());
        },
        { noAck: true },
      );
      const state = () => `${bodies.length} of ${all}`;
      await until(() => bodies.length >= all, `${queue} is drained`, { state });
      await channel.cancel(consumerTag);
    }
  } finally {
    await connection.close();
  }
}
