import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { openClient } from "../../../src/consumer/kafka/client.ts";
import { silentLogger } from "../../../src/consumer/logger.ts";

interface RequestQueue {
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  scheduleCheckPendingRequests(): void;
}

test("a client of Kafka that the consumer makes has no timer while no request is pending", async () => {
  await openClient({ brokers: ["127.0.0.1:1"] }, silentLogger);
  const require = createRequire(import.meta.url);
  const { prototype } = require("kafkajs/src/network/requestQueue") as { prototype: RequestQueue };
  const queue = Object.assign(Object.create(prototype) as RequestQueue, {
    pending: [],
    throttledUntil: -1,
    throttleCheckTimeoutId: null,
  });
  queue.scheduleCheckPendingRequests();
  assert.equal(queue.throttleCheckTimeoutId, null);
});
