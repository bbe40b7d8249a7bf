import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { Sink } from "../../src/sinks/sink.ts";
import { MemorySource } from "./memory-source.ts";
import { type PipelineSettings, range, testPipeline, until } from "./run-pipeline.ts";
import { sampleEvent, sampleOutbound, sequenceOf } from "./sample-events.ts";

const tickMs = 20;

/** How many events flow, how fast, and of how many requests. */
export interface FlowOptions {
  readonly events: number;
  readonly eventsPerSecond: number;
  readonly keys: number;
  readonly settings?: PipelineSettings;
}

/** Lets events flow through a pipeline into a sink at a steady rate, whatever the sink does. */
export async function startFlow(t: TestContext, sink: Sink, options: FlowOptions) {
  const { events, eventsPerSecond, keys, settings } = options;
  const source = new MemorySource([], { tail: true });
  const { pipeline, logLines } = await testPipeline(t, source, sink, {
    retryMaxMs: 500,
    drainTimeoutMs: 10_000,
    ...settings,
  });
  const stop = new AbortController();
  const running = pipeline.run(stop.signal);
  const started = performance.now();
  let sent = 0;
  const feed = setInterval(() => {
    const due = ((performance.now() - started) / 1000) * eventsPerSecond;
    for (; sent < Math.min(due, events); sent += 1) {
      source.push(sampleEvent(sent + 1, `ca/${(sent + 1) % keys}`, 500));
    }
  }, tickMs);
  t.after(() => clearInterval(feed));
  t.after(() => stop.abort());
  return {
    pipeline,
    logLines,
    /** Resolves when this many events are acknowledged. */
    acknowledged: (count: number, timeoutMs = 60_000) =>
      until(
        () => pipeline.stats().acknowledgedEvents >= count,
        `${count} of ${events} events are acknowledged`,
        timeoutMs,
      ),
    /** Stops the pipeline; its last events are acknowledged then, or the test fails. */
    async end(): Promise<void> {
      stop.abort();
      await running;
    },
    sent: () => range(1, events).map((n) => sampleOutbound(n, `ca/${n % keys}`, 500)),
  };
}

/** How many events arrived more than once. */
export function countDuplicates(arrived: readonly { readonly id: string }[]): number {
  return arrived.length - new Set(arrived.map(sequenceOf)).size;
}

/** A number from the environment, so that the same test runs in its short and its full size. */
export function sizeFromEnvironment(name: string, byDefault: number): number {
  const value = Number(process.env[name] ?? byDefault);
  assert.ok(value > 0, `${name} must be a number above 0`);
  return value;
}
