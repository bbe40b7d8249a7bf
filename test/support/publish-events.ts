import type { TestContext } from "node:test";
import type { CertwireEvent } from "../../src/events/event.ts";
import type { Sink } from "../../src/sinks/sink.ts";
import { MemorySource } from "./memory-source.ts";
import { neverStopped, testPipeline } from "./run-pipeline.ts";

/** Publishes events by the product's own pipeline and sink. */
export async function publishEvents(
  context: TestContext,
  events: readonly CertwireEvent[],
  sink: Sink,
): Promise<void> {
  const { pipeline } = await testPipeline(context, new MemorySource(events), sink);
  await pipeline.run(neverStopped);
}
