import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { type TestContext, test } from "node:test";
import { framesOf } from "../../../src/journal/journal-reader.ts";
import { loadNative } from "../../../src/native/addon.ts";
import { journalDirectory, label, openSmall, record } from "../../support/small-journal.ts";

const longMs = 3_600_000;
/** More than Node has threads for the file system. */
const readersAtOnce = 16;

/** A journal with a writer, and readers at its end. */
async function openJournal(t: TestContext) {
  const directory = journalDirectory(t);
  const writer = openSmall(directory);
  t.after(() => writer.close());
  record(writer, 1, 1);
  const openReader = async () => {
    const reader = new (loadNative().JournalReader)({
      directory,
      quarantineDirectory: null,
      mode: "committed",
      position: null,
      maxBatchBytes: 1024 * 1024,
      maxBatchFrames: 100,
    });
    t.after(() => reader.close());
    const first = await reader.read(longMs, 1);
    assert.deepEqual(first && framesOf(first).map(label), [1]);
    return reader;
  };
  return { directory, writer, openReader };
}

test("a read that waits finds a record that is written meanwhile", async (t) => {
  const { writer, openReader } = await openJournal(t);
  const reader = await openReader();
  const reading = reader.read(longMs, 1);
  record(writer, 2, 2);
  const batch = await reading;
  assert.deepEqual(batch && framesOf(batch).map(label), [2]);
});

test("a read that waits ends when its time is over, or its reader is closed", async (t) => {
  const { openReader } = await openJournal(t);
  const reader = await openReader();
  assert.equal(await reader.read(1, 1), null);
  assert.equal(reader.atEnd(), true);
  const reading = reader.read(longMs, longMs);
  assert.throws(() => void reader.read(), /a read is under way/);
  reader.close();
  assert.equal(await reading, null);
  assert.throws(() => void reader.read(longMs, 1), /the reader is closed/);
});

test("readers that wait leave the threads of the file system to others", async (t) => {
  const { directory, openReader } = await openJournal(t);
  const readers = await Promise.all(Array.from({ length: readersAtOnce }, openReader));
  const readings = readers.map((reader) => reader.read(longMs, longMs));
  assert.equal((await stat(directory)).isDirectory(), true);
  for (const reader of readers) reader.close();
  assert.deepEqual(
    await Promise.all(readings),
    readings.map(() => null),
  );
});
