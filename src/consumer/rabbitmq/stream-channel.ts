import type { Channel, ConsumeMessage } from "amqplib";
import type { SourceHost } from "../event-source.ts";
import { HandledPrefix } from "../handled-prefix.ts";
import type { Session } from "../session.ts";
import { Acknowledgements } from "./acknowledgements.ts";
import { toReceived } from "./received.ts";
import { offsetOf } from "./stream-offset.ts";
import type { StreamPlace } from "./stream-place.ts";
import type { ChannelWork } from "./subscription.ts";

/** The stream that a channel reads, and the consumer's place in it. */
export interface StreamReading {
  readonly stream: string;
  readonly place: StreamPlace;
}

/**
 * The messages of a stream on one channel. Acknowledgements only make the broker send more; what counts is the offset
 * of the contiguous handled messages, to which the place moves.
 */
export class StreamChannel implements ChannelWork {
  readonly #host: SourceHost;
  readonly #session: Session;
  readonly #stream: string;
  readonly #place: StreamPlace;
  readonly #acknowledgements: Acknowledgements;
  readonly #prefix = new HandledPrefix();
  /** The place when the channel was opened. */
  readonly #after: bigint | undefined;
  readonly #move: (offset: bigint) => void;
  #isFirst = true;

  constructor(
    channel: Channel,
    host: SourceHost,
    session: Session,
    { stream, place }: StreamReading,
  ) {
    this.#host = host;
    this.#session = session;
    this.#stream = stream;
    this.#place = place;
    this.#after = place.offset;
    this.#move = place.mover();
    this.#acknowledgements = new Acknowledgements(channel);
  }

  async received(message: ConsumeMessage): Promise<void> {
    const offset = offsetOf(message);
    if (this.#isFirst) this.#checkStart(offset);
    // The broker may begin with the whole chunk in which the place is.
    if (this.#after !== undefined && offset <= this.#after) {
      this.#acknowledgements.add(message);
      return;
    }
    this.#prefix.add(offset);
    const received = toReceived(message, `${this.#stream}@${offset}`);
    const outcome = await this.#host.deliver(received, this.#session);
    if (outcome === "abandoned") return;
    this.#prefix.handled(offset);
    this.#acknowledgements.add(message);
    if (this.#prefix.last !== undefined) this.#move(this.#prefix.last);
  }

  async finish(): Promise<void> {
    this.#acknowledgements.flush();
    await this.#place.save();
  }

  async closed(): Promise<void> {}

  lost(): void {
    this.#acknowledgements.lose();
  }

  /** Retention may have deleted messages that were not consumed: that must not go unnoticed. */
  #checkStart(offset: bigint): void {
    this.#isFirst = false;
    const after = this.#after;
    if (after === undefined || offset <= after + 1n) return;
    const fields = { stream: this.#stream, from: String(after + 1n), to: String(offset - 1n) };
    this.#host.log.error(fields, "the stream no longer has messages that were not consumed");
  }
}
