import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Kafka } from "kafkajs";
import { CertwireError } from "../../../../src/errors/certwire-error.ts";
import { kafkaSink } from "../../../support/make-sink.ts";

/** kafkajs for a client that may describe the topic; what its producer gets for an answer. */
function mayDescribe(t: TestContext, connect: () => Promise<void>): void {
  const partitions = [{ partitionId: 0, replicas: [1, 2, 3] }];
  const admin = {
    connect: async () => undefined,
    disconnect: async () => undefined,
    listTopics: async () => ["events"],
    fetchTopicMetadata: async () => ({ topics: [{ name: "events", partitions }] }),
    describeConfigs: async () => ({ resources: [] }),
  };
  t.mock.method(Kafka.prototype, "admin", () => admin);
  t.mock.method(Kafka.prototype, "producer", () => ({ connect, disconnect: async () => {} }));
}

test("a client that may describe a topic but write nothing is refused when the sink opens", async (t) => {
  mayDescribe(t, async () => {
    const type = "CLUSTER_AUTHORIZATION_FAILED";
    throw Object.assign(new Error("Cluster authorization failed"), { type });
  });
  const sink = kafkaSink(["127.0.0.1:1"], "events");
  await assert.rejects(sink.open(), (error) => {
    assert.ok(error instanceof CertwireError);
    assert.equal(error.code, "CERTWIRE_SINK_AUTH");
    assert.match(error.hint, /Write on the topic/);
    return true;
  });
});

test("a client that may write opens the sink", async (t) => {
  mayDescribe(t, async () => undefined);
  const sink = kafkaSink(["127.0.0.1:1"], "events");
  await sink.open();
  assert.equal(sink.lanes, 1);
  await sink.close();
});
