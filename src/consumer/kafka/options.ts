import type { ConsumerConfig, Kafka, KafkaConfig } from "kafkajs";
import { CertwireError } from "../../errors/certwire-error.ts";
import { assertText } from "../options.ts";

/** The part of a kafkajs client that a consumer uses. */
export type KafkaClient = Pick<Kafka, "admin" | "consumer">;

/** A topic, and the consumer group that reads it. */
export interface KafkaTopicOptions {
  /** A kafkajs client, or the configuration of one: `{ brokers, ssl, sasl, clientId }`. */
  readonly client: KafkaClient | KafkaConfig;
  /** One topic, or several. */
  readonly topic: string | readonly string[];
  /** The consumer group. Its members share the partitions; the group's offsets say where each continues. */
  readonly groupId: string;
  /**
   * Where a group without offsets begins: true at the oldest message, false at the next one. Kafka asks again whenever a
   * member gets a partition without a committed offset: with false, what is published to it before that is left out.
   * Default true.
   */
  readonly fromBeginning?: boolean;
  /**
   * Further settings of the kafkajs consumer, such as `sessionTimeout` and `maxBytesPerPartition`. Defaults of the SDK
   * that differ from those of kafkajs: `maxWaitTimeInMs` 1000, so that a stop is quick; `allowAutoTopicCreation` false.
   */
  readonly consumer?: Omit<ConsumerConfig, "groupId">;
}

/** The topics. Throws CERTWIRE_CONSUMER_OPTIONS if an option is invalid. */
export function topicsOf({ topic, groupId, client }: KafkaTopicOptions): readonly string[] {
  assertText("groupId", groupId);
  const topics = typeof topic === "string" ? [topic] : topic;
  for (const name of topics) assertText("topic", name);
  if (topics.length === 0) {
    throw new CertwireError("CERTWIRE_CONSUMER_OPTIONS", "topic: there is none");
  }
  if (!isClient(client) && client.brokers === undefined) {
    throw new CertwireError(
      "CERTWIRE_CONSUMER_OPTIONS",
      "client: it is neither a kafkajs client nor the configuration of one",
    );
  }
  return topics;
}

/** True for a client, false for the configuration of one. */
export function isClient(client: KafkaClient | KafkaConfig): client is KafkaClient {
  return "consumer" in client && typeof client.consumer === "function";
}
