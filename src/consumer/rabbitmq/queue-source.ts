import { setTimeout as delay } from "node:timers/promises";
import type { Channel, ChannelModel, ConsumeMessage } from "amqplib";
import type { EventSource, Lag, SourceHost } from "../event-source.ts";
import { assertAtLeast, assertText } from "../options.ts";
import type { Session } from "../session.ts";
import { Acknowledgements } from "./acknowledgements.ts";
import {
  answered,
  checkConnection,
  type RabbitMqConnectionOption,
  stopAnswerTimeoutMs,
  withChannel,
} from "./connection.ts";
import { toReceived } from "./received.ts";
import { ReconnectingConsumer } from "./reconnecting.ts";
import type { ChannelWork, Subscription } from "./subscription.ts";

/** A classic or quorum queue. */
export interface RabbitMqQueueOptions {
  readonly connection: RabbitMqConnectionOption;
  /** The queue; it must exist. */
  readonly queue: string;
  /** Messages that the broker hands out before the first of them is acknowledged. Default 100. */
  readonly prefetch?: number;
}

/**
 * Between the last acknowledgements and the end of the channel, in ms. A quorum queue of RabbitMQ keeps
 * acknowledgements back while it has not written earlier ones, and drops them with the channel.
 */
const graceMs = 250;

/** Longest wait for the queue to take back what was not handled, and how often it is asked, in ms. */
const releaseLimitMs = 5000;
const releaseCheckMs = 50;

/**
 * Reads a classic or a quorum queue of RabbitMQ. The order of a partition key holds with one consumer at a time on the
 * queue: declare it with `x-single-active-consumer` where several run. Throws CERTWIRE_CONSUMER_OPTIONS if an option is
 * invalid.
 *
 * ```ts
 * rabbitMqQueue({ connection: "amqp://guest:guest@localhost", queue: "inventory" })
 * ```
 */
export function rabbitMqQueue(options: RabbitMqQueueOptions): EventSource {
  return new RabbitMqQueueSource(options);
}

class RabbitMqQueueSource implements EventSource {
  readonly #queue: string;
  readonly #prefetch: number;
  readonly #consumer: ReconnectingConsumer;

  constructor({ connection, queue, prefetch = 100 }: RabbitMqQueueOptions) {
    checkConnection(connection);
    assertText("queue", queue);
    assertAtLeast("prefetch", prefetch, 1);
    this.#queue = queue;
    this.#prefetch = prefetch;
    this.#consumer = new ReconnectingConsumer(connection);
  }

  async run(host: SourceHost): Promise<void> {
    const subscription: Subscription = {
      queue: this.#queue,
      prefetch: this.#prefetch,
      arguments: {},
      begin: (channel, session) => new QueueChannel(this.#queue, channel, host, session),
    };
    await this.#consumer.run(host, async () => subscription);
  }

  async lag(): Promise<Lag[]> {
    const queue = this.#queue;
    return this.#consumer.ask("cannot ask for the lag", (connection) =>
      withChannel(connection.model, async (channel) => {
        const { messageCount } = await answered(channel.checkQueue(queue));
        return [{ place: queue, messages: messageCount }];
      }),
    );
  }
}

/** The messages of a queue on one channel. */
class QueueChannel implements ChannelWork {
  readonly #queue: string;
  readonly #channel: Channel;
  readonly #host: SourceHost;
  readonly #session: Session;
  readonly #acknowledgements: Acknowledgements;
  /** Consumers of the queue, with this one. */
  #consumers = 0;

  constructor(queue: string, channel: Channel, host: SourceHost, session: Session) {
    this.#queue = queue;
    this.#channel = channel;
    this.#host = host;
    this.#session = session;
    this.#acknowledgements = new Acknowledgements(channel);
  }

  async finish(): Promise<void> {
    this.#acknowledgements.flush();
    this.#consumers = await this.#countConsumers(this.#channel);
    await delay(graceMs);
  }

  /**
   * Waits until the queue has noticed: a quorum queue learns of the end of a channel only after the client does, and
   * gives a consumer that comes meanwhile the messages after those that it is about to take back.
   */
  async closed(model: ChannelModel): Promise<void> {
    const deadline = performance.now() + releaseLimitMs;
    const released = async (channel: Channel): Promise<void> => {
      while (performance.now() < deadline) {
        if ((await this.#countConsumers(channel)) < this.#consumers) return;
        await delay(releaseCheckMs);
      }
    };
    await withChannel(model, released, stopAnswerTimeoutMs);
  }

  async #countConsumers(channel: Channel): Promise<number> {
    const answer = channel.checkQueue(this.#queue);
    const { consumerCount } = await answered(answer, stopAnswerTimeoutMs);
    return consumerCount;
  }

  lost(): void {
    this.#acknowledgements.lose();
  }

  /** What is not handled goes back to the queue when the channel closes. */
  async received(message: ConsumeMessage): Promise<void> {
    const received = toReceived(message, `${this.#queue}#${message.fields.deliveryTag}`);
    const outcome = await this.#host.deliver(received, this.#session);
    if (outcome === "handled") this.#acknowledgements.add(message);
  }
}
