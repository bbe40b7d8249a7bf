import { createHash } from "node:crypto";
import type { Logger } from "pino";
import type { OutboundEvent } from "../../events/outbound-event.ts";
import { publishOn } from "../broker-lane.ts";
import type { PublishOutcome, Sink, SinkLimits } from "../sink.ts";
import { checkAmqplibVersion } from "./amqplib.ts";
import { RabbitMqConnection } from "./connection.ts";
import { toRabbitMqError } from "./errors.ts";
import { RabbitMqLane } from "./lane.ts";
import type { ResolvedRabbitMqSinkOptions } from "./options.ts";

/** Publishes to one RabbitMQ exchange; several channels keep the window full while one finishes its batch. */
export class RabbitMqSink implements Sink {
  readonly kind = "rabbitmq";
  readonly name: string;
  readonly lanes: number;
  readonly limits: SinkLimits;
  readonly #options: ResolvedRabbitMqSinkOptions;
  readonly #log: Logger;
  #connection: RabbitMqConnection | undefined;
  #lanes: RabbitMqLane[] = [];

  constructor(options: ResolvedRabbitMqSinkOptions, log: Logger) {
    this.name = options.name;
    this.lanes = options.lanes;
    this.limits = options.limits;
    this.#options = options;
    this.#log = log;
  }

  async open(signal?: AbortSignal): Promise<void> {
    await this.close();
    checkAmqplibVersion();
    const connection = new RabbitMqConnection(this.#options, this.#log);
    try {
      const channel = await connection.openChannel();
      await channel.close();
      signal?.throwIfAborted();
    } catch (error) {
      await connection.close();
      throw toRabbitMqError(error, `cannot open exchange "${this.#options.exchange}"`);
    }
    this.#connection = connection;
    this.#lanes = Array.from(
      { length: this.lanes },
      () => new RabbitMqLane(connection, this.#options),
    );
  }

  laneOf({ partitionKey }: OutboundEvent): number {
    return createHash("sha1").update(partitionKey).digest().readUInt32BE() % this.lanes;
  }

  async publish(
    lane: number,
    batch: readonly OutboundEvent[],
    signal: AbortSignal,
  ): Promise<PublishOutcome> {
    return publishOn(this.#lanes[lane], batch, signal);
  }

  async close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    this.#lanes = [];
    await connection?.close();
  }
}
