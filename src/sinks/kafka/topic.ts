import kafkajs, { type Admin, type ITopicMetadata } from "kafkajs";
import { CertwireError } from "../../errors/certwire-error.ts";
import { describeCause } from "../../errors/describe-cause.ts";
import type { DestinationFinding } from "../sink.ts";
import { isLeaderless } from "./errors.ts";

/** What decides how events are laid out over the lanes, and how large they may be. */
export interface TopicLayout {
  readonly partitions: number;
  /** Its `max.message.bytes`; absent when this client may not read the topic's settings. */
  readonly maxMessageBytes?: number;
}

/** What a Kafka topic is like now. */
export interface TopicState extends TopicLayout {
  /** Settings that put events at risk. */
  readonly findings: readonly DestinationFinding[];
}

const hourMs = 3_600_000;
/** A partition with less space may lose events within a day of a busy CA, in bytes. */
const leastRetentionBytes = 1024 ** 3;
/** Two clocks of one network differ by less, in ms. */
const leastDifferenceMs = 60_000;

const readSettings = [
  "cleanup.policy",
  "max.message.bytes",
  "message.timestamp.after.max.ms",
  "message.timestamp.before.max.ms",
  "message.timestamp.type",
  "min.insync.replicas",
  "retention.bytes",
  "retention.ms",
  "unclean.leader.election.enable",
] as const;

type SettingName = (typeof readSettings)[number];
type Settings = Readonly<Partial<Record<SettingName, string>>>;

/** What is found of a topic that exists but cannot be used now. */
export const leaderless: DestinationFinding = {
  message: "a partition has no leader, so events for this topic wait",
  hint: "Bring back the brokers that hold the partition.",
};

/**
 * Reads a topic and its settings. Rejects with CERTWIRE_SINK_CONFIG when the topic does not exist, and with what
 * kafkajs reports otherwise.
 */
export async function examineTopic(admin: Admin, topic: string): Promise<TopicState> {
  const { partitions } = await fetchTopic(admin, topic);
  const replicas = Math.min(...partitions.map((partition) => partition.replicas.length));
  let settings: Settings;
  try {
    settings = await fetchSettings(admin, topic, readSettings);
  } catch (error) {
    return { partitions: partitions.length, findings: [unreadable(error)] };
  }
  return {
    ...layoutOf(partitions.length, settings),
    findings: [
      ...replicationFindings(replicas, settings),
      ...retentionFindings(settings),
      ...timestampFindings(settings),
    ],
  };
}

/**
 * Reads what a sink watches while events flow; rejects as `examineTopic` does. Nothing else of the topic is read,
 * since a sink examines all of it whenever it opens, which another layout than `before` leads to. The limit is asked
 * for even where it could not be read: the right may have been granted since, and with it come the other settings.
 */
export async function readLayout(
  admin: Admin,
  topic: string,
  before: TopicLayout,
): Promise<TopicLayout> {
  const partitions = (await fetchTopic(admin, topic)).partitions.length;
  try {
    return layoutOf(partitions, await fetchSettings(admin, topic, ["max.message.bytes"]));
  } catch (error) {
    // To describe one topic, kafkajs reads the metadata of all, and fails while any of them has no leader.
    return isHidden(error) ? { partitions } : { ...before, partitions };
  }
}

function layoutOf(partitions: number, settings: Settings): TopicLayout {
  const maxMessageBytes = Number(settings["max.message.bytes"]);
  return { partitions, ...(maxMessageBytes > 0 && { maxMessageBytes }) };
}

/** An admin client of kafkajs never lets the broker create a topic that it asks for by name, unlike a producer. */
async function fetchTopic(admin: Admin, topic: string): Promise<ITopicMetadata> {
  const { topics } = await admin
    .fetchTopicMetadata({ topics: [topic] })
    .catch((error: unknown) => Promise.reject(isAbsent(error) ? absent(topic) : error));
  const [found] = topics;
  if (found === undefined || found.partitions.length === 0) {
    throw new CertwireError("CERTWIRE_SINK_UNREACHABLE", `topic "${topic}" has no partitions yet`);
  }
  return found;
}

function isAbsent(error: unknown): boolean {
  return typeOf(error) === "UNKNOWN_TOPIC_OR_PARTITION";
}

/** True when this client lacks the right to read a topic or its settings. */
function isHidden(error: unknown): boolean {
  return typeOf(error) === "TOPIC_AUTHORIZATION_FAILED";
}

/** The name that kafkajs gives the broker's error code. */
function typeOf(error: unknown): unknown {
  return (Object(error) as { type?: unknown }).type;
}

function absent(topic: string): CertwireError {
  return new CertwireError("CERTWIRE_SINK_CONFIG", `topic "${topic}" does not exist`, {
    hint: "Create the topic, or correct its name. Where ACLs apply, a client without Describe may get this answer too.",
  });
}

async function fetchSettings(
  admin: Admin,
  topic: string,
  names: readonly SettingName[],
): Promise<Settings> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [
      {
        type: kafkajs.ConfigResourceTypes.TOPIC,
        name: topic,
        configNames: [...names],
      },
    ],
  });
  const entries = resources[0]?.configEntries ?? [];
  return Object.fromEntries(
    entries.map(({ configName, configValue }) => [configName, configValue]),
  );
}

function unreadable(error: unknown): DestinationFinding {
  if (isLeaderless(error)) {
    return {
      message: "cannot read the topic's settings while any topic of the cluster has no leader",
      hint: "Bring back the brokers that hold its partitions. The settings are read once every topic has a leader.",
    };
  }
  return {
    message: `cannot read the topic's settings: ${describeCause(error)}`,
    hint: "Grant this client DescribeConfigs on the topic; without it nothing warns of settings that lose events.",
  };
}

function replicationFindings(replicas: number, settings: Settings): DestinationFinding[] {
  const minInSync = Number(settings["min.insync.replicas"] ?? 1);
  const findings: DestinationFinding[] = [];
  if (replicas < 3) {
    findings.push({
      message: `replication factor ${replicas}: too few to survive the loss of a broker`,
      hint: "Use replication factor 3.",
    });
  }
  if (minInSync < 2) {
    findings.push({
      message: `min.insync.replicas ${minInSync}: an acknowledged event may exist on one broker only`,
      hint: "Set min.insync.replicas of the topic to 2.",
    });
  }
  if (minInSync >= replicas && replicas > 1) {
    findings.push({
      message: `min.insync.replicas ${minInSync} of ${replicas} replicas: publishing stops when any broker is down`,
      hint: "Add a replica, or lower min.insync.replicas.",
    });
  }
  if (settings["unclean.leader.election.enable"] === "true") {
    findings.push({
      message:
        "unclean.leader.election.enable: acknowledged events may be lost when a leader is elected",
      hint: "Set unclean.leader.election.enable of the topic to false.",
    });
  }
  return findings;
}

function retentionFindings(settings: Settings): DestinationFinding[] {
  const findings: DestinationFinding[] = [];
  if (settings["cleanup.policy"]?.includes("compact") === true) {
    findings.push({
      message:
        "cleanup.policy compact: the broker keeps only the newest event of each request and deletes the others",
      hint: "Set cleanup.policy of the topic to delete.",
      losesEvents: true,
    });
  }
  const retentionMs = Number(settings["retention.ms"] ?? -1);
  if (retentionMs >= 0 && retentionMs < 24 * hourMs) {
    const hours = Math.round((retentionMs / hourMs) * 10) / 10;
    findings.push({
      message: `retention.ms ${retentionMs}: the broker deletes events after ${hours} hours`,
      hint: "Raise retention.ms of the topic above the longest time that a consumer may be down.",
    });
  }
  const retentionBytes = Number(settings["retention.bytes"] ?? -1);
  if (retentionBytes >= 0 && retentionBytes < leastRetentionBytes) {
    findings.push({
      message: `retention.bytes ${retentionBytes}: the broker deletes events once a partition is larger`,
      hint: "Raise retention.bytes of the topic above what comes in the longest time that a consumer may be down.",
    });
  }
  return findings;
}

/** Records carry the time at which they are sent, unless the broker gives them its own. */
function timestampFindings(settings: Settings): DestinationFinding[] {
  if (settings["message.timestamp.type"] === "LogAppendTime") return [];
  const [aheadMs, lateMs] = (["after", "before"] as const).map((side) =>
    Number(settings[`message.timestamp.${side}.max.ms`] ?? Infinity),
  );
  const findings: DestinationFinding[] = [];
  if (aheadMs !== undefined && aheadMs < leastDifferenceMs) {
    findings.push({
      message: `message.timestamp.after.max.ms ${aheadMs}: publishing stops while the clock here is further ahead`,
      hint: "Set message.timestamp.after.max.ms of the topic to 3600000, its default.",
    });
  }
  if (lateMs !== undefined && lateMs < leastDifferenceMs) {
    findings.push({
      message: `message.timestamp.before.max.ms ${lateMs}: publishing stops while the clock here is further back`,
      hint: "Set message.timestamp.before.max.ms of the topic to 3600000 or more.",
    });
  }
  return findings;
}
