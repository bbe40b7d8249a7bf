import kafkajs, { type Admin, type ITopicMetadata } from "kafkajs";
import type { Logger } from "pino";
import { CertwireError } from "../../errors/certwire-error.ts";
import { describeCause } from "../../errors/describe-cause.ts";

/** Number of partitions of a topic. Rejects with CERTWIRE_SINK_CONFIG when the topic does not exist. */
export async function countPartitions(admin: Admin, topic: string): Promise<number> {
  return (await fetchTopic(admin, topic)).partitions.length;
}

async function fetchTopic(admin: Admin, topic: string): Promise<ITopicMetadata> {
  // kafkajs would let the broker create a topic that it asks for by name; listing all never creates one.
  const names = await admin.listTopics();
  if (!names.includes(topic)) {
    throw new CertwireError(
      "CERTWIRE_SINK_CONFIG",
      `topic "${topic}" does not exist, or this client may not see it`,
    );
  }
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  const [found] = topics;
  if (found === undefined || found.partitions.length === 0) {
    throw new CertwireError("CERTWIRE_SINK_UNREACHABLE", `topic "${topic}" has no partitions yet`);
  }
  return found;
}

/** Warns of topic settings with which brokers may lose acknowledged events. */
export async function warnOfUnsafeTopic(admin: Admin, topic: string, log: Logger): Promise<void> {
  try {
    for (const warning of await findUnsafeSettings(admin, topic)) log.warn({ topic }, warning);
  } catch (error) {
    log.info({ topic, error: describeCause(error) }, "cannot read the topic's settings");
  }
}

async function findUnsafeSettings(admin: Admin, topic: string): Promise<string[]> {
  const { partitions } = await fetchTopic(admin, topic);
  const replicas = Math.min(...partitions.map((partition) => partition.replicas.length));
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [
      {
        type: kafkajs.ConfigResourceTypes.TOPIC,
        name: topic,
        configNames: ["min.insync.replicas", "unclean.leader.election.enable"],
      },
    ],
  });
  const entries = resources[0]?.configEntries ?? [];
  const value = (name: string) => entries.find((entry) => entry.configName === name)?.configValue;
  const minInSync = Number(value("min.insync.replicas") ?? 1);
  const warnings: string[] = [];
  if (replicas < 3)
    warnings.push(`replication factor ${replicas}: use 3, which survives the loss of a broker`);
  if (minInSync < 2)
    warnings.push(
      `min.insync.replicas ${minInSync}: an acknowledged event may exist on one broker only`,
    );
  if (minInSync >= replicas && replicas > 1) {
    warnings.push(
      `min.insync.replicas ${minInSync} of ${replicas} replicas: publishing stops when any broker is down`,
    );
  }
  if (value("unclean.leader.election.enable") === "true") {
    warnings.push(
      "unclean.leader.election.enable: acknowledged events may be lost when a leader is elected",
    );
  }
  return warnings;
}
