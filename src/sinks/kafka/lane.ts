import { CompressionTypes, type Kafka, type Producer, type RecordMetadata } from "kafkajs";
import { CertwireError } from "../../errors/certwire-error.ts";
import type { OutboundEvent, PublishOutcome, SinkFailure } from "../sink.ts";
import { disconnect } from "./client.ts";
import { toKafkaFailure } from "./errors.ts";
import { toMessage } from "./message.ts";
import type { ResolvedKafkaSinkOptions } from "./options.ts";
import { partitionOf } from "./partitioner.ts";

/** Events of a batch that go to one partition, with their places in the batch. */
interface Group {
  readonly partition: number;
  readonly events: OutboundEvent[];
}

/**
 * A strict lane: one idempotent producer of its own, a fixed set of partitions, and one `send` to one
 * partition in flight. kafkajs is safe only so. A `send` over several partitions can resolve with records
 * that were never sent when a leader moves, and concurrent sends to one partition can lose or reorder.
 */
export class KafkaLane {
  readonly #kafka: Kafka;
  readonly #options: ResolvedKafkaSinkOptions;
  readonly #partitions: number;
  readonly #lastOffsets = new Map<number, bigint>();
  /** Events behind the acknowledged prefix that the broker has; they are not sent again. */
  #ahead = new Set<string>();
  #producer: Producer | undefined;

  constructor(kafka: Kafka, options: ResolvedKafkaSinkOptions, partitions: number) {
    this.#kafka = kafka;
    this.#options = options;
    this.#partitions = partitions;
  }

  /** Publishes a batch, one partition after the other. */
  async publish(batch: readonly OutboundEvent[], signal: AbortSignal): Promise<PublishOutcome> {
    const missing = batch.filter(({ id }) => !this.#ahead.has(id));
    let failure = await this.#sendGroups(this.#groupByPartition(missing), signal);
    // The broker has refused a batch, not an event: alone, each shows whether it is the one.
    if (failure?.kind === "poison" && missing.length > 1)
      failure = await this.#sendAlone(batch, signal);
    const open = batch.findIndex(({ id }) => !this.#ahead.has(id));
    const acknowledged = open === -1 ? batch.length : open;
    for (const { id } of batch.slice(0, acknowledged)) this.#ahead.delete(id);
    if (failure === undefined || acknowledged === batch.length) return { acknowledged };
    if (failure.kind !== "retry-identical") await this.close();
    return { acknowledged, failure };
  }

  /** Disconnects; the next publish makes a new producer with a new producer ID. */
  async close(): Promise<void> {
    const producer = this.#producer;
    this.#producer = undefined;
    if (producer !== undefined) await disconnect(producer);
  }

  #groupByPartition(events: readonly OutboundEvent[]): Group[] {
    const groups = new Map<number, Group>();
    for (const event of events) {
      const partition = partitionOf(event.partitionKey, this.#partitions);
      const group = groups.get(partition);
      if (group) group.events.push(event);
      else groups.set(partition, { partition, events: [event] });
    }
    return [...groups.values()];
  }

  async #sendGroups(groups: readonly Group[], signal: AbortSignal) {
    for (const group of groups) {
      const failure = await this.#send(group, signal);
      if (failure !== undefined) return failure;
    }
    return undefined;
  }

  async #sendAlone(batch: readonly OutboundEvent[], signal: AbortSignal) {
    // A batch cut differently needs a new producer ID, or a sequence number would be used twice.
    await this.close();
    const missing = batch.filter(({ id }) => !this.#ahead.has(id));
    const alone = missing.flatMap((event) => this.#groupByPartition([event]));
    return this.#sendGroups(alone, signal);
  }

  async #send({ partition, events }: Group, signal: AbortSignal): Promise<SinkFailure | undefined> {
    try {
      const sending = this.#sendMessages(partition, events, signal);
      const result = await unlessAborted(sending, signal);
      this.#verify(partition, result);
      for (const { id } of events) this.#ahead.add(id);
      return undefined;
    } catch (error) {
      return toKafkaFailure(error);
    }
  }

  async #sendMessages(
    partition: number,
    events: readonly OutboundEvent[],
    signal: AbortSignal,
  ): Promise<RecordMetadata[]> {
    const { topic, mode, compression, requestTimeoutMs } = this.#options;
    const producer = this.#producer ?? (await this.#connect());
    if (signal.aborted) await disconnect(producer);
    signal.throwIfAborted();
    this.#producer = producer;
    try {
      return await producer.send({
        topic,
        acks: -1,
        timeout: requestTimeoutMs,
        compression: compression === "gzip" ? CompressionTypes.GZIP : CompressionTypes.None,
        messages: events.map((event) => toMessage(event, partition, mode)),
      });
    } finally {
      // Given up meanwhile: kafkajs may have connected again for its second try.
      if (this.#producer !== producer) await disconnect(producer);
    }
  }

  async #connect(): Promise<Producer> {
    const producer = this.#kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      // As few as kafkajs allows: the second try has new metadata, which is enough for a leader that
      // moved. After a time-out it would only wait for the same dead connection again.
      retry: { retries: 1, initialRetryTime: 100 },
    });
    try {
      await producer.connect();
    } catch (error) {
      await producer.disconnect().catch(() => undefined);
      throw error;
    }
    return producer;
  }

  /**
   * Believes a send only if the broker's answer names this partition alone, without an error, at an
   * offset above the last one. An offset that goes down means a truncated log or a re-used sequence.
   */
  #verify(partition: number, result: readonly RecordMetadata[]): void {
    const [entry] = result;
    const { topic } = this.#options;
    if (result.length !== 1 || entry?.partition !== partition || entry.topicName !== topic) {
      throw unverified(`partition ${partition} is missing in the answer`);
    }
    if (entry.errorCode !== 0) throw unverified(`partition ${partition}: error ${entry.errorCode}`);
    const offset = BigInt(entry.baseOffset ?? -1);
    const last = this.#lastOffsets.get(partition) ?? -1n;
    if (offset <= last) {
      this.#lastOffsets.delete(partition);
      throw unverified(`partition ${partition}: offset ${offset} after ${last}`);
    }
    this.#lastOffsets.set(partition, offset);
  }
}

function unverified(message: string): CertwireError {
  return new CertwireError(
    "CERTWIRE_SINK_REJECTED",
    `the broker's answer does not fit: ${message}`,
  );
}

/** A send cannot be taken back; after an abort nobody waits for it any more. */
async function unlessAborted<T>(sending: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const stop = (): void => {
      reject(new CertwireError("CERTWIRE_SINK_UNREACHABLE", "stopped before the broker answered"));
    };
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    sending.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
