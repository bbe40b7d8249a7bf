import { randomUUID } from "node:crypto";
import type { Admin } from "kafkajs";
import { toConsumerError } from "../../consumer/kafka/client.ts";
import { kafkaTopic } from "../../consumer/kafka/topic-source.ts";
import { createKafka } from "../../sinks/kafka/client.ts";
import {
  kafkaSinkOptions,
  type ResolvedKafkaSinkOptions,
  resolveKafkaSink,
} from "../../sinks/kafka/options.ts";
import { createLogger } from "../logger.ts";
import {
  type ConnectOptions,
  parseEntry,
  passwordReference,
  resolveContext,
  tlsEntry,
  usage,
} from "./credentials.ts";
import { type Extent, readToEnd } from "./read-to-end.ts";
import type { Tally } from "./tally.ts";

/** The topic that a URL names. Throws CERTWIRE_USAGE. */
export function kafkaTarget(url: string, options: ConnectOptions): ResolvedKafkaSinkOptions {
  const { username, mechanism } = options;
  const password = passwordReference(options);
  if ((username === undefined) !== (password === undefined)) {
    throw usage("--username and a password belong together", "Use --password-file FILE.");
  }
  const access = username !== undefined && { sasl: { mechanism, username, password } };
  const entry = { url, clientId: "certwire-verify", ...access, ...tlsEntry(options) };
  return resolveKafkaSink(parseEntry(kafkaSinkOptions, entry, "--kafka"), resolveContext);
}

/** Reads all that a topic holds now. Rejects with a CertwireError. */
export async function readTopic(
  target: ResolvedKafkaSinkOptions,
  tally: Tally,
  signal: AbortSignal,
): Promise<void> {
  const { topic } = target;
  const client = createKafka(target, createLogger("silent"));
  const admin = client.admin();
  // Of its own, so that it begins at the oldest message and disturbs no consumer.
  const groupId = `certwire-verify-${randomUUID()}`;
  try {
    await admin.connect();
    const extents = await extentsOf(admin, topic);
    await readToEnd(kafkaTopic({ client, topic, groupId }), extents, tally, signal);
    // Without the right to do so the broker forgets the group by itself.
    await admin.deleteGroups([groupId]).catch(() => undefined);
  } catch (error) {
    throw toConsumerError(error, `cannot read the topic "${topic}"`);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

async function extentsOf(admin: Admin, topic: string): Promise<Extent[]> {
  const offsets = await admin.fetchTopicOffsets(topic);
  return offsets.map(({ partition, low, high }) => ({
    place: `${topic}/${partition}`,
    low: BigInt(low),
    high: BigInt(high),
  }));
}
