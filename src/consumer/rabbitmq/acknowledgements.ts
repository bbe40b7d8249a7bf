import type { Channel, ConsumeMessage } from "amqplib";

/** How long acknowledgements are gathered, in ms, and the most that wait so long. */
const gatherMs = 10;
const mostGathered = 25;

/**
 * Acknowledges the messages of one channel, in any order. Those that are next to each other go out in one: a quorum
 * queue forgets single ones that are under way when the channel closes, and fewer are also less work.
 */
export class Acknowledgements {
  readonly #channel: Channel;
  /** Handled and not acknowledged yet, by delivery tag. */
  readonly #gathered = new Map<number, ConsumeMessage>();
  /** Acknowledged above `#next`. */
  readonly #ahead = new Set<number>();
  /** The lowest delivery tag that is not handled; a channel counts from 1. */
  #next = 1;
  #timer: NodeJS.Timeout | undefined;
  #isLost = false;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  /** Acknowledges a message soon. */
  add(message: ConsumeMessage): void {
    if (this.#isLost) return;
    this.#gathered.set(message.fields.deliveryTag, message);
    if (this.#gathered.size >= mostGathered) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), gatherMs);
  }

  /** Acknowledges what is gathered, now. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#isLost) return;
    try {
      this.#send();
    } catch {
      // The channel has just been closed, which its owner learns from its events.
      this.lose();
    }
  }

  /** The channel is gone, and with it all acknowledgements that it still owes. */
  lose(): void {
    this.#isLost = true;
    clearTimeout(this.#timer);
    this.#gathered.clear();
  }

  #send(): void {
    const last = this.#takePrefix();
    if (last !== undefined) this.#channel.ack(last, true);
    for (const [tag, message] of this.#gathered) {
      this.#channel.ack(message);
      this.#ahead.add(tag);
    }
    this.#gathered.clear();
  }

  /** Takes the handled messages before the first one that is not; returns the last one to acknowledge. */
  #takePrefix(): ConsumeMessage | undefined {
    let last: ConsumeMessage | undefined;
    for (;;) {
      const message = this.#gathered.get(this.#next);
      if (message === undefined && !this.#ahead.delete(this.#next)) return last;
      // The broker knows a tag no longer that was acknowledged before, so such a one cannot be the last.
      last = message ?? last;
      this.#gathered.delete(this.#next);
      this.#next += 1;
    }
  }
}
