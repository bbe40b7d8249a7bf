import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { MemoryDeduplication } from "../../src/consumer/deduplication/memory.ts";
import type { EventSource } from "../../src/consumer/event-source.ts";
import { RunningConsumer } from "./running-consumer.ts";

/**
 * Consumes all messages of a place with the deduplication of the SDK, and makes sure that each event is handled once.
 * `arrived`: the ids of all messages there.
 */
export async function assertConsumedOnce(
  t: TestContext,
  source: EventSource,
  arrived: readonly string[],
): Promise<void> {
  const consumer = new RunningConsumer(t, source, { deduplication: new MemoryDeduplication() });
  const isDone = () => {
    const { handled, duplicates } = consumer.consumer.stats;
    return handled + duplicates >= arrived.length;
  };
  await consumer.until(isDone, "all messages are consumed");
  await consumer.stop();
  const ids = consumer.events.map(({ id }) => id);
  assert.deepEqual(ids.toSorted(), [...new Set(arrived)].toSorted());
  t.diagnostic(`a consumer with deduplication: ${ids.length} events, none twice`);
}
