import type { KafkaCluster, NodeControl, RabbitmqCluster } from "./broker-provider.ts";
import { kafkaTopics } from "./kafka-topics.ts";

/** A Kafka cluster that was there before: its nodes are left alone. */
export function existingKafka(bootstrapServers: readonly string[]): KafkaCluster {
  return {
    ...untouchable,
    nodes: bootstrapServers.length,
    bootstrapServers,
    ...kafkaTopics(bootstrapServers),
    stop: async () => undefined,
  };
}

/** A RabbitMQ broker that was there before. */
export function existingRabbitmq(url: string): RabbitmqCluster {
  return { ...untouchable, nodes: 1, urls: [url], ctl: refuse, stop: async () => undefined };
}

const untouchable: NodeControl = { kill9: refuse, pause: refuse, resume: refuse, restart: refuse };

async function refuse(): Promise<never> {
  throw new Error("this broker was not started by the test; ask for one with faults: true");
}
