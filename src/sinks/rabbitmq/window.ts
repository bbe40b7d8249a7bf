import type { ConfirmChannel, Message } from "amqplib";
import { isNack, isUnencodable } from "../../amqp/amqplib.ts";
import { clock, type Timer } from "../../clock.ts";
import { CertwireError } from "../../errors/certwire-error.ts";
import type { Destination } from "../../events/destination.ts";
import type { OutboundEvent } from "../../events/outbound-event.ts";
import type { ContentMode } from "../broker-options.ts";
import type { SinkFailure } from "../sink.ts";
import { type ContentRefusal, contentRefusalOf, toRabbitMqFailure } from "./errors.ts";
import { toAmqpMessage } from "./message.ts";

/** What a window needs to publish. */
export interface WindowOptions {
  readonly channel: ConfirmChannel;
  readonly mode: ContentMode;
  /** Maximum unconfirmed events. */
  readonly size: number;
  readonly confirmTimeoutMs: number;
  /** Exchange and routing key of an event. */
  destinationOf(event: OutboundEvent): Destination;
  /** True while nothing may be sent; this time does not count towards the timeout. */
  isBlocked(): boolean;
  /** Calls back each time that sending may go on. Returns what ends that. */
  onUnblocked(callback: () => void): () => void;
  /** Why the channel ended, if known. */
  channelError(): unknown;
}

/** The outcome of a window. */
export interface WindowResult {
  /** Ids of the events that the broker has confirmed. */
  readonly confirmed: ReadonlySet<string>;
  /** Failures of single events, by id. */
  readonly failures: ReadonlyMap<string, SinkFailure>;
  /** Why the window as a whole stopped. */
  readonly failure?: SinkFailure;
  /** How the broker refused the content of an event, and closed the channel for it. */
  readonly refusal?: ContentRefusal;
  /** Events that were sent. */
  readonly sent: number;
  /** True when the broker returned an event: the channel must not be used again (`RabbitMqLane`). */
  readonly hasReturned: boolean;
  /** False when confirms may still arrive: the channel must not be used again. */
  readonly isSettled: boolean;
}

/**
 * Publishes events over one channel with at most `size` unconfirmed and at most one unconfirmed per partition
 * key, so that after a nack or a return no later event of the same key gets ahead. After the first failure
 * nothing new is sent.
 */
export class ConfirmWindow {
  readonly #options: WindowOptions;
  readonly #events: readonly OutboundEvent[];
  readonly #confirmed = new Set<string>();
  readonly #failures = new Map<string, SinkFailure>();
  /** Why the broker returned an event, by its id. */
  readonly #returned = new Map<string, string>();
  /** For each key with an unconfirmed event, its later events, in order. */
  readonly #waiting = new Map<string, OutboundEvent[]>();
  #next = 0;
  #inFlight = 0;
  #sent = 0;
  #isFull = false;
  #failure: SinkFailure | undefined;
  /** The error with which the channel ended under unconfirmed events. */
  #ended: unknown;
  #lastProgress = clock.now();
  #timeout: Timer | undefined;
  #finish: () => void = () => {};
  #isFinished = false;

  constructor(events: readonly OutboundEvent[], options: WindowOptions) {
    this.#events = events;
    this.#options = options;
  }

  /** Publishes until all events are confirmed, or until nothing is in flight after a failure. */
  async run(signal: AbortSignal): Promise<WindowResult> {
    const { channel } = this.#options;
    const onReturn = (message: Message): void => this.#noteReturn(message);
    const onDrain = (): void => this.#drained();
    const onAbort = (): void => this.#giveUp("stopped before the broker confirmed");
    channel.on("return", onReturn);
    channel.on("drain", onDrain);
    const unsubscribe = this.#options.onUnblocked(() => this.#unblocked());
    signal.addEventListener("abort", onAbort, { once: true });
    this.#waitForConfirm(this.#options.confirmTimeoutMs);
    try {
      await new Promise<void>((resolve) => {
        this.#finish = resolve;
        if (signal.aborted) onAbort();
        else this.#pump();
      });
    } finally {
      this.#isFinished = true;
      clock.clear(this.#timeout);
      unsubscribe();
      signal.removeEventListener("abort", onAbort);
      channel.removeListener("return", onReturn);
      channel.removeListener("drain", onDrain);
    }
    return this.#result();
  }

  /** Only now all has been heard of why a channel ended: amqplib ends the channels before it names the reason. */
  #result(): WindowResult {
    const reason = this.#options.channelError() ?? this.#ended;
    const ended = this.#ended === undefined ? undefined : toRabbitMqFailure(reason);
    const failure = this.#failure ?? ended;
    const refusal = ended && contentRefusalOf(reason);
    return {
      confirmed: this.#confirmed,
      failures: this.#failures,
      ...(failure && { failure }),
      ...(refusal && { refusal }),
      sent: this.#sent,
      hasReturned: this.#returned.size > 0,
      isSettled: this.#inFlight === 0,
    };
  }

  #pump(): void {
    while (this.#maySend()) {
      const event = this.#events[this.#next];
      this.#next += 1;
      if (event === undefined) break;
      const waiting = this.#waiting.get(event.partitionKey);
      if (waiting) waiting.push(event);
      else this.#send(event);
    }
    const isStopped = this.#hasFailed() || this.#next >= this.#events.length;
    if (this.#inFlight === 0 && isStopped) this.#finish();
  }

  #maySend(): boolean {
    if (this.#hasFailed() || this.#isFull || this.#options.isBlocked()) return false;
    return this.#inFlight < this.#options.size && this.#next < this.#events.length;
  }

  #hasFailed(): boolean {
    return this.#failure !== undefined || this.#ended !== undefined || this.#failures.size > 0;
  }

  #send(event: OutboundEvent): void {
    const { channel, mode } = this.#options;
    const { exchange = "", routingKey = "" } = this.#options.destinationOf(event);
    if (!this.#waiting.has(event.partitionKey)) this.#waiting.set(event.partitionKey, []);
    if (this.#inFlight === 0) this.#lastProgress = clock.now();
    this.#inFlight += 1;
    this.#sent += 1;
    try {
      const { content, options } = toAmqpMessage(event, mode);
      // The event is queued even if amqplib's buffer is full (https://github.com/amqp-node/amqplib/issues/713).
      this.#isFull = !channel.publish(exchange, routingKey, content, options, (error: unknown) =>
        this.#settled(event, error),
      );
    } catch (error) {
      this.#refused(event, error);
    }
  }

  /** amqplib did not accept the event: it cannot be encoded, or the channel is closed. */
  #refused(event: OutboundEvent, error: unknown): void {
    if (isUnencodable(error)) {
      const message = "the event cannot be encoded for AMQP";
      const cause = new CertwireError("CERTWIRE_SINK_REJECTED", message, { cause: error });
      this.#failures.set(event.id, { kind: "poison", cause });
      this.#inFlight -= 1;
      return;
    }
    this.#failure = toRabbitMqFailure(this.#options.channelError() ?? error);
    this.#finish();
  }

  #settled(event: OutboundEvent, error: unknown): void {
    if (this.#isFinished) return;
    this.#inFlight -= 1;
    this.#lastProgress = clock.now();
    const returned = this.#returned.get(event.id);
    if (error) this.#unconfirmed(event, error);
    else if (returned !== undefined) this.#failures.set(event.id, unroutable(event.id, returned));
    else this.#confirm(event);
    this.#pump();
  }

  #confirm(event: OutboundEvent): void {
    this.#confirmed.add(event.id);
    const next = this.#hasFailed() ? undefined : this.#waiting.get(event.partitionKey)?.shift();
    if (next) this.#send(next);
    else this.#waiting.delete(event.partitionKey);
  }

  /** A nack concerns one event; any other error means that the channel has ended. */
  #unconfirmed(event: OutboundEvent, error: unknown): void {
    if (this.#options.channelError() === undefined && isNack(error)) {
      const cause = new CertwireError(
        "CERTWIRE_SINK_REJECTED",
        "the broker refused an event (nack)",
        { hint: "Check whether a queue of the exchange is full, or its node is down." },
      );
      this.#failures.set(event.id, { kind: "retry-identical", cause });
      return;
    }
    this.#ended ??= error;
  }

  /**
   * The broker confirms a returned event all the same, after the return; amqplib does not connect the two
   * (https://github.com/amqp-node/amqplib/issues/184).
   */
  #noteReturn({ fields, properties }: Message): void {
    const { replyCode, replyText, exchange, routingKey } = fields as ReturnFields;
    const id: unknown = properties.messageId;
    if (typeof id !== "string") return;
    const where = `exchange "${exchange}", routing key "${routingKey}"`;
    this.#returned.set(id, `${replyCode} ${replyText}, ${where}`);
  }

  #drained(): void {
    this.#isFull = false;
    this.#pump();
  }

  #unblocked(): void {
    this.#lastProgress = clock.now();
    this.#pump();
  }

  /** Gives up once nothing has been confirmed for the time of a confirm, of which `leftMs` are left at most. */
  #waitForConfirm(leftMs: number): void {
    this.#timeout = clock.setTimeout(() => {
      const now = clock.now();
      if (this.#options.isBlocked() || this.#inFlight === 0) this.#lastProgress = now;
      const { confirmTimeoutMs } = this.#options;
      const waitedMs = now - this.#lastProgress;
      if (waitedMs < confirmTimeoutMs) this.#waitForConfirm(confirmTimeoutMs - waitedMs);
      else this.#giveUp(`no confirm within ${confirmTimeoutMs} ms`);
    }, leftMs);
  }

  #giveUp(message: string): void {
    const cause = new CertwireError("CERTWIRE_SINK_UNREACHABLE", message);
    this.#failure ??= { kind: "reset", cause };
    this.#finish();
  }
}

/** Fields of basic.return; amqplib's types name those of a delivery only. */
interface ReturnFields {
  readonly replyCode?: number;
  readonly replyText?: string;
  readonly exchange: string;
  readonly routingKey: string;
}

function unroutable(id: string, reply: string): SinkFailure {
  const message = `the broker returned event ${id}: ${reply}`;
  const hint =
    "Bind a queue or stream to the exchange for this routing key, or start the node of the queue.";
  const cause = new CertwireError("CERTWIRE_SINK_REJECTED", message, { hint });
  return { kind: "unroutable", cause };
}
