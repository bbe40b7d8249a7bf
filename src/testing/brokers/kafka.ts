import { randomUUID } from "node:crypto";
import type { EventSource } from "../../consumer/event-source.ts";
import { kafkaTopic } from "../../consumer/kafka/topic-source.ts";
import { loadDependency, loadLibrary } from "../../libraries.ts";
import type { PublishTarget } from "../publish/publish.ts";
import { createTopicWithLeaders } from "./create-topic.ts";

type KafkaModule = typeof import("@testcontainers/kafka");
type Testcontainers = typeof import("testcontainers");

/** Image of `startKafka`, one that the module of testcontainers knows how to start. */
const kafkaImage = "confluentinc/cp-kafka:7.9.1";

/** The port of the module's listener inside the container. */
const kafkaPort = 9093;

/** Longest start of a broker, in ms. The modules' own limits, a minute and less, are too short for a busy machine. */
export const startupTimeoutMs = 180_000;

/** A Kafka for tests. */
export interface TestKafka {
  /** `host:port` of each broker. */
  readonly brokers: readonly string[];
  /**
   * Creates a topic and waits until it can be used; `partitions` defaults to 3. Rejects with CERTWIRE_TESTING_OPTIONS if
   * it exists, otherwise with what kafkajs throws.
   */
  createTopic(topic: string, partitions?: number): Promise<void>;
  /** Where `publish` and `replay` send events for a topic. */
  target(topic: string): PublishTarget;
  /** A topic for `openInbox` or for a consumer. Default of `groupId`: a new group, which begins with the oldest event. */
  source(topic: string, groupId?: string): EventSource;
  /** Stops the container; does nothing for a Kafka that runs elsewhere. */
  stop(): Promise<void>;
}

/** How a container is started. */
export interface ContainerOptions {
  /** Default: a pinned image that the kit was written for. */
  readonly image?: string;
}

/**
 * Starts Kafka in a container, by the module of testcontainers. Rejects with CERTWIRE_OPTIONAL_LIBRARY if
 * `@testcontainers/kafka` is not installed, and with what testcontainers throws without a container engine.
 *
 * ```js
 * import { expectEvent, openInbox, publish, startKafka, testCa } from "certwire/testing";
 *
 * const kafka = await startKafka();
 * await kafka.createTopic("certificates");
 * const ca = testCa();
 * const issued = ca.issue();
 * await publish(ca.events, kafka.target("certificates"));
 * const inbox = openInbox(kafka.source("certificates"));
 * await expectEvent(inbox, "certificate.issued", { id: issued.id });
 * await inbox.close();
 * await kafka.stop();
 * ```
 */
export async function startKafka({
  image = kafkaImage,
}: ContainerOptions = {}): Promise<TestKafka> {
  const { KafkaContainer } = loadLibrary("@testcontainers/kafka") as KafkaModule;
  const { Wait } = loadDependency("@testcontainers/kafka", "testcontainers") as Testcontainers;
  const container = await new KafkaContainer(image)
    .withKraft()
    .withWaitStrategy(Wait.forListeningPorts().withStartupTimeout(startupTimeoutMs))
    .start();
  const broker = `${container.getHost()}:${container.getMappedPort(kafkaPort)}`;
  return { ...kafkaAt([broker]), stop: async () => void (await container.stop()) };
}

/** A Kafka that runs already, such as a service container of a pipeline. `brokers`: `host:port` of one or more. */
export function kafkaAt(brokers: readonly string[]): TestKafka {
  return {
    brokers,
    createTopic: (topic, partitions = 3) => createTopic(brokers, topic, partitions),
    target: (topic) => `kafka://${brokers.join()}/${topic}`,
    source: (topic, groupId = `certwire-test-${randomUUID()}`) =>
      kafkaTopic({ client: { brokers: [...brokers] }, topic, groupId }),
    stop: () => Promise.resolve(),
  };
}

async function createTopic(
  brokers: readonly string[],
  topic: string,
  numPartitions: number,
): Promise<void> {
  const { Kafka, logLevel } = await import("kafkajs");
  const admin = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    await createTopicWithLeaders(admin, topic, numPartitions);
  } finally {
    await admin.disconnect();
  }
}
