import type { ConfirmChannel } from "amqplib";
import { hasUnsentFrames } from "../../amqp/amqplib.ts";
import { CertwireError } from "../../errors/certwire-error.ts";
import type { Destination } from "../../events/destination.ts";
import type { OutboundEvent } from "../../events/outbound-event.ts";
import { unlessAborted } from "../../waiting.ts";
import { publishStopped } from "../publish-stopped.ts";
import type { PublishOutcome, SinkFailure } from "../sink.ts";
import type { SizeLimit } from "../size-limit.ts";
import { StoredAhead } from "../stored-ahead.ts";
import type { RabbitMqConnection } from "./connection.ts";
import { type ContentRefusal, isChannelLimit, toRabbitMqFailure } from "./errors.ts";
import type { ResolvedRabbitMqSinkOptions } from "./options.ts";
import { failureOfTooLarge } from "./too-large.ts";
import { ConfirmWindow, type WindowResult } from "./window.ts";

/** What all lanes of a sink share. */
export interface LaneHost {
  readonly options: ResolvedRabbitMqSinkOptions;
  readonly connection: RabbitMqConnection;
  /** Maximum unconfirmed events of one lane. */
  readonly window: number;
  readonly sizeLimit: SizeLimit;
  /** Exchange and routing key of an event. */
  destinationOf(event: OutboundEvent): Destination;
  /** Makes a connection for one lane alone. */
  connect(): RabbitMqConnection;
}

/** One lane: its own confirm channel and a share of the window. */
export class RabbitMqLane {
  readonly #host: LaneHost;
  readonly #ahead = new StoredAhead();
  #channel: ConfirmChannel | undefined;
  #opening: Promise<ConfirmChannel> | undefined;
  #channelError: unknown;
  /** The end of the channel that was used before. */
  #leaving: Promise<void> = Promise.resolve();
  /** Events that were sent on the channel, returned ones included. */
  #sent = 0;
  /** True when frames of the closed channel would still be sent on its connection. */
  #hasUnsentFrames = false;
  /** True while events are sent one at a time, to find the one whose content the broker refuses. */
  #isAlone = false;
  /** True while events are sent one at a time, so that those before one whose exchange is refused are confirmed. */
  #isStepping = false;
  /** The lane's own connection while it is alone: its event may make the broker end the connection. */
  #own: RabbitMqConnection | undefined;

  /** `channel`: one that is open already. */
  constructor(host: LaneHost, channel: ConfirmChannel) {
    this.#host = host;
    this.#adopt(channel);
  }

  /** Publishes a batch: events of one key one after the other, different keys concurrently. */
  async publish(batch: readonly OutboundEvent[], signal: AbortSignal): Promise<PublishOutcome> {
    const wasAlone = this.#isAlone;
    let channel: ConfirmChannel;
    let result: WindowResult;
    try {
      ({ channel, result } = await this.#send(batch, signal));
    } catch (error) {
      const failure = this.#openFailure(error);
      return { acknowledged: this.#ahead.takePrefix(batch), failure };
    }
    const acknowledged = this.#ahead.takePrefix(batch);
    const head = batch[acknowledged];
    const failure = head && this.#failureOf(head, result, wasAlone);
    // Before it opens again, the sink closes the whole connection.
    if (failure?.scope !== "sink") {
      await this.#tidy(channel, result);
      if (failure?.kind === "unroutable") this.#connection.repairTopology();
      // One that RabbitMQ 3.10 never recovers refuses everything; a queue that is full may take some.
      const isRefused = result.failures.size > 0 && result.confirmed.size === 0;
      if (result.hasReturned || isRefused || this.#space === 0) this.#leave(channel);
    }
    return failure === undefined
      ? { acknowledged }
      : { acknowledged, failure: this.#orFailedRepair(failure) };
  }

  /** Sends what is missing of a batch, on as many channels as it takes; resolves with the last one. */
  async #send(
    batch: readonly OutboundEvent[],
    signal: AbortSignal,
  ): Promise<{ channel: ConfirmChannel; result: WindowResult }> {
    for (;;) {
      const channel = await unlessAborted(this.#openChannel(), signal, { error: publishStopped });
      const missing = this.#ahead.missingOf(batch);
      const portion = missing.slice(0, this.#space);
      const result = await new ConfirmWindow(portion, this.#windowOptions(channel)).run(signal);
      this.#ahead.add(result.confirmed);
      this.#sent += result.sent;
      const hasFailed = result.failure !== undefined || result.failures.size > 0;
      if (hasFailed || portion.length === missing.length) return { channel, result };
      this.#leave(channel);
    }
  }

  /** How many more events the channel may carry. */
  get #space(): number {
    return Math.max(0, this.#connection.maxEventsOfChannel - this.#sent);
  }

  /** An event whose queue cannot be declared again waits for that: no missing right makes a dead letter. */
  #orFailedRepair(failure: SinkFailure): SinkFailure {
    const { repairError } = this.#connection;
    return failure.kind === "unroutable" && repairError !== undefined
      ? toRabbitMqFailure(repairError)
      : failure;
  }

  /** Ends the lane's own connection, if it has one. The shared one belongs to the sink. */
  async close(): Promise<void> {
    const own = this.#own;
    this.#own = undefined;
    if (own === undefined) return;
    this.#channel = undefined;
    await own.close();
  }

  get #connection(): RabbitMqConnection {
    return this.#own ?? this.#host.connection;
  }

  #windowOptions(channel: ConfirmChannel) {
    const { mode, confirmTimeoutMs } = this.#host.options;
    const connection = this.#connection;
    return {
      channel,
      mode,
      confirmTimeoutMs,
      destinationOf: (event: OutboundEvent) => this.#host.destinationOf(event),
      size: this.#isAlone || this.#isStepping ? 1 : this.#host.window,
      isBlocked: () => connection.isBlocked || connection.isPreparing,
      onUnblocked: (callback: () => void) => connection.onUnblocked(callback),
      channelError: () => this.#channelError ?? connection.lastError,
    };
  }

  async #openChannel(): Promise<ConfirmChannel> {
    if (this.#channel) return this.#channel;
    this.#opening ??= this.#leaving
      .then(() => this.#connection.openChannel())
      .finally(() => {
        this.#opening = undefined;
      });
    return this.#adopt(await this.#opening);
  }

  #adopt(channel: ConfirmChannel): ConfirmChannel {
    if (this.#channel === channel) return channel;
    this.#channelError = undefined;
    this.#hasUnsentFrames = false;
    this.#sent = 0;
    channel.on("error", (error) => {
      this.#channelError = error;
      this.#hasUnsentFrames = hasUnsentFrames(channel);
    });
    channel.on("close", () => {
      if (this.#channel === channel) this.#channel = undefined;
    });
    this.#channel = channel;
    return channel;
  }

  /** With fewer channels than lanes the sink has to be opened again, with fewer lanes. */
  #openFailure(error: unknown): SinkFailure {
    const failure = toRabbitMqFailure(error);
    if (this.#own !== undefined || !isChannelLimit(error)) return failure;
    return { kind: "reset", scope: "sink", cause: failure.cause };
  }

  async #tidy(channel: ConfirmChannel, result: WindowResult): Promise<void> {
    const { failure, isSettled, refusal } = result;
    if (failure?.kind === "config") this.#connection.prepareAgain();
    // Confirms that are still outstanding would be taken for those of the next batch.
    if (!isSettled || this.#hasUnsentFrames) {
      this.#channel = undefined;
      this.#connection.destroy(channel, failure?.cause ?? new Error("unsettled"));
    }
    this.#isAlone = refusal !== undefined || (this.#isAlone && failure !== undefined);
    this.#isStepping = failure !== undefined && (this.#isStepping || needsHelp(failure));
    if (!this.#isAlone) await this.close();
    // The event of another lane must not end the connection under this one's, which would look guilty.
    else if (refusal) this.#own ??= this.#host.connect();
  }

  /**
   * The next batch has another channel. RabbitMQ before 4.0 numbers what a channel sends to a stream apart from what it
   * sends elsewhere. When the stream's leader changes, it mistakes one number for the other: it drops as many events as
   * the channel has sent without the stream getting them, and confirms them
   * (https://github.com/rabbitmq/rabbitmq-server/pull/12236). So a channel ends after a returned event, and in any case
   * after `maxEventsOfChannel`, which limits what can be lost. It is closed before the next one is opened, since the broker may not
   * allow one more.
   *
   * It also ends after a nack: RabbitMQ 3.10 refuses everything for a quorum queue on a channel whose first message to it came
   * before the queue had a leader in the place of one that is down, until that one is back.
   */
  #leave(channel: ConfirmChannel): void {
    if (this.#channel !== channel) return;
    this.#channel = undefined;
    this.#leaving = this.#connection.closeChannel(channel);
  }

  /** Why the first unacknowledged event was not acknowledged. */
  #failureOf(head: OutboundEvent, result: WindowResult, wasAlone: boolean): SinkFailure {
    const { failures, failure, refusal } = result;
    const own = failures.get(head.id);
    if (own) return own;
    if (refusal && failure) return this.#refused(head, refusal, failure.cause, wasAlone);
    if (failure) return failure;
    const [first] = failures.values();
    const cause = first?.cause ?? new CertwireError("CERTWIRE_SINK_REJECTED", "stopped early");
    return { kind: "retry-identical", cause };
  }

  #refused(
    head: OutboundEvent,
    refusal: ContentRefusal,
    cause: Error,
    wasAlone: boolean,
  ): SinkFailure {
    if (refusal.isTooLarge) {
      const tooLarge = { refusal, cause, event: head, isAlone: wasAlone };
      return failureOfTooLarge(this.#host.sizeLimit, tooLarge);
    }
    return { kind: wasAlone ? refusal.failure.kind : "reset", cause };
  }
}

/** True for a failure that someone must act upon, such as an exchange that is missing, or may not be written to. */
function needsHelp({ kind }: SinkFailure): boolean {
  return kind === "config" || kind === "auth";
}
