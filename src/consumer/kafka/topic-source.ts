import type { Consumer as KafkaConsumer } from "kafkajs";
import { CertwireError } from "../../errors/certwire-error.ts";
import { describeCause } from "../../errors/describe-cause.ts";
import { unlessAborted } from "../../waiting.ts";
import { aborted, backOffMs, pause } from "../back-off.ts";
import type { EventSource, Lag, SourceHost } from "../event-source.ts";
import { silentLogger } from "../logger.ts";
import { openClient, toConsumerError } from "./client.ts";
import { kafkaLag } from "./lag.ts";
import { type KafkaTopicOptions, topicsOf } from "./options.ts";
import { PartitionBatch } from "./partition-batch.ts";

/** kafkajs's own default, in ms. */
const defaultRebalanceTimeoutMs = 60_000;
const reconnect = { limit: Number.POSITIVE_INFINITY, initialMs: 500, maxMs: 5000 };

/** kafkajs handles all fetched partitions at once; the consumer's `concurrency` is the limit of the handlers. */
const partitionsAtATime = 1000;

/**
 * Reads one or more topics of Kafka as a member of a consumer group. Throws CERTWIRE_CONSUMER_OPTIONS if an option is
 * invalid.
 *
 * ```ts
 * kafkaTopic({ client: { brokers: ["localhost:9092"] }, topic: "certificates", groupId: "inventory" })
 * ```
 */
export function kafkaTopic(options: KafkaTopicOptions): EventSource {
  return new KafkaTopicSource(options);
}

class KafkaTopicSource implements EventSource {
  readonly #options: KafkaTopicOptions;
  readonly #topics: readonly string[];
  /** Partitions of each topic that this member has. */
  #assignment: Readonly<Record<string, readonly number[]>> = {};

  constructor(options: KafkaTopicOptions) {
    this.#options = options;
    this.#topics = topicsOf(options);
  }

  async run(host: SourceHost): Promise<void> {
    const consumer = await this.#subscribe(host);
    if (consumer === undefined) return;
    const failed = this.#watch(consumer, host);
    const running = consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: partitionsAtATime,
      eachBatch: (payload) => new PartitionBatch(payload, this.#batchHost(host)).run(),
    });
    try {
      await Promise.race([aborted(host.signal), failed]);
    } finally {
      // A consumer that is still joining its group cannot be stopped: kafkajs would go on after that.
      await running.catch(() => undefined);
      await consumer.disconnect().catch(() => undefined);
    }
  }

  async lag(): Promise<Lag[]> {
    const { client, groupId, fromBeginning = true } = this.#options;
    const kafka = await openClient(client, silentLogger);
    const admin = kafka.admin();
    try {
      await admin.connect();
      return await kafkaLag(admin, groupId, this.#topics, fromBeginning);
    } catch (error) {
      throw toConsumerError(error, "cannot ask for the lag");
    } finally {
      await admin.disconnect().catch(() => undefined);
    }
  }

  #batchHost(host: SourceHost) {
    const { rebalanceTimeout = defaultRebalanceTimeoutMs } = this.#options.consumer ?? {};
    return {
      host,
      rebalanceWaitMs: rebalanceTimeout / 2,
      isAssigned: (topic: string, partition: number) =>
        this.#assignment[topic]?.includes(partition) ?? false,
    };
  }

  /** A connected consumer; tries until the broker answers. `undefined` when stopped before that. */
  async #subscribe(host: SourceHost): Promise<KafkaConsumer | undefined> {
    const { client, groupId, fromBeginning = true, consumer: settings } = this.#options;
    const kafka = await openClient(client, host.log);
    for (let attempt = 1; !host.signal.aborted; attempt += 1) {
      const consumer = kafka.consumer({
        maxWaitTimeInMs: 1000,
        allowAutoTopicCreation: false,
        ...settings,
        groupId,
      });
      const subscribe = async (): Promise<void> => {
        await consumer.connect();
        await consumer.subscribe({ topics: [...this.#topics], fromBeginning });
      };
      const disconnect = (): Promise<void> => consumer.disconnect().catch(() => undefined);
      try {
        await unlessAborted(subscribe(), host.signal, { discard: disconnect });
        return consumer;
      } catch (cause) {
        if (host.signal.aborted && cause === host.signal.reason) {
          void disconnect();
          return undefined;
        }
        await disconnect();
        const error = toConsumerError(cause, `cannot subscribe to ${this.#topics.join()}`);
        if (error.code === "CERTWIRE_CONSUMER_REFUSED") throw error;
        const delayMs = backOffMs(attempt, reconnect);
        host.log.warn({ code: error.code, error: error.message, delayMs }, "cannot connect");
        await pause(delayMs, host.signal);
      }
    }
    return undefined;
  }

  /** Follows the group, and rejects when kafkajs gives up; until then it connects and joins again by itself. */
  async #watch(consumer: KafkaConsumer, { log, signal }: SourceHost): Promise<never> {
    const { GROUP_JOIN, REBALANCING, CRASH, FETCH_START } = consumer.events;
    consumer.on(GROUP_JOIN, ({ payload: { memberAssignment } }) => {
      this.#assignment = memberAssignment;
      log.info({ partitions: memberAssignment }, "joined the consumer group");
    });
    consumer.on(REBALANCING, () => log.info({}, "the consumer group rebalances"));
    consumer.on(FETCH_START, () => {
      // A restart after a lost connection that was under way when the consumer was stopped.
      if (signal.aborted) void consumer.disconnect().catch(() => undefined);
    });
    return new Promise<never>((_, reject) => {
      consumer.on(CRASH, ({ payload: { error, restart } }) => {
        log.warn({ error: describeCause(error), restart }, "lost the consumer group");
        if (!restart) reject(gaveUp(error));
      });
    });
  }
}

function gaveUp(error: Error): CertwireError {
  return toConsumerError(error, "the Kafka client gave up");
}
