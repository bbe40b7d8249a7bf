import type { ConfirmChannel, Message } from "amqplib";
import { CertwireError } from "../../errors/certwire-error.ts";
import type { ContentMode } from "../broker-options.ts";
import type { OutboundEvent, SinkFailure } from "../sink.ts";
import { isUnencodable, refusesContent, toRabbitMqFailure } from "./errors.ts";
import { toAmqpMessage } from "./message.ts";

/** How often time-outs and a blocked connection are looked at, in ms. */
const tickMs = 100;

/** What a window needs to publish. */
export interface WindowOptions {
  readonly channel: ConfirmChannel;
  readonly exchange: string;
  readonly routingKey: string;
  readonly mode: ContentMode;
  /** Most unconfirmed events. */
  readonly size: number;
  readonly confirmTimeoutMs: number;
  /** True while nothing may be sent; the clock of the time-out stands still then. */
  isBlocked(): boolean;
  /** Why the channel ended, where that is known. */
  channelError(): unknown;
}

/** What became of the events of a window. */
export interface WindowResult {
  readonly confirmed: ReadonlySet<string>;
  /** Failures of single events, by id. */
  readonly failures: ReadonlyMap<string, SinkFailure>;
  /** Why all of them stopped. */
  readonly failure?: SinkFailure;
  /** The broker closed the channel over the content of an event. */
  readonly isContentRefused: boolean;
  /** False when confirms may still be on their way: the channel must not be used again. */
  readonly isSettled: boolean;
}

/**
 * Publishes events over one channel with at most `size` unconfirmed and at most one unconfirmed for each
 * partition key, so that a nack or a return never lets a later event of the same key go before. Nothing
 * new is sent after the first failure.
 */
export class ConfirmWindow {
  readonly #options: WindowOptions;
  readonly #events: readonly OutboundEvent[];
  readonly #confirmed = new Set<string>();
  readonly #failures = new Map<string, SinkFailure>();
  readonly #returned = new Map<string, string>();
  /** Later events of the keys that have one unconfirmed, in order. */
  readonly #behind = new Map<string, OutboundEvent[]>();
  #next = 0;
  #inFlight = 0;
  #isFull = false;
  #failure: SinkFailure | undefined;
  #isContentRefused = false;
  #lastProgress = performance.now();
  #finish: () => void = () => {};
  #isFinished = false;

  constructor(events: readonly OutboundEvent[], options: WindowOptions) {
    this.#events = events;
    this.#options = options;
  }

  /** Publishes until all events are confirmed, or until nothing is under way after a failure. */
  async run(signal: AbortSignal): Promise<WindowResult> {
    const { channel } = this.#options;
    const onReturn = (message: Message): void => this.#noteReturn(message);
    const onDrain = (): void => this.#drained();
    const onAbort = (): void => this.#giveUp("stopped before the broker confirmed");
    channel.on("return", onReturn);
    channel.on("drain", onDrain);
    signal.addEventListener("abort", onAbort, { once: true });
    const clock = setInterval(() => this.#tick(), tickMs);
    try {
      await new Promise<void>((resolve) => {
        this.#finish = resolve;
        if (signal.aborted) onAbort();
        else this.#pump();
      });
    } finally {
      this.#isFinished = true;
      clearInterval(clock);
      signal.removeEventListener("abort", onAbort);
      channel.removeListener("return", onReturn);
      channel.removeListener("drain", onDrain);
    }
    return {
      confirmed: this.#confirmed,
      failures: this.#failures,
      ...(this.#failure && { failure: this.#failure }),
      isContentRefused: this.#isContentRefused,
      isSettled: this.#inFlight === 0,
    };
  }

  #pump(): void {
    while (this.#maySend()) {
      const event = this.#events[this.#next];
      this.#next += 1;
      if (event === undefined) break;
      const behind = this.#behind.get(event.partitionKey);
      if (behind) behind.push(event);
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
    return this.#failure !== undefined || this.#failures.size > 0;
  }

  #send(event: OutboundEvent): void {
    const { channel, exchange, mode } = this.#options;
    if (!this.#behind.has(event.partitionKey)) this.#behind.set(event.partitionKey, []);
    if (this.#inFlight === 0) this.#lastProgress = performance.now();
    this.#inFlight += 1;
    try {
      const { routingKey, content, options } = toAmqpMessage(event, this.#options.routingKey, mode);
      this.#isFull = !channel.publish(exchange, routingKey, content, options, (error: unknown) =>
        this.#settled(event, error),
      );
    } catch (error) {
      this.#refused(event, error);
    }
  }

  /** amqplib did not take the event: it cannot be written, or the channel is closed. */
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
    this.#lastProgress = performance.now();
    const returned = this.#returned.get(event.id);
    if (error) this.#unconfirmed(event, error);
    else if (returned !== undefined) this.#failures.set(event.id, unroutable(returned));
    else this.#confirm(event);
    this.#pump();
  }

  #confirm(event: OutboundEvent): void {
    this.#confirmed.add(event.id);
    const behind = this.#behind.get(event.partitionKey);
    const next = this.#hasFailed() ? undefined : behind?.shift();
    if (next) this.#send(next);
    else this.#behind.delete(event.partitionKey);
  }

  /** A nack concerns one event; anything else is the end of the channel. */
  #unconfirmed(event: OutboundEvent, error: unknown): void {
    const channelError = this.#options.channelError();
    if (channelError === undefined && (error as Error).message === "message nacked") {
      const cause = new CertwireError(
        "CERTWIRE_SINK_REJECTED",
        "the broker refused an event (nack)",
      );
      this.#failures.set(event.id, { kind: "retry-identical", cause });
      return;
    }
    this.#isContentRefused ||= refusesContent(channelError);
    this.#failure ??= toRabbitMqFailure(channelError ?? error);
  }

  #noteReturn({ fields, properties }: Message): void {
    const { replyCode, replyText } = fields as { replyCode?: number; replyText?: string };
    const id: unknown = properties.messageId;
    if (typeof id === "string") this.#returned.set(id, `${replyCode} ${replyText}`);
  }

  #drained(): void {
    this.#isFull = false;
    this.#pump();
  }

  #tick(): void {
    if (this.#options.isBlocked()) {
      this.#lastProgress = performance.now();
      return;
    }
    const waitedMs = performance.now() - this.#lastProgress;
    if (this.#inFlight > 0 && waitedMs > this.#options.confirmTimeoutMs) {
      this.#giveUp(`no confirm within ${this.#options.confirmTimeoutMs} ms`);
    } else {
      this.#pump();
    }
  }

  #giveUp(message: string): void {
    const cause = new CertwireError("CERTWIRE_SINK_UNREACHABLE", message);
    this.#failure ??= { kind: "reset", cause };
    this.#finish();
  }
}

function unroutable(reply: string): SinkFailure {
  const message = `the broker returned an event: ${reply}`;
  const hint = "Bind a queue or stream to the exchange for this routing key.";
  const cause = new CertwireError("CERTWIRE_SINK_REJECTED", message, { hint });
  return { kind: "poison", curable: true, cause };
}
