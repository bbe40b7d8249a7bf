import type { Channel } from "amqplib";
import { CertwireError } from "../../errors/certwire-error.ts";
import type { EventSource, Lag, SourceHost } from "../event-source.ts";
import { assertAtLeast, assertText } from "../options.ts";
import type { Session } from "../session.ts";
import {
  answered,
  checkConnection,
  type RabbitMqConnectionOption,
  withChannel,
} from "./connection.ts";
import type { OffsetStore } from "./offset-store.ts";
import { ReconnectingConsumer } from "./reconnecting.ts";
import { StreamChannel } from "./stream-channel.ts";
import { firstOffsetOf } from "./stream-offset.ts";
import type { Subscription } from "./subscription.ts";

/** Where a consumer without a place begins: at the oldest message, after the newest one, or at a time. */
export type StreamStart = "first" | "next" | Date;

/** A stream, and where the consumer keeps its place. */
export interface RabbitMqStreamOptions {
  readonly connection: RabbitMqConnectionOption;
  /** The stream; it must exist. */
  readonly stream: string;
  /** Keeps the place of this consumer, such as `new FileOffsets("inventory.offset")`. */
  readonly offsets: OffsetStore;
  /** Where the consumer begins while `offsets` has no place. Default "first". */
  readonly from?: StreamStart;
  /** Messages that the broker hands out before the first of them is acknowledged. Default 100. */
  readonly prefetch?: number;
}

/**
 * Reads a stream of RabbitMQ over AMQP 0-9-1, and continues after the last handled message. One consumer reads the
 * whole stream: several with the same `offsets` would each handle everything. Throws CERTWIRE_CONSUMER_OPTIONS if an
 * option is invalid.
 *
 * ```ts
 * rabbitMqStream({
 *   connection: "amqp://guest:guest@localhost",
 *   stream: "certificates",
 *   offsets: new FileOffsets("inventory.offset"),
 * })
 * ```
 */
export function rabbitMqStream(options: RabbitMqStreamOptions): EventSource {
  return new RabbitMqStreamSource(options);
}

class RabbitMqStreamSource implements EventSource {
  readonly #stream: string;
  readonly #offsets: OffsetStore;
  readonly #from: StreamStart;
  readonly #prefetch: number;
  readonly #consumer: ReconnectingConsumer;

  constructor({ connection, stream, offsets, from, prefetch = 100 }: RabbitMqStreamOptions) {
    checkConnection(connection);
    assertText("stream", stream);
    assertAtLeast("prefetch", prefetch, 1);
    if (typeof Object(offsets).load !== "function") {
      throw new CertwireError("CERTWIRE_CONSUMER_OPTIONS", "offsets: there is no store");
    }
    this.#stream = stream;
    this.#offsets = offsets;
    this.#from = from ?? "first";
    this.#prefetch = prefetch;
    this.#consumer = new ReconnectingConsumer(connection);
  }

  async run(host: SourceHost): Promise<void> {
    await this.#consumer.run(host, () => this.#subscribe(host));
  }

  async lag(): Promise<Lag[]> {
    const stream = this.#stream;
    const saved = await this.#offsets.load();
    return this.#consumer.ask("cannot ask for the lag", ({ model }) =>
      withChannel(model, async (channel) => {
        const { messageCount } = await answered(channel.checkQueue(stream));
        if (messageCount === 0) return [{ place: stream, messages: 0 }];
        if (saved === undefined) return [{ place: stream, messages: messageCount }];
        const end = (await answered(firstOffsetOf(channel, stream))) + BigInt(messageCount);
        return [{ place: stream, messages: Math.max(0, Number(end - saved - 1n)) }];
      }),
    );
  }

  async #subscribe(host: SourceHost): Promise<Subscription> {
    const saved = await this.#offsets.load();
    const place = { stream: this.#stream, offsets: this.#offsets, saved };
    return {
      queue: this.#stream,
      prefetch: this.#prefetch,
      arguments: { "x-stream-offset": saved === undefined ? this.#start() : Number(saved + 1n) },
      begin: (channel: Channel, session: Session) =>
        new StreamChannel(channel, host, session, place),
      established: () => undefined,
    };
  }

  #start(): unknown {
    if (!(this.#from instanceof Date)) return this.#from;
    return { "!": "timestamp", value: Math.floor(this.#from.getTime() / 1000) };
  }
}
