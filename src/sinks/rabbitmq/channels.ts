import type { ConfirmChannel } from "amqplib";
import { clock } from "../../clock.ts";
import type { RabbitMqConnection } from "./connection.ts";
import { isChannelLimit } from "./errors.ts";

/** How often channels are opened again when the broker allows fewer, and the pause before that, in ms. */
const maxTries = 6;
const pauseMs = 100;

/** A connection and the channels that the broker allows on it. */
interface OpenChannels {
  readonly connection: RabbitMqConnection;
  /** At least one. */
  readonly channels: readonly ConfirmChannel[];
}

/**
 * Opens up to `wanted` channels on a new connection, fewer when the broker allows fewer. The limit of a user shows only
 * in that RabbitMQ ends the whole connection, and it counts the channels of an ended connection for a moment.
 */
export async function openChannels(
  connect: () => RabbitMqConnection,
  wanted: number,
  signal?: AbortSignal,
): Promise<OpenChannels> {
  let count = wanted;
  for (let tries = 1; ; tries += 1) {
    const connection = connect();
    const channels: ConfirmChannel[] = [];
    try {
      await openUpTo(count, connection, channels, signal);
      return { connection, channels };
    } catch (error) {
      await connection.close();
      if (!isChannelLimit(error) || tries === maxTries) throw error;
      // Right after the first try fewer may be free than later; at the end what is free has to do.
      const opened = channels.length;
      if (opened > 0 && (tries === 1 || tries === maxTries - 1)) count = opened;
      await clock.delay(pauseMs, { signal });
    }
  }
}

async function openUpTo(
  count: number,
  connection: RabbitMqConnection,
  channels: ConfirmChannel[],
  signal: AbortSignal | undefined,
): Promise<void> {
  await connection.connect();
  const allowed = Math.min(count, connection.channelMax);
  while (channels.length < allowed) {
    signal?.throwIfAborted();
    channels.push(await connection.openChannel());
  }
  // The sink was closed meanwhile, and would not close what only now is its own.
  signal?.throwIfAborted();
}
