import { setTimeout as delay } from "node:timers/promises";
import type { Channel, ConsumeMessage } from "amqplib";
import { describeError } from "../../errors/describe-error.ts";
import type { SourceHost } from "../event-source.ts";
import { HandledPrefix } from "../handled-prefix.ts";
import type { Session } from "../session.ts";
import { Acknowledgements } from "./acknowledgements.ts";
import type { OffsetStore } from "./offset-store.ts";
import { toReceived } from "./received.ts";
import { offsetOf } from "./stream-offset.ts";
import type { ChannelWork } from "./subscription.ts";

/** How often the place is saved while it moves, in ms. */
const saveIntervalMs = 1000;

/** The place of a consumer in a stream. */
export interface StreamPlace {
  readonly stream: string;
  readonly offsets: OffsetStore;
  /** Where the consumer was when the channel was opened; `undefined` for a new one. */
  readonly saved: bigint | undefined;
}

/**
 * The messages of a stream on one channel. Acknowledgements only make the broker send more; what counts is the offset
 * of the contiguous handled messages, which is saved.
 */
export class StreamChannel implements ChannelWork {
  readonly #host: SourceHost;
  readonly #session: Session;
  readonly #place: StreamPlace;
  readonly #acknowledgements: Acknowledgements;
  readonly #prefix = new HandledPrefix();
  #saved: bigint | undefined;
  #isFirst = true;
  #saving: Promise<void> | undefined;

  constructor(channel: Channel, host: SourceHost, session: Session, place: StreamPlace) {
    this.#host = host;
    this.#session = session;
    this.#place = place;
    this.#saved = place.saved;
    this.#acknowledgements = new Acknowledgements(channel);
  }

  received(message: ConsumeMessage): void {
    void this.#handle(message);
  }

  async finish(): Promise<void> {
    this.#acknowledgements.flush();
    await this.#saving;
    await this.#save();
  }

  async lost(): Promise<void> {
    this.#acknowledgements.lose();
    await this.#saving;
    await this.#trySave();
  }

  async closed(): Promise<void> {}

  async #handle(message: ConsumeMessage): Promise<void> {
    const offset = offsetOf(message);
    if (this.#isFirst) this.#checkStart(offset);
    // The broker may begin with the whole chunk in which the place is.
    if (this.#place.saved !== undefined && offset <= this.#place.saved) {
      this.#acknowledgements.add(message);
      return;
    }
    this.#prefix.add(offset);
    const received = toReceived(message, `${this.#place.stream}@${offset}`);
    const outcome = await this.#host.deliver(received, this.#session);
    if (outcome === "abandoned") return;
    this.#prefix.handled(offset);
    this.#acknowledgements.add(message);
    this.#saving ??= this.#saveSoon();
  }

  /** Retention may have deleted messages that were not consumed: that must not go unnoticed. */
  #checkStart(offset: bigint): void {
    this.#isFirst = false;
    const { saved, stream } = this.#place;
    if (saved === undefined || offset <= saved + 1n) return;
    const fields = { stream, from: String(saved + 1n), to: String(offset - 1n) };
    this.#host.log.error(fields, "the stream no longer has messages that were not consumed");
  }

  async #saveSoon(): Promise<void> {
    await delay(saveIntervalMs, undefined, { signal: this.#session.closing }).catch(
      () => undefined,
    );
    await this.#trySave();
    this.#saving = undefined;
  }

  async #trySave(): Promise<void> {
    try {
      await this.#save();
    } catch (error) {
      this.#host.log.error(describeError(error), "the place in the stream is not saved");
    }
  }

  async #save(): Promise<void> {
    const { last } = this.#prefix;
    if (last === undefined || last === this.#saved) return;
    await this.#place.offsets.save(last);
    this.#saved = last;
  }
}
