import type { TestContext } from "node:test";
import type { EventKind } from "../../src/events/event.ts";
import { encodeEvent } from "../../src/events/outbound-event.ts";
import type { Sink } from "../../src/sinks/sink.ts";
import { MemorySource } from "./memory-source.ts";
import { type PipelineSettings, range, testPipeline } from "./run-pipeline.ts";
import { sampleEvent, sequenceOf } from "./sample-events.ts";
import { until } from "./until.ts";

const tickMs = 20;

/** How fast events flow, and of how many requests. */
export interface FlowOptions {
  readonly eventsPerSecond: number;
  readonly keys: number;
  /** Kinds of the events, by turns. Default one kind. */
  readonly kinds?: readonly EventKind[];
  readonly settings?: PipelineSettings;
}

/**
 * Lets events flow through a pipeline into a sink until `end` is called. What the sink does not take waits, but
 * not more than twice what may be under way, so that a slow sink is not buried.
 */
export async function startFlow(t: TestContext, sink: Sink, options: FlowOptions) {
  const { eventsPerSecond, keys, kinds = ["certificate.issued"], settings } = options;
  const mostWaiting = 2 * (settings?.maxInFlightEvents ?? 2000);
  const source = new MemorySource([], { tail: true });
  const { pipeline, logLines, deadLetters } = await testPipeline(t, source, sink, {
    retryMaxMs: 500,
    ...settings,
  });
  const stop = new AbortController();
  const running = pipeline.run(stop.signal);
  const eventAt = (n: number) => {
    const type = `io.certwire.${kinds[n % kinds.length]}.v1`;
    return { ...sampleEvent(n, `ca/${n % keys}`, 500), type };
  };
  let sent = 0;
  const feed = setInterval(() => {
    const room = pipeline.stats().acknowledgedEvents + mostWaiting;
    const last = Math.min(room, sent + (eventsPerSecond * tickMs) / 1000);
    for (; sent < last; sent += 1) source.push(eventAt(sent + 1));
  }, tickMs);
  t.after(() => clearInterval(feed));
  t.after(() => stop.abort());
  const acknowledged = (count: number) =>
    until(() => pipeline.stats().acknowledgedEvents >= count, `${count} events are acknowledged`, {
      state: () => pipeline.stats(),
    });
  return {
    pipeline,
    logLines,
    deadLetters,
    /** Resolves when this many events are acknowledged. */
    acknowledged,
    /** Resolves when this many more events are acknowledged. */
    moreAcknowledged: (count: number) => acknowledged(pipeline.stats().acknowledgedEvents + count),
    /** Lets no more events flow and stops the pipeline once all of them are acknowledged. */
    async end(): Promise<void> {
      clearInterval(feed);
      await acknowledged(sent);
      stop.abort();
      await running;
    },
    sent: () => range(1, sent).map((n) => encodeEvent(eventAt(n))),
  };
}

/** How many events arrived more than once. */
export function countDuplicates(arrived: readonly { readonly id: string }[]): number {
  return arrived.length - new Set(arrived.map(sequenceOf)).size;
}
