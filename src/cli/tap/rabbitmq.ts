import type { ChannelModel, ConsumeMessage } from "amqplib";
import { textHeaders } from "../../consumer/message.ts";
import { answered, toConsumerError, withConnection } from "../../consumer/rabbitmq/connection.ts";
import type { ConnectOptions } from "../verify/credentials.ts";
import { brokerTarget, connectTo } from "../verify/rabbitmq-stream.ts";
import { eventsIn } from "./message-events.ts";
import type { Show, TapSource } from "./source.ts";

/** Messages that the broker may send before it waits for the output. */
const prefetch = 500;

/**
 * Follows an exchange through a queue that ends with the connection, so that nobody else misses a message. The
 * exchange must be one of type topic or fanout. Throws CERTWIRE_USAGE.
 */
export function rabbitMqTap(url: string, options: ConnectOptions): TapSource {
  const broker = brokerTarget(url, options, "--rabbitmq");
  const { exchange } = broker;
  const follow = async (show: Show, signal: AbortSignal): Promise<void> => {
    const connection = (): Promise<ChannelModel> => connectTo(broker, "certwire tap", signal);
    try {
      await withConnection(connection, ({ model }) => receive(model, exchange, show), signal);
    } catch (error) {
      if (signal.aborted && error === signal.reason) return;
      throw toConsumerError(error, `cannot follow the exchange "${exchange}"`);
    }
  };
  return { name: `exchange ${exchange}`, follow };
}

/** Shows what is published to the exchange. Never resolves; rejects when the channel ends. */
async function receive(model: ChannelModel, exchange: string, show: Show): Promise<never> {
  const channel = await answered(model.createChannel());
  let end: (error: unknown) => void = () => undefined;
  const ended = new Promise<never>((_, reject) => {
    end = reject;
  });
  // Somebody waits for it only once messages may come.
  ended.catch(() => undefined);
  channel.on("error", end);
  channel.once("close", () => end(new Error("the connection has ended")));
  await answered(channel.checkExchange(exchange));
  const { queue } = await answered(channel.assertQueue("", { exclusive: true }));
  await answered(channel.bindQueue(queue, exchange, "#"));
  await answered(channel.prefetch(prefetch));
  let shown: Promise<void> = Promise.resolve();
  const showAfter = async (earlier: Promise<void>, message: ConsumeMessage): Promise<void> => {
    await earlier;
    await show(eventsIn(message.fields.routingKey, messageOf(message)));
    channel.ack(message);
  };
  const take = (message: ConsumeMessage | null): void => {
    if (message === null) return end(new Error("the broker has deleted the queue"));
    shown = showAfter(shown, message);
    shown.catch(end);
  };
  await answered(channel.consume(queue, take));
  return ended;
}

function messageOf({ properties, content }: ConsumeMessage) {
  const { headers = {}, contentType } = properties;
  return { headers: textHeaders({ ...headers, "content-type": contentType }), body: content };
}
