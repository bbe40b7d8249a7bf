import { setTimeout as delay } from "node:timers/promises";
import type { EachBatchPayload, KafkaMessage } from "kafkajs";
import { describeCause } from "../../errors/describe-cause.ts";
import type { SourceHost } from "../event-source.ts";
import { HandledPrefix } from "../handled-prefix.ts";
import { type ReceivedMessage, textHeaders } from "../message.ts";
import type { Session } from "../session.ts";

/** How often a running batch sends a heartbeat, if one is due, and commits what is handled, in ms. */
const tickMs = 1000;

/** What a batch needs besides what kafkajs gives it. */
export interface BatchHost {
  readonly host: SourceHost;
  /** Longest wait for running handlers when a rebalance takes the partition, in ms. */
  readonly rebalanceWaitMs: number;
  /** True while this member has the partition; kafkajs cannot bear an offset of another one. */
  readonly isAssigned: (topic: string, partition: number) => boolean;
}

/**
 * The messages that kafkajs fetched from one partition. Their handlers run side by side, as far as their keys allow,
 * and the offset of the contiguous handled ones is committed. When heartbeats say that the group rebalances, no
 * further handler starts.
 */
export class PartitionBatch {
  readonly #payload: EachBatchPayload;
  readonly #batchHost: BatchHost;
  readonly #session: Session;
  readonly #prefix = new HandledPrefix();
  #committed: bigint | undefined;

  constructor(payload: EachBatchPayload, batchHost: BatchHost) {
    this.#payload = payload;
    this.#batchHost = batchHost;
    this.#session = batchHost.host.openSession();
  }

  /** Handles the batch. Rejects with what kafkajs's heartbeat or commit threw, for kafkajs to act upon. */
  async run(): Promise<void> {
    const { signal, stopTimeoutMs } = this.#batchHost.host;
    const stop = (): void => void this.#session.close(stopTimeoutMs);
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    const settled = this.#deliverAll();
    try {
      await this.#keepAlive(settled);
    } catch (error) {
      await this.#leave(settled);
      throw error;
    } finally {
      signal.removeEventListener("abort", stop);
    }
    this.#resolve();
    await this.#commit();
  }

  async #deliverAll(): Promise<void> {
    const { topic, partition, messages } = this.#payload.batch;
    for (const { offset } of messages) this.#prefix.add(BigInt(offset));
    await Promise.all(
      messages.map(async (message) => {
        const received = toReceived(message, `${topic}/${partition}@${message.offset}`);
        const outcome = await this.#batchHost.host.deliver(received, this.#session);
        if (outcome === "handled") this.#prefix.handled(BigInt(message.offset));
      }),
    );
  }

  /** Waits until all is settled; keeps this member in the group meanwhile. */
  async #keepAlive(settled: Promise<void>): Promise<void> {
    for (;;) {
      const timer = new AbortController();
      const tick = delay(tickMs, false, { signal: timer.signal }).catch(() => false);
      const isSettled = await Promise.race([settled.then(() => true), tick]);
      timer.abort();
      if (isSettled) return;
      await this.#payload.heartbeat();
      await this.#commit();
    }
  }

  /** Lets running handlers finish before the partition goes to another member, and commits what they did. */
  async #leave(settled: Promise<void>): Promise<void> {
    const { rebalanceWaitMs, host } = this.#batchHost;
    const closing = this.#session.close(Math.min(rebalanceWaitMs, host.stopTimeoutMs));
    const ended = Promise.all([closing, settled]).then(() => true);
    while (!(await Promise.race([ended, delay(tickMs, false)]))) {
      // The broker keeps the member, and its right to commit, only as long as it hears of it.
      await this.#payload.heartbeat().catch(() => undefined);
    }
    this.#resolve();
    await this.#commit().catch((error: unknown) => {
      const { topic, partition } = this.#payload.batch;
      host.log.info({ topic, partition, error: describeCause(error) }, "last commit failed");
    });
  }

  /** Tells kafkajs where to fetch next. */
  #resolve(): void {
    const { batch } = this.#payload;
    const { last } = this.#prefix;
    if (last !== undefined && this.#batchHost.isAssigned(batch.topic, batch.partition)) {
      this.#payload.resolveOffset(String(last));
    }
  }

  async #commit(): Promise<void> {
    const { batch } = this.#payload;
    const { topic, partition } = batch;
    const { last, outstanding } = this.#prefix;
    if (last === undefined || last === this.#committed) return;
    if (!this.#batchHost.isAssigned(topic, partition)) return;
    // The last offset of a batch may be one of a control record, which no consumer sees.
    const next = (outstanding === 0 ? BigInt(batch.lastOffset()) : last) + 1n;
    const offsets = [{ topic, partitions: [{ partition, offset: String(next) }] }];
    await this.#payload.commitOffsetsIfNecessary({ topics: offsets });
    this.#committed = last;
  }
}

function toReceived({ key, value, headers }: KafkaMessage, place: string): ReceivedMessage {
  return {
    place,
    ...(key !== null && { key: key.toString() }),
    headers: textHeaders(headers ?? {}),
    body: value ?? Buffer.alloc(0),
    isRedelivered: false,
  };
}
