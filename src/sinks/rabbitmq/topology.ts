import type { ConfirmChannel } from "amqplib";
import type { RabbitMqTopology } from "./options.ts";
import { majorVersion } from "./version.ts";

type QuorumQueue = RabbitMqTopology["quorumQueues"][number];
type Arguments = Readonly<Record<string, string | number>>;

/** What declaring a topology needs. */
export interface TopologyContext {
  readonly exchange: string;
  /** The broker's version, such as `4.0.5`. */
  readonly version: string;
  /** Called with the name of a queue that has a delivery limit which nobody asked for. */
  readonly limited: (queue: string) => void;
  /** A channel in the place of one that the broker has closed. */
  readonly openChannel: () => Promise<ConfirmChannel>;
}

/**
 * Declares a durable topic exchange and its queues; what exists already is left unchanged. Returns the channel that
 * is open then. Rejects when something exists with other arguments.
 */
export async function assertTopology(
  channel: ConfirmChannel,
  { stream, quorumQueues }: RabbitMqTopology,
  context: TopologyContext,
): Promise<ConfirmChannel> {
  const { exchange } = context;
  await channel.assertExchange(exchange, "topic", { durable: true });
  if (stream) {
    const { name, bindingKey, maxAge, maxLengthBytes } = stream;
    await declare(channel, name, {
      "x-queue-type": "stream",
      "x-max-age": maxAge,
      ...(maxLengthBytes !== undefined && { "x-max-length-bytes": maxLengthBytes }),
    });
    await channel.bindQueue(name, exchange, bindingKey);
  }
  let current = channel;
  for (const queue of quorumQueues) current = await assertQuorumQueue(current, queue, context);
  return current;
}

async function assertQuorumQueue(
  channel: ConfirmChannel,
  queue: QuorumQueue,
  context: TopologyContext,
): Promise<ConfirmChannel> {
  const { name, bindingKey, deadLetterExchange } = queue;
  // The broker declares a queue with a dead-letter exchange that does not exist, and drops events then.
  if (deadLetterExchange !== undefined) await channel.checkExchange(deadLetterExchange);
  const current = await declareQuorumQueue(channel, queue, context);
  await current.bindQueue(name, context.exchange, bindingKey);
  return current;
}

/**
 * Without `deliveryLimit` a new queue has no limit. One that was declared before, perhaps by RabbitMQ 3, keeps what it
 * has: a limit that nobody asked for must not stop the sink.
 */
async function declareQuorumQueue(
  channel: ConfirmChannel,
  queue: QuorumQueue,
  { version, limited, openChannel }: TopologyContext,
): Promise<ConfirmChannel> {
  const { name, deliveryLimit } = queue;
  const wanted = quorumArguments(queue);
  const unlimited = unlimitedOn(version);
  if (deliveryLimit !== undefined || unlimited === undefined) {
    await declare(channel, name, wanted);
    return channel;
  }
  try {
    await declare(channel, name, { ...wanted, "x-delivery-limit": unlimited });
    return channel;
  } catch (error) {
    if (!/inequivalent arg 'x-delivery-limit'/.test(String(error))) throw error;
  }
  const another = await openChannel();
  limited(name);
  await declare(another, name, wanted);
  return another;
}

function quorumArguments({ deliveryLimit, deadLetterExchange }: QuorumQueue): Arguments {
  return {
    "x-queue-type": "quorum",
    ...(deliveryLimit !== undefined && { "x-delivery-limit": deliveryLimit }),
    // At least once: an event leaves the queue only when the dead-letter exchange has routed it.
    ...(deadLetterExchange !== undefined && {
      "x-dead-letter-exchange": deadLetterExchange,
      "x-dead-letter-strategy": "at-least-once",
      "x-overflow": "reject-publish",
    }),
  };
}

/**
 * The argument that means no limit. RabbitMQ 4 has a limit of 20 by default. RabbitMQ 3 has none, and takes a
 * negative number for 0.
 */
function unlimitedOn(version: string): number | undefined {
  return (majorVersion(version) ?? 0) >= 4 ? -1 : undefined;
}

async function declare(channel: ConfirmChannel, name: string, args: Arguments): Promise<void> {
  await channel.assertQueue(name, { durable: true, arguments: args });
}
