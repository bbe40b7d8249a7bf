import type { ConfirmChannel } from "amqplib";
import { CertwireError } from "../../errors/certwire-error.ts";
import type { OutboundEvent } from "../../events/outbound-event.ts";
import type { PublishOutcome, SinkFailure } from "../sink.ts";
import { StoredAhead } from "../stored-ahead.ts";
import type { RabbitMqConnection } from "./connection.ts";
import { toRabbitMqFailure } from "./errors.ts";
import type { ResolvedRabbitMqSinkOptions } from "./options.ts";
import { ConfirmWindow, type WindowResult } from "./window.ts";

/** One lane: its own confirm channel and a share of the window. */
export class RabbitMqLane {
  readonly #connection: RabbitMqConnection;
  readonly #options: ResolvedRabbitMqSinkOptions;
  readonly #ahead = new StoredAhead();
  #channel: ConfirmChannel | undefined;
  #channelError: unknown;
  /** True while events are sent one at a time, to find the one whose content makes the broker close the channel. */
  #isAlone = false;

  constructor(connection: RabbitMqConnection, options: ResolvedRabbitMqSinkOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  /** Publishes a batch: events of one key one after the other, different keys concurrently. */
  async publish(batch: readonly OutboundEvent[], signal: AbortSignal): Promise<PublishOutcome> {
    const wasAlone = this.#isAlone;
    let channel: ConfirmChannel;
    let result: WindowResult;
    try {
      channel = await this.#openChannel();
      const missing = this.#ahead.missingOf(batch);
      result = await new ConfirmWindow(missing, this.#windowOptions(channel)).run(signal);
    } catch (error) {
      return { acknowledged: 0, failure: toRabbitMqFailure(error) };
    }
    this.#ahead.add(result.confirmed);
    const acknowledged = this.#ahead.takePrefix(batch);
    await this.#tidy(channel, result);
    const head = batch[acknowledged];
    if (head === undefined) return { acknowledged };
    return { acknowledged, failure: this.#failureOf(head, result, wasAlone) };
  }

  #windowOptions(channel: ConfirmChannel) {
    const { exchange, routingKey, mode, window, lanes, confirmTimeoutMs } = this.#options;
    return {
      channel,
      exchange,
      routingKey,
      mode,
      confirmTimeoutMs,
      size: this.#isAlone ? 1 : Math.ceil(window / lanes),
      isBlocked: () => this.#connection.isBlocked,
      channelError: () => this.#channelError ?? this.#connection.lastError,
    };
  }

  async #openChannel(): Promise<ConfirmChannel> {
    if (this.#channel) return this.#channel;
    const channel = await this.#connection.openChannel();
    this.#channelError = undefined;
    channel.on("error", (error) => {
      this.#channelError = error;
    });
    channel.on("close", () => {
      if (this.#channel === channel) this.#channel = undefined;
    });
    this.#channel = channel;
    return channel;
  }

  async #tidy(channel: ConfirmChannel, result: WindowResult): Promise<void> {
    const { failure, isSettled, isContentRefused } = result;
    this.#isAlone = isContentRefused || (this.#isAlone && failure !== undefined);
    if (failure === undefined && isSettled) return;
    this.#channel = undefined;
    // Confirms that are still outstanding would be taken for those of the next batch.
    if (failure?.kind === "config") this.#connection.prepareAgain();
    if (!isSettled) this.#connection.destroy(channel, failure?.cause ?? new Error("unsettled"));
    else await channel.close().catch(() => undefined);
  }

  /** Why the first unacknowledged event was not acknowledged. */
  #failureOf(head: OutboundEvent, result: WindowResult, wasAlone: boolean): SinkFailure {
    const own = result.failures.get(head.id);
    if (own) return own;
    if (result.isContentRefused && result.failure) {
      return { kind: wasAlone ? "poison" : "reset", cause: result.failure.cause };
    }
    if (result.failure) return result.failure;
    const [first] = result.failures.values();
    const cause = first?.cause ?? new CertwireError("CERTWIRE_SINK_REJECTED", "stopped early");
    return { kind: "retry-identical", cause };
  }
}
