import { createHash } from "node:crypto";
import type { Logger } from "pino";
import { checkAmqplibVersion } from "../../amqp/amqplib.ts";
import type { Destination } from "../../events/destination.ts";
import type { OutboundEvent } from "../../events/outbound-event.ts";
import { logLine } from "../../log/log-line.ts";
import { publishOn } from "../broker-lane.ts";
import type { DestinationFinding, PublishOutcome, Sink, SinkFailure, SinkLimits } from "../sink.ts";
import { SizeLimit } from "../size-limit.ts";
import { openChannels } from "./channels.ts";
import { RabbitMqConnection } from "./connection.ts";
import { allExchanges, rabbitmqDestinations } from "./destinations.ts";
import { toRabbitMqError, toRabbitMqFailure } from "./errors.ts";
import { type LaneHost, RabbitMqLane } from "./lane.ts";
import { RabbitMqMonitor } from "./monitor.ts";
import type { ResolvedRabbitMqSinkOptions } from "./options.ts";

/** Publishes to exchanges of RabbitMQ; several channels keep the window full while one finishes its batch. */
export class RabbitMqSink implements Sink {
  readonly kind = "rabbitmq";
  readonly name: string;
  readonly #options: ResolvedRabbitMqSinkOptions;
  readonly #log: Logger;
  readonly #monitor: RabbitMqMonitor;
  readonly #sizeLimit: SizeLimit;
  readonly #destinationOf: (event: OutboundEvent) => Destination;
  #connection: RabbitMqConnection | undefined;
  /** The connection that `open` has made and not opened channels on yet: a broker may block that one, too. */
  #opening: RabbitMqConnection | undefined;
  #lanes: RabbitMqLane[] = [];
  /** Lanes that a warning named last. */
  #warnedLanes: number;

  constructor(options: ResolvedRabbitMqSinkOptions, log: Logger) {
    this.name = options.name;
    this.#options = options;
    this.#log = log;
    this.#monitor = new RabbitMqMonitor(log);
    this.#sizeLimit = new SizeLimit(options.limits);
    this.#warnedLanes = options.lanes;
    const { fallback } = rabbitmqDestinations(options);
    this.#destinationOf = ({ destination, kind }) => destination ?? fallback({ kind });
  }

  /** As many as the options ask for, or as the broker allows channels. */
  get lanes(): number {
    return this.#lanes.length;
  }

  get limits(): SinkLimits {
    return this.#sizeLimit.limits;
  }

  get findings(): readonly DestinationFinding[] {
    const [lanes, wanted] = [this.#lanes.length, this.#options.lanes];
    const found = this.#connection?.findings ?? [];
    if (lanes === 0 || lanes >= wanted) return found;
    const message = `the broker allows ${lanes} of the ${wanted} channels that lanes asks for`;
    const hint = "Raise channel_max of the broker or max-channels of the user, or lower lanes.";
    return [{ message, hint }, ...found];
  }

  get isBlocked(): boolean {
    return (this.#connection ?? this.#opening)?.isBlocked ?? false;
  }

  get connectionFailure(): SinkFailure | undefined {
    const error = this.#connection?.failure;
    return error === undefined ? undefined : toRabbitMqFailure(error);
  }

  reconnect(): void {
    // A failed attempt is the next `connectionFailure`.
    this.#connection?.connect().catch(() => undefined);
  }

  async open(signal?: AbortSignal): Promise<void> {
    await this.#disconnect();
    checkAmqplibVersion();
    this.#applySizeLimit();
    const options = this.#options;
    const connect = () => new RabbitMqConnection(options, this.#monitor);
    const connectToOpen = () => (this.#opening = connect());
    try {
      const { connection, channels } = await openChannels(connectToOpen, options.lanes, signal);
      const window = Math.ceil(options.window / channels.length);
      const [sizeLimit, destinationOf] = [this.#sizeLimit, this.#destinationOf];
      const host: LaneHost = { options, connection, window, sizeLimit, destinationOf, connect };
      connection.isEstablished = true;
      this.#connection = connection;
      this.#lanes = channels.map((channel) => new RabbitMqLane(host, channel));
    } catch (error) {
      const names = allExchanges(options).map((name) => `"${name}"`);
      const what = names.length === 1 ? "exchange" : "exchanges";
      throw toRabbitMqError(error, `cannot open ${what} ${names.join(", ")}`);
    } finally {
      this.#opening = undefined;
    }
    this.#reportLanes();
  }

  laneOf({ partitionKey }: OutboundEvent): number {
    return createHash("sha1").update(partitionKey).digest().readUInt32BE() % this.#lanes.length;
  }

  async publish(
    lane: number,
    batch: readonly OutboundEvent[],
    signal: AbortSignal,
  ): Promise<PublishOutcome> {
    return publishOn(this.#lanes[lane], batch, signal);
  }

  async close(): Promise<void> {
    await this.#disconnect();
    this.#monitor.close();
  }

  async #disconnect(): Promise<void> {
    const [connection, lanes] = [this.#connection, this.#lanes];
    this.#connection = undefined;
    this.#lanes = [];
    await Promise.all([connection?.close(), ...lanes.map((lane) => lane.close())]);
  }

  #applySizeLimit(): void {
    const before = this.limits.maxEventBytes;
    if (!this.#sizeLimit.apply()) return;
    const { maxEventBytes } = this.limits;
    const message = "the broker accepts smaller messages only: larger events are made smaller";
    logLine(this.#log, message, { maxEventBytes, before });
  }

  #reportLanes(): void {
    const lanes = this.#lanes.length;
    if (lanes < this.#options.lanes && lanes !== this.#warnedLanes) {
      const message = "the broker allows fewer channels than lanes are configured";
      logLine(this.#log, message, { lanes, wanted: this.#options.lanes });
    }
    this.#warnedLanes = lanes;
  }
}
