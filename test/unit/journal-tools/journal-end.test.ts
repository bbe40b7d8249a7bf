import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { listSegments } from "../../../src/journal/segments.ts";
import { unflushedSince } from "../../../src/journal-tools/journal-end.ts";
import { loadNative } from "../../../src/native/addon.ts";
import { flushed, journalDirectory, openSmall, record } from "../../support/small-journal.ts";
import { until } from "../../support/until.ts";

async function oldestUnflushed(directory: string): Promise<number | undefined> {
  return unflushedSince(directory, await listSegments(directory));
}

/** A writer that flushes once an hour only. */
function openLazy(t: TestContext, directory: string) {
  const options = { directory, caName: "Lazy CA", flushIntervalMs: 3_600_000 };
  const simulator = new (loadNative().ExitSimulator)(options);
  t.after(() => simulator.close());
  return simulator;
}

test("what is written and not flushed has the time of its oldest record", async (t) => {
  const directory = journalDirectory(t);
  const simulator = openLazy(t, directory);
  // The first flush may come at once.
  await until(async () => {
    record(simulator, 1, 5);
    return simulator.stats().committed >= 5 && (await oldestUnflushed(directory)) !== undefined;
  }, "records are written");
  const since = await oldestUnflushed(directory);
  assert.ok(since !== undefined && Math.abs(Date.now() - since) < 600_000, String(since));
});

test("of a journal that is flushed, or empty, nothing is", async (t) => {
  const directory = journalDirectory(t);
  assert.equal(await oldestUnflushed(directory), undefined);
  const simulator = openSmall(directory);
  t.after(() => simulator.close());
  record(simulator, 1, 20);
  await flushed(simulator);
  const isFlushed = async () => (await oldestUnflushed(directory)) === undefined;
  await until(isFlushed, "the mark after the last record is read");
});
