import type { Channel, ChannelModel, ConsumeMessage } from "amqplib";
import { unlessAborted } from "../../waiting.ts";
import type { SourceHost } from "../event-source.ts";
import type { Session } from "../session.ts";
import { answered, closeChannel } from "./connection.ts";

/** What happens with the messages of one channel. */
export interface ChannelWork {
  /** Rejects for a message that no further try would make valid. */
  received(message: ConsumeMessage): Promise<void>;
  /** Acknowledges what is handled, before the channel closes. */
  finish(): Promise<void>;
  /** The channel is closed after that. */
  closed(model: ChannelModel): Promise<void>;
  /** The channel is gone. */
  lost(): void;
}

/** A consumer on a channel. */
export interface Subscription {
  readonly queue: string;
  /** Messages that the broker hands out before the first of them is acknowledged. */
  readonly prefetch: number;
  /** Arguments of the AMQP consumer. */
  readonly arguments: Readonly<Record<string, unknown>>;
  /** Called for the new channel, before its first message. */
  begin(channel: Channel, session: Session): ChannelWork;
}

/** Who wants to know how a subscription goes. */
export interface SubscriptionEvents {
  /** Called once the broker has accepted the consumer. */
  established(): void;
  /** Called with the error of a message that no further try would make valid. */
  invalid(error: unknown): void;
}

/**
 * Consumes on one channel until the host is stopped; then what runs may finish and is acknowledged. Rejects when the
 * channel or its connection is lost, and with the reason of the host's signal if that is aborted before the broker has
 * accepted the consumer.
 */
export async function consumeOn(
  model: ChannelModel,
  host: SourceHost,
  subscription: Subscription,
  events: SubscriptionEvents,
): Promise<void> {
  const { signal } = host;
  const channel = await unlessAborted(answered(model.createChannel()), signal, {
    discard: closeChannel,
  });
  const end = new ChannelEnd(model, channel);
  const session = host.openSession();
  const work = subscription.begin(channel, session);
  try {
    await unlessAborted(answered(channel.prefetch(subscription.prefetch)), signal);
    const invalid = (error: unknown): void => {
      events.invalid(error);
      end.reject(error);
    };
    const deliver = (message: ConsumeMessage | null): void => {
      if (message === null) end.reject(new Error("the broker cancelled the consumer"));
      else work.received(message).catch(invalid);
    };
    const options = { arguments: subscription.arguments };
    await unlessAborted(answered(channel.consume(subscription.queue, deliver, options)), signal);
    events.established();
    await end.beforeAbortOf(signal);
    // The AMQP consumer is not cancelled: that would give the messages after ours to the next consumer of the queue
    // before those that we hold. The end of the channel gives back all at once.
    await end.before(session.close(host.stopTimeoutMs));
    await end.before(work.finish());
    await closeChannel(channel);
    await work.closed(model);
  } catch (error) {
    // Handlers that run may finish, but on this channel nothing can be acknowledged any more.
    void session.close(Number.POSITIVE_INFINITY);
    work.lost();
    await closeChannel(channel).catch(() => undefined);
    throw error;
  } finally {
    end.release();
  }
}

/** Rejects when a channel or its connection ends. */
class ChannelEnd {
  reject: (error: unknown) => void = () => undefined;
  readonly #model: ChannelModel;
  readonly #ended: Promise<never>;
  readonly #lost = (error?: Error): void =>
    this.reject(error ?? new Error("the connection was closed"));

  constructor(model: ChannelModel, channel: Channel) {
    this.#model = model;
    this.#ended = new Promise((_, reject) => {
      this.reject = reject;
    });
    this.#ended.catch(() => undefined);
    // The error tells why; a close follows it, or comes alone.
    channel.on("error", (error) => this.reject(error));
    channel.on("close", () => this.reject(new Error("the channel was closed")));
    model.once("close", this.#lost);
  }

  /** Resolves when the signal is aborted; leaves no listener on it, since a signal outlives many channels. */
  async beforeAbortOf(signal: AbortSignal): Promise<void> {
    let resolve: () => void = () => undefined;
    const aborted = new Promise<void>((done) => {
      resolve = done;
    });
    signal.addEventListener("abort", resolve, { once: true });
    if (signal.aborted) resolve();
    await this.before(aborted).finally(() => signal.removeEventListener("abort", resolve));
  }

  /** Leaves no listener on the connection, which may be the user's own. */
  release(): void {
    this.#model.removeListener("close", this.#lost);
  }

  async before<T>(step: Promise<T>): Promise<T> {
    return Promise.race([step, this.#ended]);
  }
}
