import { connect } from "amqplib";
import type { RabbitmqCluster } from "./broker-provider.ts";

/**
 * Stops a broker that was started for a test. Other tests may use one that was there before, so the exchange and the
 * queue of each name are deleted first, where they exist.
 */
export async function leaveRabbitmq(
  rabbitmq: RabbitmqCluster,
  names: readonly string[],
): Promise<void> {
  try {
    await deletePlaces(rabbitmq.urls[0] ?? "", names);
  } finally {
    await rabbitmq.stop();
  }
}

async function deletePlaces(url: string, names: readonly string[]): Promise<void> {
  const connection = await connect(url);
  try {
    const channel = await connection.createChannel();
    for (const name of names) {
      await channel.deleteQueue(name);
      await channel.deleteExchange(name);
    }
  } finally {
    await connection.close();
  }
}
