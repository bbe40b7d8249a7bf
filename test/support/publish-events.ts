import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { CertwireEvent } from "../../src/events/event.ts";
import type { Sink } from "../../src/sinks/sink.ts";
import { MemorySource } from "./memory-source.ts";
import { neverStopped, testPipeline } from "./run-pipeline.ts";

/** Time that an event without a queue waits for one, in s; a broker that starts may have none for a while. */
const deadLetterAfterSeconds = 3600;

/** Publishes events by the product's own pipeline and sink; fails if one of them becomes a dead letter. */
export async function publishEvents(
  context: TestContext,
  events: readonly CertwireEvent[],
  sink: Sink,
): Promise<void> {
  const source = new MemorySource(events);
  const { pipeline } = await testPipeline(context, source, sink, { deadLetterAfterSeconds });
  await pipeline.run(neverStopped);
  const buried = Object.values(pipeline.stats().deadLetters);
  assert.ok(
    buried.every((count) => count === 0),
    "dead letters",
  );
}
