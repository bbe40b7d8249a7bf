import { CompressionTypes, type Kafka, type Producer, type RecordMetadata } from "kafkajs";
import { CertwireError } from "../../errors/certwire-error.ts";
import type { OutboundEvent } from "../../events/outbound-event.ts";
import { unlessAborted } from "../../waiting.ts";
import { publishStopped } from "../publish-stopped.ts";
import type { PublishOutcome, SinkFailure } from "../sink.ts";
import { StoredAhead } from "../stored-ahead.ts";
import { connectProducer, disconnect } from "./client.ts";
import { isOfMetadata, isTooLarge, toKafkaFailure } from "./errors.ts";
import { toMessage } from "./message.ts";
import type { ResolvedKafkaSinkOptions } from "./options.ts";
import { partitionOf } from "./partitioner.ts";
import type { TopicLayout } from "./topic.ts";

/** Events of a batch that go to one partition in one send, in order. */
interface Group {
  readonly topic: string;
  readonly partition: number;
  readonly events: OutboundEvent[];
  bytes: number;
}

/** What a send came to if it failed. */
interface FailedSend {
  readonly failure: SinkFailure;
  /** The send if the broker refused it as too large. */
  readonly tooLarge?: Group;
}

/** What a lane knows of a topic. */
interface UsedTopic {
  readonly partitions: number;
  /** Maximum bytes of the records of one send; lower once the broker has refused one as too large. */
  maxSendBytes: number;
}

/** What a lane gets from its sink. */
export interface KafkaLaneHost {
  readonly kafka: Kafka;
  readonly options: ResolvedKafkaSinkOptions;
  /** The topic that an event goes to. */
  topicOf(event: OutboundEvent): string;
  /** Partitions of a topic and what it accepts in one send. Rejects with a CertwireError if it cannot be used. */
  stateOf(topic: string): Promise<TopicLayout>;
  /** Says what happens after the broker refused an event that was sent alone as too large. */
  refused(event: OutboundEvent): SinkFailure;
}

/**
 * A strict lane: its own idempotent producer, and one `send` to one partition in flight. It has a fixed set of
 * partitions of each topic that was known when the sink was opened, and a fixed set of keys of every other one, of
 * which two lanes may write to the same partition. kafkajs is safe only in this way. When a leader moves, a `send`
 * over several partitions can resolve although some records were never sent
 * (https://github.com/tulios/kafkajs/issues/1303), and concurrent sends to one partition can lose or reorder records
 * (https://github.com/tulios/kafkajs/issues/598).
 */
export class KafkaLane {
  readonly #host: KafkaLaneHost;
  /** By topic and partition. */
  readonly #lastOffsets = new Map<string, bigint>();
  readonly #ahead = new StoredAhead();
  readonly #topics = new Map<string, UsedTopic>();
  #producer: Producer | undefined;
  /** Topics that the producer was given. kafkajs never forgets one, and fails for all if the metadata of one do. */
  readonly #targets = new Set<string>();

  constructor(host: KafkaLaneHost) {
    this.#host = host;
  }

  /** Publishes a batch, one partition after the other, up to the first event whose topic cannot be used. */
  async publish(batch: readonly OutboundEvent[], signal: AbortSignal): Promise<PublishOutcome> {
    const { usable, unusable } = await this.#examineTopics(batch, signal);
    const failure = (await this.#sendAll(usable, signal)) ?? unusable;
    const acknowledged = this.#ahead.takePrefix(batch);
    if (failure === undefined || acknowledged === batch.length) return { acknowledged };
    if (failure.kind !== "retry-identical") await this.close();
    return { acknowledged, failure };
  }

  /** Connects a producer, which shows whether this client may publish. Rejects with what kafkajs throws. */
  async open(): Promise<void> {
    this.#producer ??= await connectProducer(this.#host.kafka);
  }

  /** Disconnects; the next publish makes a new producer with a new producer ID. */
  async close(): Promise<void> {
    const producer = this.#producer;
    this.#producer = undefined;
    this.#targets.clear();
    if (producer !== undefined) await disconnect(producer);
  }

  async #examineTopics(batch: readonly OutboundEvent[], signal: AbortSignal) {
    for (const [index, event] of batch.entries()) {
      const topic = this.#host.topicOf(event);
      if (this.#topics.has(topic)) continue;
      try {
        const state = await unlessAborted(this.#host.stateOf(topic), signal, {
          error: publishStopped,
        });
        const { partitions, maxMessageBytes = Infinity } = state;
        this.#topics.set(topic, { partitions, maxSendBytes: maxMessageBytes });
      } catch (error) {
        return { usable: batch.slice(0, index), unusable: toKafkaFailure(error, topic) };
      }
    }
    return { usable: batch };
  }

  /** Sends what is missing of a batch, in smaller and smaller sends while the broker refuses them as too large. */
  async #sendAll(batch: readonly OutboundEvent[], signal: AbortSignal) {
    for (;;) {
      const groups = this.#groupsOf(this.#ahead.missingOf(batch));
      const { failure, tooLarge } = (await this.#sendGroups(groups, signal)) ?? {};
      const [first, ...others] = tooLarge?.events ?? [];
      if (tooLarge === undefined || first === undefined) return failure;
      if (others.length === 0) return this.#host.refused(first);
      this.#usedTopic(tooLarge.topic).maxSendBytes = Math.floor(sendBytes(tooLarge.events) / 2);
      // Other sends than before need a new producer ID, or a sequence number would be used twice.
      await this.close();
    }
  }

  #groupsOf(events: readonly OutboundEvent[]): Group[] {
    const groups: Group[] = [];
    const newest = new Map<string, Group>();
    for (const event of events) {
      const topic = this.#host.topicOf(event);
      const { partitions, maxSendBytes } = this.#usedTopic(topic);
      const partition = partitionOf(event.partitionKey, partitions);
      const bytes = recordBytes(event);
      const log = logOf(topic, partition);
      const group = newest.get(log);
      if (group !== undefined && group.bytes + bytes <= maxSendBytes) {
        group.events.push(event);
        group.bytes += bytes;
        continue;
      }
      const next = { topic, partition, events: [event], bytes: batchBytes + bytes };
      groups.push(next);
      newest.set(log, next);
    }
    return groups;
  }

  #usedTopic(topic: string): UsedTopic {
    const used = this.#topics.get(topic);
    if (used === undefined) throw new RangeError(`topic "${topic}" was not examined`);
    return used;
  }

  async #sendGroups(groups: readonly Group[], signal: AbortSignal) {
    for (const group of groups) {
      const failed = await this.#send(group, signal);
      if (failed !== undefined) return failed;
    }
    return undefined;
  }

  async #send(group: Group, signal: AbortSignal): Promise<FailedSend | undefined> {
    const { topic, events } = group;
    try {
      const sending = this.#sendMessages(group, signal);
      const result = await unlessAborted(sending, signal, { error: publishStopped });
      this.#verify(group, result);
      this.#ahead.add(events.map(({ id }) => id));
      return undefined;
    } catch (error) {
      if (isOfMetadata(error) && this.#targets.size > 1) {
        // The fault may be that of another topic. A new producer asks for this one only, so what fails then is its own.
        await this.close();
        return await this.#send(group, signal);
      }
      const failure = error instanceof OtherLog ? error.failure : toKafkaFailure(error, topic);
      return { failure, ...(isTooLarge(error) && { tooLarge: group }) };
    }
  }

  async #sendMessages(
    { topic, partition, events }: Group,
    signal: AbortSignal,
  ): Promise<RecordMetadata[]> {
    const { mode, compression, requestTimeoutMs } = this.#host.options;
    const producer = this.#producer ?? (await connectProducer(this.#host.kafka));
    if (signal.aborted) await disconnect(producer);
    signal.throwIfAborted();
    this.#producer = producer;
    this.#targets.add(topic);
    try {
      return await producer.send({
        topic,
        acks: -1,
        timeout: requestTimeoutMs,
        compression: compressionTypes[compression],
        messages: events.map((event) => toMessage(event, partition, mode)),
      });
    } finally {
      // The send was abandoned meanwhile; kafkajs may have reconnected for its second try.
      if (this.#producer !== producer) await disconnect(producer);
    }
  }

  /**
   * Accepts a send only if the broker's answer names just this partition, without an error, at an offset
   * above the last one. A lower offset means a truncated log or a reused sequence number.
   */
  #verify({ topic, partition }: Group, result: readonly RecordMetadata[]): void {
    const [entry] = result;
    const log = logOf(topic, partition);
    if (result.length !== 1 || entry?.partition !== partition || entry.topicName !== topic) {
      throw new OtherLog(`the answer does not name partition ${partition} of topic "${topic}"`);
    }
    if (entry.errorCode !== 0) throw unverified(`partition ${partition}: error ${entry.errorCode}`);
    const offset = BigInt(entry.baseOffset ?? -1);
    const last = this.#lastOffsets.get(log) ?? -1n;
    if (offset <= last) {
      this.#lastOffsets.delete(log);
      throw new OtherLog(
        `partition ${partition} of topic "${topic}" is at offset ${offset}, after ${last} before`,
      );
    }
    this.#lastOffsets.set(log, offset);
  }
}

const compressionTypes = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  zstd: CompressionTypes.ZSTD,
} as const;

/** What a record costs beside its JSON, at most, in bytes: lengths, timestamps, and headers in binary mode. */
const recordOverhead = 256;
/** What a batch of records costs beside them, in bytes. */
const batchBytes = 256;

/** One partition of one topic; no topic has a slash in its name. */
function logOf(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}

function sendBytes(events: readonly OutboundEvent[]): number {
  return events.reduce((sum, event) => sum + recordBytes(event), batchBytes);
}

function recordBytes({ json, partitionKey }: OutboundEvent): number {
  return json.length + partitionKey.length + recordOverhead;
}

/** The answer fits another log than the one that was written before: the topic was made again, or truncated. */
class OtherLog extends Error {
  get failure(): SinkFailure {
    const cause = new CertwireError("CERTWIRE_SINK_REJECTED", this.message, {
      hint: "The topic was deleted and created again, or its log was truncated. Publishing starts again on the topic as it is now; consumers may miss events that were in the old one.",
    });
    return { kind: "reset", scope: "sink", cause };
  }
}

function unverified(message: string): CertwireError {
  return new CertwireError(
    "CERTWIRE_SINK_REJECTED",
    `the broker's answer does not match the send: ${message}`,
  );
}
