import { setTimeout as delay } from "node:timers/promises";
import type { Admin } from "kafkajs";
import { usageError } from "../ca/usage-error.ts";

/** Longest wait for a topic to be usable, in ms. */
const patienceMs = 60_000;

const pauseMs = 50;

/** What brokers answer about a topic that was just created until all of them have heard of it. */
const notYet: readonly unknown[] = ["UNKNOWN_TOPIC_OR_PARTITION", "LEADER_NOT_AVAILABLE"];

/**
 * Creates a topic and resolves once each of its partitions has a leader. Rejects with CERTWIRE_TESTING_OPTIONS if the
 * topic exists, otherwise with what kafkajs throws.
 *
 * kafkajs has an option that waits for leaders, but it gives up on a broker that does not know the topic yet.
 */
export async function createTopicWithLeaders(
  admin: Pick<Admin, "createTopics" | "fetchTopicMetadata">,
  topic: string,
  numPartitions: number,
): Promise<void> {
  const topics = [{ topic, numPartitions }];
  const isNew = await admin.createTopics({ topics, timeout: patienceMs, waitForLeaders: false });
  if (!isNew) {
    throw usageError(`topic "${topic}" exists`, "Give each test a topic of its own.");
  }
  const deadline = performance.now() + patienceMs;
  while (!(await hasLeaders(admin, topic, numPartitions, deadline))) await delay(pauseMs);
}

/** Rejects once the deadline has passed, with what kafkajs threw last. */
async function hasLeaders(
  admin: Pick<Admin, "fetchTopicMetadata">,
  topic: string,
  numPartitions: number,
  deadline: number,
): Promise<boolean> {
  try {
    const partitions = (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0]?.partitions;
    const leaders = (partitions ?? []).filter(({ leader }) => leader >= 0).length;
    if (leaders === numPartitions) return true;
    if (performance.now() < deadline) return false;
    throw new Error(`${leaders} of ${numPartitions} partitions of topic "${topic}" have a leader`);
  } catch (error) {
    if (isNotYet(error) && performance.now() < deadline) return false;
    throw error;
  }
}

/** kafkajs tries a few times and then throws an error that has the last one as its cause. */
function isNotYet(error: unknown): boolean {
  const { type, cause } = Object(error) as { type?: unknown; cause?: unknown };
  return notYet.includes(type) || (cause !== undefined && isNotYet(cause));
}
