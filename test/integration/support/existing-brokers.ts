import type { KafkaCluster, NodeControl, RabbitmqCluster } from "./broker-provider.ts";
import { kafkaTopics, withAdmin } from "./kafka-topics.ts";

/** A Kafka cluster that was there before: its nodes are left alone, and `stop` deletes the topics that were made here. */
export function existingKafka(bootstrapServers: readonly string[]): KafkaCluster {
  const topics = kafkaTopics(bootstrapServers);
  const made: string[] = [];
  return {
    ...untouchable,
    ...topics,
    nodes: bootstrapServers.length,
    bootstrapServers,
    async createTopic(topic, options) {
      await topics.createTopic(topic, options);
      made.push(topic);
    },
    async stop() {
      if (made.length === 0) return;
      await withAdmin(bootstrapServers, (admin) => admin.deleteTopics({ topics: made }));
    },
  };
}

/** A RabbitMQ broker that was there before; what a test declares there it removes itself, by `leaveRabbitmq`. */
export function existingRabbitmq(url: string): RabbitmqCluster {
  return { ...untouchable, nodes: 1, urls: [url], ctl: refuse, stop: async () => undefined };
}

const untouchable: NodeControl = { kill9: refuse, pause: refuse, resume: refuse, restart: refuse };

async function refuse(): Promise<never> {
  throw new Error("this broker was not started by the test; ask for one with faults: true");
}
