import { CompressionTypes, type Kafka, type Producer, type RecordMetadata } from "kafkajs";
import { CertwireError } from "../../errors/certwire-error.ts";
import type { OutboundEvent } from "../../events/outbound-event.ts";
import { unlessAborted } from "../broker-lane.ts";
import type { PublishOutcome, SinkFailure } from "../sink.ts";
import { StoredAhead } from "../stored-ahead.ts";
import { disconnect } from "./client.ts";
import { toKafkaFailure } from "./errors.ts";
import { toMessage } from "./message.ts";
import type { ResolvedKafkaSinkOptions } from "./options.ts";
import { partitionOf } from "./partitioner.ts";

/** Events of a batch that go to one partition, in order. */
interface Group {
  readonly partition: number;
  readonly events: OutboundEvent[];
}

/**
 * A strict lane: its own idempotent producer, a fixed set of partitions, and one `send` to one partition in
 * flight. kafkajs is safe only in this way. When a leader moves, a `send` over several partitions can resolve
 * although some records were never sent (https://github.com/tulios/kafkajs/issues/1303), and concurrent sends
 * to one partition can lose or reorder records (https://github.com/tulios/kafkajs/issues/598).
 */
export class KafkaLane {
  readonly #kafka: Kafka;
  readonly #options: ResolvedKafkaSinkOptions;
  readonly #partitions: number;
  readonly #lastOffsets = new Map<number, bigint>();
  readonly #ahead = new StoredAhead();
  #producer: Producer | undefined;

  constructor(kafka: Kafka, options: ResolvedKafkaSinkOptions, partitions: number) {
    this.#kafka = kafka;
    this.#options = options;
    this.#partitions = partitions;
  }

  /** Publishes a batch, one partition after the other. */
  async publish(batch: readonly OutboundEvent[], signal: AbortSignal): Promise<PublishOutcome> {
    const missing = this.#ahead.missingOf(batch);
    let failure = await this.#sendGroups(this.#groupByPartition(missing), signal);
    // The broker refused a batch, not an event. Sent alone, each event shows whether it is the cause.
    if (failure?.kind === "poison" && missing.length > 1)
      failure = await this.#sendAlone(batch, signal);
    const acknowledged = this.#ahead.takePrefix(batch);
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
    // Different batches need a new producer ID, or a sequence number would be used twice.
    await this.close();
    const missing = this.#ahead.missingOf(batch);
    const alone = missing.flatMap((event) => this.#groupByPartition([event]));
    return this.#sendGroups(alone, signal);
  }

  async #send({ partition, events }: Group, signal: AbortSignal): Promise<SinkFailure | undefined> {
    try {
      const sending = this.#sendMessages(partition, events, signal);
      const result = await unlessAborted(sending, signal);
      this.#verify(partition, result);
      this.#ahead.add(events.map(({ id }) => id));
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
      // The send was abandoned meanwhile; kafkajs may have reconnected for its second try.
      if (this.#producer !== producer) await disconnect(producer);
    }
  }

  async #connect(): Promise<Producer> {
    const producer = this.#kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      // The minimum that kafkajs allows: the second try has new metadata, which is enough after a leader
      // moved. After a timeout, more tries would only wait for the same dead connection again
      // (https://github.com/tulios/kafkajs/pull/1783).
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
   * Accepts a send only if the broker's answer names just this partition, without an error, at an offset
   * above the last one. A lower offset means a truncated log or a reused sequence number.
   */
  #verify(partition: number, result: readonly RecordMetadata[]): void {
    const [entry] = result;
    const { topic } = this.#options;
    if (result.length !== 1 || entry?.partition !== partition || entry.topicName !== topic) {
      throw unverified(`partition ${partition} is missing from the answer`);
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
    `the broker's answer does not match the send: ${message}`,
  );
}
