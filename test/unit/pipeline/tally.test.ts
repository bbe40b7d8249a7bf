import assert from "node:assert/strict";
import { test } from "node:test";
import type { EventKind } from "../../../src/events/event.ts";
import { EventTally } from "../../../src/pipeline/tally.ts";

function event(kind: EventKind, recordedtime: string) {
  return { event: { kind, attributes: { recordedtime } } };
}

test("acknowledged events are counted by kind and delay, in whatever order they come", () => {
  const tally = new EventTally();
  const now = Date.parse("2026-06-15T12:00:10.000Z");
  const [early, late] = ["2026-06-15T12:00:00.000Z", "2026-06-15T12:00:09.999Z"];
  tally.acknowledged(
    [
      event("certificate.issued", early),
      event("certificate.issued", early),
      event("crl.issued", early),
      event("certificate.issued", late),
    ],
    now,
  );
  tally.acknowledged([event("certificate.issued", "2026-06-15T13:00:00.000Z")], now);
  tally.acknowledged([], now);
  const { acknowledged, latency } = tally.counts;
  assert.deepEqual(
    [...acknowledged],
    [
      ["certificate.issued", 4],
      ["crl.issued", 1],
    ],
  );
  const filled = latency.limits.flatMap((limit, at) =>
    (latency.counts[at] ?? 0) > 0 ? [[limit, latency.counts[at]]] : [],
  );
  // An event of the future, because the clock was set back, took no time.
  assert.deepEqual(filled, [
    [0.001, 2],
    [10, 3],
  ]);
  assert.equal(latency.sum, 30.001);
});

test("what is above every limit is counted without one", () => {
  const tally = new EventTally();
  tally.published(5000, 7_200_000);
  const { publishDuration, batchEvents } = tally.counts;
  assert.deepEqual([publishDuration.counts.at(-1), publishDuration.sum], [1, 7200]);
  assert.deepEqual([batchEvents.counts.at(-1), batchEvents.sum], [1, 5000]);
});
