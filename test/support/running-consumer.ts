import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { Consumer } from "../../src/consumer/consumer.ts";
import type { EventSource } from "../../src/consumer/event-source.ts";
import type { ConsumerOptions } from "../../src/consumer/options.ts";
import type { CertwireEvent } from "../../src/events/event.ts";
import { collectLog } from "./collect-log.ts";
import { sequenceOf } from "./sample-events.ts";
import { settled, until } from "./until.ts";

/** Quick retries of handlers, for tests. */
export const quickRetry = { initialMs: 1, maxMs: 20 };

/** A consumer that runs, and the events that it has handled. */
export class RunningConsumer {
  readonly events: CertwireEvent[];
  readonly consumer: Consumer;
  readonly lines: readonly Record<string, unknown>[];
  readonly ended: Promise<void>;
  #error: unknown;

  /** `effect`: further work of the handler, before an event counts as handled. */
  constructor(
    context: TestContext,
    source: EventSource,
    options: Partial<ConsumerOptions> = {},
    effect: (event: CertwireEvent) => Promise<void> | void = () => undefined,
    events: CertwireEvent[] = [],
  ) {
    this.events = events;
    const { log, lines } = collectLog();
    this.lines = lines;
    this.consumer = new Consumer({
      source,
      retry: quickRetry,
      logger: log,
      handlers: {
        otherwise: async (event) => {
          await effect(event);
          this.events.push(event);
        },
      },
      ...options,
    });
    this.ended = this.consumer.run();
    this.ended.catch((error: unknown) => {
      this.#error = error;
    });
    context.after(() => this.consumer.stop());
  }

  /** Waits until `condition` holds; fails at once when the consumer has ended with an error. */
  async until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
    const giveUp = (): void => {
      if (this.#error !== undefined) throw this.#error;
    };
    const state = () => ({ ...this.consumer.stats, events: this.events.length });
    await until(condition, what, { giveUp, state });
  }

  /** Waits until that many different events are handled. */
  async untilHandled(count: number): Promise<void> {
    const isDone = () => new Set(this.events.map(({ id }) => id)).size >= count;
    await this.until(isDone, `${count} events are handled`);
  }

  async stop(): Promise<void> {
    await settled(this.consumer.stop(), "the consumer has stopped");
    await this.ended;
  }
}

/** Makes sure that every event arrived, and that the first arrivals of each key are in the order of publishing. */
export function assertConsumed(
  arrived: readonly Pick<CertwireEvent, "id" | "partitionkey">[],
  published: readonly CertwireEvent[],
): void {
  const firsts = new Map(arrived.toReversed().map((event) => [event.id, event]));
  const inOrder = [...new Set(arrived.map(({ id }) => id))];
  assert.deepEqual(
    published.filter(({ id }) => !firsts.has(id)).map(sequenceOf),
    [],
    "events that never arrived",
  );
  for (const key of new Set(published.map(({ partitionkey }) => partitionkey))) {
    assert.deepEqual(
      inOrder.filter((id) => firsts.get(id)?.partitionkey === key),
      published.filter(({ partitionkey }) => partitionkey === key).map(({ id }) => id),
      `the order of ${key}`,
    );
  }
}
