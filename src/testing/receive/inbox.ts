import { Consumer } from "../../consumer/consumer.ts";
import type { EventSource } from "../../consumer/event-source.ts";
import type { CertwireEvent } from "../../events/event.ts";

/** What came to a consumer, in the order of its coming. `openInbox` fills one from a broker; a test may fill its own. */
export class EventInbox {
  readonly #events: CertwireEvent[] = [];
  readonly #watchers = new Set<() => void>();
  #failure: Error | undefined;

  /** Every event so far. */
  get events(): readonly CertwireEvent[] {
    return this.#events;
  }

  /** Why nothing more comes; `undefined` as long as events can come. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Takes an event; call it from the consumer under test to expect what that has handled. */
  add(event: CertwireEvent): void {
    this.#events.push(event);
    this.#changed();
  }

  /** Ends every wait with an error. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#changed();
  }

  /** Calls `changed` when an event comes or no more can come, until the function that it returns is called. */
  watch(changed: () => void): () => void {
    this.#watchers.add(changed);
    return () => void this.#watchers.delete(changed);
  }

  #changed(): void {
    for (const changed of this.#watchers) changed();
  }
}

/** An inbox with a consumer of its own. */
export interface OpenInbox extends EventInbox {
  /** Stops the consumer. */
  close(): Promise<void>;
}

class ConsumingInbox extends EventInbox implements OpenInbox {
  readonly #consumer: Consumer;

  constructor(source: EventSource) {
    super();
    this.#consumer = new Consumer({
      source,
      handlers: { otherwise: (event) => this.add(event) },
      // A foreign message in the same queue fails no test.
      onDeadLetter: () => undefined,
    });
    this.#consumer.run().catch((error: Error) => this.fail(error));
  }

  async close(): Promise<void> {
    await this.#consumer.stop();
  }
}

/**
 * Opens an inbox on `kafkaTopic`, `rabbitMqQueue` or `rabbitMqStream` of `certwire/consumer`. Close it at the end of the
 * test. Events that came before stay in the topic: give each test its own topic or queue, or a new consumer group that
 * begins with the oldest event.
 */
export function openInbox(source: EventSource): OpenInbox {
  return new ConsumingInbox(source);
}
