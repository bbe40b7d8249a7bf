import { randomUUID } from "node:crypto";
import kafkajs, { type Admin, type Kafka } from "kafkajs";
import type { EventSource } from "../../consumer/event-source.ts";
import { toConsumerError } from "../../consumer/kafka/client.ts";
import type { KafkaClient } from "../../consumer/kafka/options.ts";
import { kafkaTopic } from "../../consumer/kafka/topic-source.ts";
import { createKafka, disconnect } from "../../sinks/kafka/client.ts";
import {
  kafkaSinkOptions,
  type ResolvedKafkaSinkOptions,
  resolveKafkaSink,
} from "../../sinks/kafka/options.ts";
import { createLogger } from "../logger.ts";
import { type ConnectOptions, parseEntry, resolveContext, tlsEntry, usage } from "./credentials.ts";
import { saslEntry } from "./kafka-credentials.ts";
import { type Extent, type MessageTaker, type Passed, readToEnd } from "./read-to-end.ts";

/** The topic that a URL names; `clientId` is what the broker logs. Throws CERTWIRE_USAGE. */
export function kafkaTarget(
  url: string,
  options: ConnectOptions,
  clientId: string,
): ResolvedKafkaSinkOptions {
  const entry = { url, clientId, ...saslEntry(options), ...tlsEntry(options) };
  const target = resolveKafkaSink(parseEntry(kafkaSinkOptions, entry, "--kafka"), resolveContext);
  if (target.topic.includes("{")) throw usage("--kafka names one topic, without placeholders");
  return target;
}

/** Reads all that a topic holds now. Rejects with a CertwireError. */
export async function readTopic(
  target: ResolvedKafkaSinkOptions,
  taker: MessageTaker,
  waitMs: number,
  signal: AbortSignal,
): Promise<void> {
  const { topic, clientId } = target;
  const kafka = createKafka(target, createLogger("silent"));
  const admin = kafka.admin();
  // Of its own, so that it begins at the oldest message and disturbs no consumer.
  const groupId = `${clientId}-${randomUUID()}`;
  try {
    await admin.connect();
    const extents = await extentsOf(admin, topic);
    if (await isCompacted(admin, topic)) taker.expectCompaction();
    const source = (passed: Passed): EventSource =>
      kafkaTopic({ client: watched(kafka, passed), topic, groupId });
    try {
      await readToEnd({ extents, source }, taker, waitMs, signal);
    } finally {
      // Without the right to do so the broker forgets the group by itself.
      await admin.deleteGroups([groupId]).catch(() => undefined);
    }
    if (!signal.aborted) taker.compare(extents, await extentsOf(admin, topic));
  } catch (error) {
    throw toConsumerError(error, `cannot read the topic "${topic}"`);
  } finally {
    await disconnect(admin);
  }
}

/**
 * A client whose consumer says how far it is. The last records of a partition need not be messages: they may mark the
 * end of a transaction, or belong to one that was aborted.
 */
function watched(kafka: Kafka, passed: Passed): KafkaClient {
  return {
    admin: (config) => kafka.admin(config),
    consumer: (config) => {
      const consumer = kafka.consumer(config);
      consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
        const { topic, partition, lastOffset } = payload;
        passed(`${topic}/${partition}`, BigInt(lastOffset) + 1n);
      });
      return consumer;
    },
  };
}

/** Without the right to read the settings of the topic it is taken for one that keeps everything. */
async function isCompacted(admin: Admin, topic: string): Promise<boolean> {
  const type = kafkajs.ConfigResourceTypes.TOPIC;
  const resources = [{ type, name: topic, configNames: ["cleanup.policy"] }];
  const settings = await admin
    .describeConfigs({ includeSynonyms: false, resources })
    .catch(() => undefined);
  const entries = settings?.resources[0]?.configEntries ?? [];
  return entries.some(
    ({ configName, configValue }) =>
      configName === "cleanup.policy" && configValue.includes("compact"),
  );
}

async function extentsOf(admin: Admin, topic: string): Promise<Extent[]> {
  const offsets = await admin.fetchTopicOffsets(topic);
  return offsets.map(({ partition, low, high }) => ({
    place: `${topic}/${partition}`,
    low: BigInt(low),
    high: BigInt(high),
  }));
}
