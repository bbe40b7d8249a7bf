import kafkajs, { type Admin, type ITopicMetadata } from "kafkajs";
import type { Logger } from "pino";
import { CertwireError } from "../../errors/certwire-error.ts";
import { describeCause } from "../../errors/describe-cause.ts";

/** Number of partitions of a topic. Rejects with CERTWIRE_SINK_CONFIG when there is no such topic. */
export async function countPartitions(admin: Admin, topic: string): Promise<number> {
  return (await fetchTopic(admin, topic)).partitions.length;
}

async function fetchTopic(admin: Admin, topic: string): Promise<ITopicMetadata> {
  // kafkajs would ask for one topic with the broker's permission to create it; the list never creates.
  const names = await admin.listTopics();
  if (!names.includes(topic)) {
    throw new CertwireError(
      "CERTWIRE_SINK_CONFIG",
      `there is no topic "${topic}" that this client may see`,
    );
  }
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  const [found] = topics;
  if (found === undefined || found.partitions.length === 0) {
    throw new CertwireError("CERTWIRE_SINK_UNREACHABLE", `topic "${topic}" has no partitions yet`);
  }
  return found;
}

/** Warns of settings of the topic with which a broker may lose what it has acknowledged. */
export async function warnOfUnsafeTopic(admin: Admin, topic: string, log: Logger): Promise<void> {
  try {
    for (const warning of await findUnsafeSettings(admin, topic)) log.warn({ topic }, warning);
  } catch (error) {
    log.info({ topic, error: describeCause(error) }, "cannot look at the topic's settings");
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
    warnings.push(`replication factor ${replicas}: 3 survives the loss of a broker`);
  if (minInSync < 2)
    warnings.push(`min.insync.replicas ${minInSync}: acknowledged events may exist once only`);
  if (minInSync >= replicas && replicas > 1) {
    warnings.push(
      `min.insync.replicas ${minInSync} of ${replicas}: publishing stops with any broker down`,
    );
  }
  if (value("unclean.leader.election.enable") === "true") {
    warnings.push("unclean.leader.election.enable: acknowledged events may be lost at an election");
  }
  return warnings;
}
