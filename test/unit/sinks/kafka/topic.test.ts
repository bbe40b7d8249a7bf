import assert from "node:assert/strict";
import { test } from "node:test";
import type { Admin } from "kafkajs";
import { toKafkaFailure } from "../../../../src/sinks/kafka/errors.ts";
import { examineTopic, readLayout } from "../../../../src/sinks/kafka/topic.ts";

const before = { partitions: 3, maxMessageBytes: 1_000_000 };

/** An error of a broker, as kafkajs throws it. */
function protocolError(type: string): Error {
  return Object.assign(new Error(type), { name: "KafkaJSProtocolError", type });
}

interface Answers {
  readonly topicError?: Error;
  readonly settings?: Readonly<Record<string, string>>;
  readonly settingsError?: Error;
}

/** An admin client with a topic of three partitions; it has no other methods than the two that are allowed. */
function fakeAdmin({ topicError, settings = {}, settingsError }: Answers) {
  const requests: unknown[] = [];
  const partitions = [0, 1, 2].map((partitionId) => ({ partitionId, replicas: [1, 2, 3] }));
  const admin = {
    async fetchTopicMetadata(request: { topics: string[] }) {
      requests.push(request);
      if (topicError) throw topicError;
      return { topics: request.topics.map((name) => ({ name, partitions })) };
    },
    async describeConfigs(request: { resources: { name: string; configNames: string[] }[] }) {
      requests.push(
        ...request.resources.map(({ name, configNames }) => ({ topic: name, configNames })),
      );
      if (settingsError) throw settingsError;
      const configEntries = Object.entries(settings).map(([configName, configValue]) => ({
        configName,
        configValue,
      }));
      return { resources: [{ configEntries }] };
    },
  };
  return { admin: admin as unknown as Admin, requests };
}

test("a watched topic is asked for by its name, and for one setting", async () => {
  const { admin, requests } = fakeAdmin({ settings: { "max.message.bytes": "20000" } });
  assert.deepEqual(await readLayout(admin, "events", before), {
    partitions: 3,
    maxMessageBytes: 20_000,
  });
  assert.deepEqual(requests, [
    { topics: ["events"] },
    { topic: "events", configNames: ["max.message.bytes"] },
  ]);
});

test("a right that is taken away is another layout, since the limit is unknown then", async () => {
  const settingsError = protocolError("TOPIC_AUTHORIZATION_FAILED");
  const { admin } = fakeAdmin({ settingsError });
  assert.deepEqual(await readLayout(admin, "events", before), { partitions: 3 });
});

test("settings that cannot be read for another reason leave the limit as it was", async () => {
  const settingsError = protocolError("LEADER_NOT_AVAILABLE");
  const { admin } = fakeAdmin({ settingsError });
  const layout = await readLayout(admin, "events", { ...before, partitions: 2 });
  assert.deepEqual(layout, before, "the new number of partitions counts");
});

test("a topic that is not there is a configuration error, watched or examined", async () => {
  const { admin } = fakeAdmin({ topicError: protocolError("UNKNOWN_TOPIC_OR_PARTITION") });
  const expected = { code: "CERTWIRE_SINK_CONFIG", message: 'topic "events" does not exist' };
  await assert.rejects(readLayout(admin, "events", before), expected);
  await assert.rejects(examineTopic(admin, "events"), expected);
});

test("a topic that this client may not see is a missing right", async () => {
  const { admin } = fakeAdmin({ topicError: protocolError("TOPIC_AUTHORIZATION_FAILED") });
  const kind = async (refused: Promise<unknown>) =>
    toKafkaFailure(await refused.catch((error: unknown) => error)).kind;
  assert.equal(await kind(readLayout(admin, "events", before)), "auth");
  assert.equal(await kind(examineTopic(admin, "events")), "auth");
});

test("another failure to read the topic says what it is", async () => {
  const topicError = protocolError("LEADER_NOT_AVAILABLE");
  const { admin } = fakeAdmin({ topicError });
  await assert.rejects(examineTopic(admin, "events"), topicError);
});

test("a topic that is examined is asked for all settings that put events at risk", async () => {
  const settings = {
    "cleanup.policy": "compact",
    "max.message.bytes": "20000",
    "message.timestamp.after.max.ms": "9223372036854775807",
    "message.timestamp.before.max.ms": "9223372036854775807",
    "message.timestamp.type": "CreateTime",
    "min.insync.replicas": "2",
    "retention.bytes": "-1",
    "retention.ms": "-1",
    "unclean.leader.election.enable": "false",
  };
  const { admin, requests } = fakeAdmin({ settings });
  const { findings, ...layout } = await examineTopic(admin, "events");
  assert.deepEqual(layout, { partitions: 3, maxMessageBytes: 20_000 });
  assert.equal(findings.length, 1);
  assert.match(findings[0]?.message ?? "", /^cleanup.policy compact/);
  assert.deepEqual(requests, [
    { topics: ["events"] },
    { topic: "events", configNames: Object.keys(settings) },
  ]);
});

test("settings that cannot be read are a finding of a topic that is examined", async () => {
  const settingsError = protocolError("TOPIC_AUTHORIZATION_FAILED");
  const { findings, ...layout } = await examineTopic(fakeAdmin({ settingsError }).admin, "events");
  assert.deepEqual(layout, { partitions: 3 });
  assert.match(findings[0]?.message ?? "", /^cannot read the topic's settings: /);
});

test("settings that cannot be read because some topic has no leader are not a missing right", async () => {
  const settingsError = protocolError("LEADER_NOT_AVAILABLE");
  const { findings } = await examineTopic(fakeAdmin({ settingsError }).admin, "events");
  assert.match(findings[0]?.message ?? "", /while any topic of the cluster has no leader/);
  assert.doesNotMatch(findings[0]?.hint ?? "", /Grant/);
});
