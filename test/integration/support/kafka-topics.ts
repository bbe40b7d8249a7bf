import { type Admin, Kafka, logLevel, type RetryOptions } from "kafkajs";
import { patienceMs, until } from "../../support/until.ts";
import type { KafkaTopics, PartitionState, TopicOptions } from "./broker-provider.ts";
import { electPreferredLeader } from "./elect-leaders.ts";

/** A client for tests, which waits for a slow broker. `retry`: default that of kafkajs. */
export function kafkaClient(bootstrapServers: readonly string[], retry: RetryOptions = {}): Kafka {
  return new Kafka({
    clientId: "certwire-test",
    brokers: [...bootstrapServers],
    logLevel: logLevel.NOTHING,
    connectionTimeout: patienceMs,
    requestTimeout: patienceMs,
    retry,
  });
}

/** Runs `work` with a fresh admin client. */
export async function withAdmin<T>(
  bootstrapServers: readonly string[],
  work: (admin: Admin) => Promise<T>,
): Promise<T> {
  const admin = kafkaClient(bootstrapServers, { retries: 3, initialRetryTime: 100 }).admin();
  try {
    await admin.connect();
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

/** Topic operations on any cluster, however it was started. */
export function kafkaTopics(bootstrapServers: readonly string[]): KafkaTopics {
  const describe = async (topic: string): Promise<PartitionState[]> => {
    const { topics } = await withAdmin(bootstrapServers, (admin) =>
      admin.fetchTopicMetadata({ topics: [topic] }),
    );
    const partitions = topics[0]?.partitions ?? [];
    return partitions
      .map(({ partitionId, leader, replicas, isr }) => {
        return { partition: partitionId, leader, replicas, isr };
      })
      .toSorted((a, b) => a.partition - b.partition);
  };

  const createTopic = async (topic: string, options: TopicOptions = {}): Promise<void> => {
    await withAdmin(bootstrapServers, (admin) =>
      admin.createTopics({
        waitForLeaders: false,
        timeout: patienceMs,
        topics: [topicConfig(topic, options)],
      }),
    );
    const expected = options.replicas?.length ?? options.partitions ?? 1;
    await until(
      async () => {
        const partitions = await describe(topic);
        return partitions.length === expected && partitions.every(isComplete);
      },
      `every partition of ${topic} has its leader`,
      { mayThrow: true, everyMs: 100 },
    );
  };

  const moveLeader = async (topic: string, partition: number, toNode: number): Promise<void> => {
    const find = async (): Promise<PartitionState> => {
      const state = (await describe(topic)).find((p) => p.partition === partition);
      if (state === undefined) throw new Error(`${topic} has no partition ${partition}`);
      return state;
    };
    const { replicas } = await find();
    if (!replicas.includes(toNode)) throw new Error(`node ${toNode} has no replica of ${topic}`);
    const reordered = [toNode, ...replicas.filter((node) => node !== toNode)];
    await withAdmin(bootstrapServers, (admin) =>
      admin.alterPartitionReassignments({
        timeout: patienceMs,
        topics: [{ topic, partitionAssignment: [{ partition, replicas: reordered }] }],
      }),
    );
    await until(
      async () => {
        const state = await find();
        if (state.leader === toNode) return true;
        if (state.replicas[0] !== toNode) return false;
        const server = bootstrapServers[state.leader - 1] ?? bootstrapServers[0] ?? "";
        await electPreferredLeader(server, topic, partition);
        return false;
      },
      `node ${toNode} leads partition ${partition} of ${topic}`,
      { mayThrow: true, everyMs: 200 },
    );
  };

  return { createTopic, describe, moveLeader };
}

function topicConfig(
  topic: string,
  options: TopicOptions,
): Parameters<Admin["createTopics"]>[0]["topics"][number] {
  const configEntries = Object.entries(options.config ?? {}).map(([name, value]) => {
    return { name, value };
  });
  if (options.replicas === undefined) {
    // The broker's default replication factor: all nodes, as server.properties says.
    return { topic, numPartitions: options.partitions ?? 1, replicationFactor: -1, configEntries };
  }
  const replicaAssignment = options.replicas.map((replicas, partition) => {
    return { partition, replicas: [...replicas] };
  });
  return { topic, replicaAssignment, configEntries };
}

function isComplete(partition: PartitionState): boolean {
  return partition.leader > 0 && partition.isr.length === partition.replicas.length;
}
