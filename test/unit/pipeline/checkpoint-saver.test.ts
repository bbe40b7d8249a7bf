import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import pino from "pino";
import { clock } from "../../../src/clock.ts";
import type { JournalPosition } from "../../../src/journal/position.ts";
import { CheckpointSaver } from "../../../src/pipeline/checkpoint-saver.ts";
import { PipelineMonitor } from "../../../src/pipeline/monitor.ts";
import { samplePosition } from "../../support/sample-events.ts";
import { until } from "../../support/until.ts";

/** A saver of a position that the test moves, with what it has saved and how often it has waited. */
function saverOf(t: TestContext, save: () => Promise<void>) {
  const saved: JournalPosition[] = [];
  let kept = 0;
  const waits = t.mock.method(clock, "delay", () => Promise.resolve());
  let position: JournalPosition | null = null;
  const checkpoints = {
    keep: async () => {
      await save();
      kept += 1;
    },
    save: async (next: JournalPosition) => {
      await save();
      saved.push(next);
    },
  };
  const monitor = new PipelineMonitor(pino({ enabled: false }));
  const saver = new CheckpointSaver(checkpoints, () => position, monitor);
  const moveTo = (next: JournalPosition): void => {
    position = next;
    saver.moved();
  };
  return { saver, saved, moveTo, monitor, kept: () => kept, waits: () => waits.mock.callCount() };
}

test("a saver waits for the interval once after the position has moved, and for nothing while it stays", async (t) => {
  const { saver, saved, moveTo, waits, kept } = saverOf(t, () => Promise.resolve());
  saver.start(1000);
  await until(() => kept() === 1, "the position of the start is kept");
  for (const n of [1, 2, 3]) {
    assert.equal(waits(), n);
    moveTo(samplePosition(n));
    await until(() => saved.length === n, `position ${n} is saved`);
  }
  await saver.stop();
  assert.deepEqual(saved, [1, 2, 3].map(samplePosition));
});

test("a position that could not be saved is tried again although it does not move", async (t) => {
  let failures = 5;
  const { saver, saved, moveTo } = saverOf(t, async () => {
    if (failures > 0) throw new Error(`${failures--} failures are left`);
  });
  saver.start(1000);
  moveTo(samplePosition(1));
  await until(() => saved.length === 1, "it is saved at last");
  await saver.stop();
  assert.equal(failures, 0);
});

test("a stop saves a position that has moved right before it", async (t) => {
  const { saver, saved, moveTo } = saverOf(t, () => Promise.resolve());
  saver.start(1000);
  moveTo(samplePosition(1));
  await saver.stop();
  assert.deepEqual(saved, [samplePosition(1)]);
});

test("where a pipeline starts is kept although nothing moves, and tried again until it is", async (t) => {
  let failures = 5;
  const { saver, saved, kept, monitor } = saverOf(t, async () => {
    if (failures > 0) throw new Error(`${failures--} failures are left`);
  });
  saver.start(1000);
  await until(() => kept() === 1, "it is kept at last");
  await saver.stop();
  assert.deepEqual([failures, kept(), saved], [0, 1, []]);
  const { checkpoints, checkpointFailures } = monitor.counters();
  assert.deepEqual([checkpoints, checkpointFailures], [0, 5]);
});
