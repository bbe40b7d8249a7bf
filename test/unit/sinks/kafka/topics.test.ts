import assert from "node:assert/strict";
import { test } from "node:test";
import type { Admin } from "kafkajs";
import pino from "pino";
import { kafkaSinkOptions, resolveKafkaSink } from "../../../../src/sinks/kafka/options.ts";
import { KafkaTopics } from "../../../../src/sinks/kafka/topics.ts";
import { sampleOutbound } from "../../../support/sample-events.ts";

interface FakeTopic {
  partitions: number;
  maxMessageBytes: number;
  isLeaderless?: boolean;
}

/** As kafkajs throws it after its own tries. */
function leaderless(): Error {
  const cause = Object.assign(new Error("no leader"), { type: "LEADER_NOT_AVAILABLE" });
  return Object.assign(new Error("no leader", { cause }), {
    name: "KafkaJSNumberOfRetriesExceeded",
  });
}

/** An admin client of a cluster with these topics. */
function fakeCluster(topics: Record<string, FakeTopic>) {
  const asked: string[] = [];
  const admin = {
    async fetchTopicMetadata({ topics: [name = ""] }: { topics: string[] }) {
      asked.push(name);
      const type = "UNKNOWN_TOPIC_OR_PARTITION";
      const found = topics[name];
      if (found === undefined) throw Object.assign(new Error(type), { type });
      if (found.isLeaderless === true) throw leaderless();
      const partitions = Array.from({ length: found.partitions }, (_, partitionId) => ({
        partitionId,
        replicas: [1, 2, 3],
      }));
      return { topics: [{ name, partitions }] };
    },
    async describeConfigs({ resources: [resource] }: { resources: { name: string }[] }) {
      const settings = {
        "max.message.bytes": String(topics[resource?.name ?? ""]?.maxMessageBytes),
        "min.insync.replicas": "1",
      };
      const configEntries = Object.entries(settings).map(([configName, configValue]) => ({
        configName,
        configValue,
      }));
      return { resources: [{ configEntries }] };
    },
  };
  return { admin: admin as unknown as Admin, asked };
}

function topicsOf(url: string, routes: readonly string[] = []) {
  const entry = { name: "k", url, ...(routes.length > 0 && { routes: routes.map(route) }) };
  const options = resolveKafkaSink(kafkaSinkOptions.parse(entry), {
    baseDirectory: "/",
    secret: () => "",
  });
  return new KafkaTopics(options, pino({ level: "silent" }));
}

function route(topic: string) {
  return { topic };
}

const large = { partitions: 6, maxMessageBytes: 1_000_000 };
const small = { partitions: 2, maxMessageBytes: 50_000 };

test("every topic whose name is known is examined, and a missing one is named", async () => {
  const { admin, asked } = fakeCluster({ a: large, b: small });
  const topics = topicsOf("kafka://h/a", ["b", "t.{template}"]);
  await topics.open(admin);
  assert.deepEqual(asked, ["a", "b"]);
  assert.equal(topics.mostPartitions, Infinity, "topics of templates may have any number");
  assert.deepEqual([topics.partitionsAtOpen("a"), topics.partitionsAtOpen("b")], [6, 2]);
  const message = 'topic "gone" does not exist';
  await assert.rejects(topicsOf("kafka://h/a", ["gone"]).open(admin), { message });
});

test("the size of an event is that of its own topic", async () => {
  const { admin } = fakeCluster({ a: large, b: small });
  const topics = topicsOf("kafka://h/a", ["b"]);
  await topics.open(admin);
  assert.equal(topics.limitsOf("a").maxEventBytes, 900 * 1024);
  assert.equal(topics.limitsOf("b").maxEventBytes, 50_000 - 1024);
  assert.equal(topics.mostPartitions, 6);
});

test("a topic of a value is examined when it is first used, once, and at each opening after that", async () => {
  const { admin, asked } = fakeCluster({ a: large, "t.web": small });
  const topics = topicsOf("kafka://h/a", ["t.{template}"]);
  await topics.open(admin);
  assert.equal(topics.limitsOf("t.web").maxEventBytes, 900 * 1024, "not known yet");
  const states = await Promise.all([topics.state("t.web"), topics.state("t.web")]);
  assert.deepEqual(
    states.map(({ partitions }) => partitions),
    [2, 2],
  );
  assert.deepEqual(asked, ["a", "t.web"]);
  assert.equal(topics.partitionsAtOpen("t.web"), undefined, "its keys keep their lanes");
  assert.equal(topics.limitsOf("t.web").maxEventBytes, 50_000 - 1024);
  await topics.open(admin);
  assert.deepEqual(asked.slice(2), ["a", "t.web"]);
  assert.equal(topics.partitionsAtOpen("t.web"), 2);
});

test("a topic that is gone keeps a sink from opening only if its name is known", async () => {
  const cluster: Record<string, FakeTopic> = { a: large, "t.web": small };
  const { admin } = fakeCluster(cluster);
  const topics = topicsOf("kafka://h/a", ["t.{template}"]);
  await topics.open(admin);
  await topics.state("t.web");
  delete cluster["t.web"];
  await topics.open(admin);
  const message = 'topic "t.web" does not exist';
  await assert.rejects(topics.state("t.web"), { code: "CERTWIRE_SINK_CONFIG", message });
  cluster["t.web"] = large;
  assert.equal((await topics.state("t.web")).partitions, 6);
});

test("a topic without a leader does not keep a sink with other topics from opening", async () => {
  const b: FakeTopic = { ...small, isLeaderless: true };
  const { admin } = fakeCluster({ a: { ...large, partitions: 1 }, b });
  const topics = topicsOf("kafka://h/a", ["b"]);
  await topics.open(admin);
  assert.equal(topics.mostPartitions, Infinity, "that of the topic is not known");
  const isNamed = () => topics.findings.some(({ message }) => /^topic "b": .*leader/.test(message));
  assert.ok(isNamed());
  await assert.rejects(topics.state("b"), { code: "CERTWIRE_SINK_UNREACHABLE", message: /"b"/ });
  b.isLeaderless = false;
  assert.equal((await topics.state("b")).partitions, 2);
  assert.equal(topics.partitionsAtOpen("b"), undefined, "its keys keep their lanes");
  assert.ok(!isNamed());
});

test("a sink none of whose topics has a leader does not open", async () => {
  const offline = { ...small, isLeaderless: true };
  const { admin } = fakeCluster({ a: offline, b: offline });
  for (const topics of [topicsOf("kafka://h/a"), topicsOf("kafka://h/a", ["b"])])
    await assert.rejects(topics.open(admin), { code: "CERTWIRE_SINK_UNREACHABLE" });
});

test("an event from before its topic was known is made to fit, one that is refused later is an alarm", async () => {
  const { admin } = fakeCluster({ a: large, "t.web": small });
  const topics = topicsOf("kafka://h/a", ["t.{template}"]);
  await topics.open(admin);
  await topics.state("t.web");
  const event = sampleOutbound(1, "ca/1", 60_000);
  assert.equal(topics.refused("t.web", event).scope, "sink");
  await topics.open(admin);
  for (let refusals = 0; topics.refused("t.web", event).scope === "sink"; refusals += 1) {
    assert.ok(refusals < 10, "refusals have an end");
    await topics.open(admin);
  }
  const { kind, cause } = topics.refused("t.web", event);
  assert.equal(kind, "config");
  assert.match(cause.message, /"t.web" refuses an event of \d+ bytes/);
});

test("a change of any topic is seen, and findings name their topic", async () => {
  const b = { ...small };
  const { admin } = fakeCluster({ a: large, b });
  const topics = topicsOf("kafka://h/a", ["b"]);
  await topics.open(admin);
  assert.deepEqual((await topics.changes()).changes, []);
  b.partitions = 3;
  assert.deepEqual((await topics.changes()).changes, [
    'topic "b" now has 3 partitions instead of 2',
  ]);
  assert.deepEqual(
    topics.findings.map(({ message }) => message.split(/[:\d]/, 2).join("")),
    [
      'topic "a" min.insync.replicas ',
      'topic "b" min.insync.replicas ',
      'topic "b" max.message.bytes ',
    ],
  );
  const one = topicsOf("kafka://h/a");
  await one.open(admin);
  assert.match(one.findings[0]?.message ?? "", /^min\.insync/);
});

test("a check says why no topic can be read, and not that one of several cannot", async () => {
  const [a, b]: FakeTopic[] = [{ ...large }, { ...small }];
  assert.ok(a && b);
  const { admin } = fakeCluster({ a, b });
  const topics = topicsOf("kafka://h/a", ["b"]);
  await topics.open(admin);
  a.isLeaderless = true;
  assert.equal((await topics.changes()).error, undefined);
  b.isLeaderless = true;
  assert.match((await topics.changes()).error?.message ?? "", /topic "a"/);
  b.isLeaderless = false;
  assert.equal((await topics.changes()).error, undefined);
});
