import assert from "node:assert/strict";
import { test } from "node:test";
import type { Admin } from "kafkajs";
import { createTopicWithLeaders } from "../../../src/testing/brokers/create-topic.ts";

type Topics = Pick<Admin, "createTopics" | "fetchTopicMetadata">;

function protocolError(type: string): Error {
  return Object.assign(new Error(type), { type });
}

function metadata(...leaders: number[]): Awaited<ReturnType<Admin["fetchTopicMetadata"]>> {
  const partitions = leaders.map((leader, partitionId) => {
    return { partitionErrorCode: 0, partitionId, leader, replicas: [1], isr: [1] };
  });
  return { topics: [{ name: "certificates", partitions }] };
}

/** Brokers that give these answers, one after another, about a topic. */
function brokers(answers: (ReturnType<typeof metadata> | Error)[], isNew = true): Topics {
  return {
    createTopics: () => Promise.resolve(isNew),
    fetchTopicMetadata() {
      const answer = answers.shift() ?? new Error("asked again");
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
  };
}

test("a topic is created once the broker knows it and each partition has its leader", async () => {
  const answers = [
    protocolError("UNKNOWN_TOPIC_OR_PARTITION"),
    protocolError("LEADER_NOT_AVAILABLE"),
    new Error("tries used up", { cause: protocolError("LEADER_NOT_AVAILABLE") }),
    metadata(),
    metadata(1, -1),
    metadata(1, 0),
  ];
  await createTopicWithLeaders(brokers(answers), "certificates", 2);
  assert.deepEqual(answers, []);
});

test("an error that does not pass by itself ends the wait for a new topic", async () => {
  const refused = protocolError("TOPIC_AUTHORIZATION_FAILED");
  const created = createTopicWithLeaders(brokers([refused]), "certificates", 2);
  await assert.rejects(created, refused);
});

test("a topic that exists is not created again", async () => {
  await assert.rejects(createTopicWithLeaders(brokers([], false), "certificates", 2), {
    code: "CERTWIRE_TESTING_OPTIONS",
    message: 'topic "certificates" exists',
  });
});
