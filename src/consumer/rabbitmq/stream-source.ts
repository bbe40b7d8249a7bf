import type { Channel, ChannelModel } from "amqplib";
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
import { firstOffsetOf, newestOffsetOf } from "./stream-offset.ts";
import { StreamPlace, type StreamStart } from "./stream-place.ts";
import { findStart, settleMs } from "./stream-start.ts";
import type { Subscription } from "./subscription.ts";

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
    const place = new StreamPlace(this.#offsets, this.#from, host.log);
    try {
      await this.#consumer.run(host, (model) => this.#subscribe(model, host, place));
    } finally {
      await place.end();
    }
  }

  async lag(): Promise<Lag[]> {
    const stream = this.#stream;
    const saved = await this.#offsets.load();
    return this.#consumer.ask("cannot ask for the lag", async ({ model }) => {
      return [{ place: stream, messages: await this.#messagesAfter(model, saved) }];
    });
  }

  async #messagesAfter(model: ChannelModel, saved: bigint | undefined): Promise<number> {
    const stream = this.#stream;
    const { messageCount } = await withChannel(model, (channel) =>
      answered(channel.checkQueue(stream)),
    );
    if (messageCount === 0 || saved === undefined) return messageCount;
    const first = await withChannel(model, (channel) => firstOffsetOf(channel, stream));
    // What retention has deleted is not delivered.
    const next = saved + 1n > first ? saved + 1n : first;
    const behind = first + BigInt(messageCount) - next;
    if (behind >= 0n) return Number(behind);
    // The count may be a few seconds old, or the stream ends before the place: then all of it is to be delivered.
    const options = { waitMs: settleMs, atLeast: saved };
    const newest = await newestOffsetOf(model, stream, options);
    if (newest === undefined) return 0;
    return Number(newest >= saved ? newest - saved : newest - first + 1n);
  }

  async #subscribe(
    model: ChannelModel,
    host: SourceHost,
    place: StreamPlace,
  ): Promise<Subscription> {
    const stream = this.#stream;
    const start = await findStart(model, stream, place, host.log);
    return {
      queue: stream,
      prefetch: this.#prefetch,
      arguments: { "x-stream-offset": start },
      begin: (channel: Channel, session: Session) =>
        new StreamChannel(channel, host, session, { stream, place }),
    };
  }
}
