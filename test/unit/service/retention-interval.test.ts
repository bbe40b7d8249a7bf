import assert from "node:assert/strict";
import { test } from "node:test";
import type { RetentionReport } from "../../../src/journal/retention.ts";
import { keepRetention, nextAfterMs } from "../../../src/service/retention-task.ts";
import { collectLog } from "../../support/collect-log.ts";
import { journalDirectory } from "../../support/small-journal.ts";
import { until } from "../../support/until.ts";

const mebibyte = 2 ** 20;
const minute = 60_000;

function report(journal: number, free: number): RetentionReport {
  return {
    policy: { replayWindowMs: 0, maxBytes: 1000 * mebibyte, minFreeBytes: 200 * mebibyte },
    journalBytes: journal * mebibyte,
    freeBytes: free * mebibyte,
    deleted: [],
    failed: [],
  };
}

test("the next round of retention comes before the journal is full, and soon while it is", () => {
  const perSecond = mebibyte / 1000;
  assert.equal(nextAfterMs(report(100, 10_000), 0, minute), minute);
  assert.equal(nextAfterMs(report(100, 10_000), -1, minute), minute);
  // 85 % are 850 MiB: 100 s at 1 MiB a second, of which half passes.
  assert.equal(nextAfterMs(report(750, 10_000), perSecond, minute), 50_000);
  assert.equal(nextAfterMs(report(849, 10_000), perSecond, minute), 2000);
  assert.equal(nextAfterMs(report(851, 10_000), 0, minute), 2000);
  // The largest segment is a sixteenth of 912 MiB; with less than two above the floor the writer may wait.
  assert.equal(nextAfterMs(report(800, 312), perSecond, minute), 2000);
  assert.equal(nextAfterMs(report(800, 310), 0, minute), 2000);
  assert.equal(nextAfterMs(report(800, 320), 0, minute), minute);
  assert.equal(nextAfterMs(report(851, 10_000), 0, 5), 5);
});

test("the log warns once when the volume is too small for a journal", async (context) => {
  const { log, lines } = collectLog();
  const stop = new AbortController();
  context.after(() => stop.abort());
  let rounds = 0;
  const checkpoints = new (class extends Map<string, never> {
    override [Symbol.iterator]() {
      rounds += 1;
      return super[Symbol.iterator]();
    }
  })();
  const running = keepRetention(
    {
      directory: journalDirectory(context),
      policy: { replayWindowMs: 0, maxBytes: 63 * mebibyte, minFreeBytes: 0 },
      checkpoints,
      log,
      firstAfterMs: 0,
      intervalMs: 5,
    },
    stop.signal,
  );
  await until(() => rounds > 5, "some rounds");
  stop.abort();
  await running;
  const warnings = lines.filter(({ msg }) => String(msg).includes("less space than"));
  assert.deepEqual(
    warnings.map(({ capacity, leastBytes }) => [capacity, leastBytes]),
    [[63 * mebibyte, 64 * mebibyte]],
  );
});
