import assert from "node:assert/strict";
import { test } from "node:test";
import type { KafkaClient } from "../../../src/consumer/kafka/options.ts";
import { kafkaTopic } from "../../../src/consumer/kafka/topic-source.ts";
import { RunningConsumer } from "../../support/running-consumer.ts";
import { until } from "../../support/until.ts";

test("a consumer of Kafka stops while it connects, and closes what is connected later", async (t) => {
  let connected: (() => void) | undefined;
  let disconnects = 0;
  const client = {
    consumer: () => ({
      connect: () =>
        new Promise<void>((resolve) => {
          connected = resolve;
        }),
      subscribe: async () => undefined,
      disconnect: async () => {
        disconnects += 1;
      },
    }),
  } as unknown as KafkaClient;
  const source = kafkaTopic({ client, topic: "certificates", groupId: "inventory" });
  const run = new RunningConsumer(t, source);
  await run.until(() => connected !== undefined, "the consumer connects");
  await run.stop();
  const before = disconnects;
  connected?.();
  await until(() => disconnects > before, "the late connection is closed");
  assert.ok(run.lines.every(({ msg }) => msg !== "cannot connect"));
});
