import type { ConfirmChannel } from "amqplib";
import type { RabbitMqTopology } from "./options.ts";

/** Declares a durable topic exchange and its queues; what exists already is left unchanged. */
export async function assertTopology(
  channel: ConfirmChannel,
  exchange: string,
  { stream, quorumQueues }: RabbitMqTopology,
): Promise<void> {
  await channel.assertExchange(exchange, "topic", { durable: true });
  if (stream) {
    const { name, bindingKey, maxAge, maxLengthBytes } = stream;
    await channel.assertQueue(name, {
      durable: true,
      arguments: {
        "x-queue-type": "stream",
        "x-max-age": maxAge,
        ...(maxLengthBytes !== undefined && { "x-max-length-bytes": maxLengthBytes }),
      },
    });
    await channel.bindQueue(name, exchange, bindingKey);
  }
  for (const { name, bindingKey } of quorumQueues) {
    await channel.assertQueue(name, { durable: true, arguments: { "x-queue-type": "quorum" } });
    await channel.bindQueue(name, exchange, bindingKey);
  }
}
