import assert from "node:assert/strict";
import { test } from "node:test";
import type { HistogramCounts } from "../../../src/pipeline/tally.ts";
import { History, quantile } from "../../../src/service/history.ts";
import { sampleObservation } from "../../support/sample-observation.ts";

/** A history of one sink that has acknowledged `events`, with these counts of latencies up to 1 s, 10 s and above. */
function historyOf(sink: { events: number; counts: readonly number[] }) {
  const [view] = sampleObservation().views;
  assert.ok(view);
  return new History(() => {
    const latency: HistogramCounts = { limits: [1, 10], counts: [...sink.counts], sum: 0 };
    const stats = { ...view.stats, acknowledgedEvents: sink.events };
    return [{ stats, tally: { ...view.tally, latency } }];
  });
}

test("a point holds what was acknowledged since the one before, per second", () => {
  const sink = { events: 500, counts: [500, 0, 0] };
  const history = historyOf(sink);
  history.sample(1_000_000, 0);
  assert.deepEqual(history.since(), [], "what was before is in no interval");
  sink.events = 530;
  sink.counts = [520, 10, 0];
  history.sample(1_010_000, 10_000);
  sink.events = 530;
  history.sample(1_020_000, 20_000);
  assert.deepEqual(history.since(), [
    {
      timeMs: 1_010_000,
      sinks: { kafka: { eventsPerSecond: 3, p50Seconds: 0.75, p99Seconds: 9.73 } },
    },
    { timeMs: 1_020_000, sinks: { kafka: { eventsPerSecond: 0 } } },
  ]);
  assert.deepEqual(
    history.since(1_010_000).map(({ timeMs }) => timeMs),
    [1_020_000],
  );
});

test("it keeps an hour, however long the service runs", () => {
  const history = historyOf({ events: 0, counts: [0, 0, 0] });
  for (let at = 0; at <= 5000; at += 1) history.sample(at * 10_000, at * 10_000);
  const points = history.since();
  assert.equal(points.length, 360);
  assert.equal(points.at(-1)?.timeMs, 50_000_000);
});

test("a quantile lies within its bucket, and above the last limit it is that limit", () => {
  assert.equal(quantile([1, 10], [0, 0, 0], 0.5), undefined);
  assert.equal(quantile([1, 10], [0, 4, 0], 0.5), 5.5);
  assert.equal(quantile([1, 10], [1, 0, 1], 0.99), 10);
  assert.equal(quantile([1, 10], [1, 1, 0], 0.5), 1);
});
