import assert from "node:assert/strict";
import { test } from "node:test";
import { openNative } from "../../../src/journal/journal-reader.ts";
import { WholeJournal } from "../../../src/journal/whole-journal.ts";
import type { NativeJournalReader } from "../../../src/native/addon.ts";
import {
  flushed,
  journalDirectory,
  label,
  openSmall,
  record,
} from "../../support/small-journal.ts";

/** A journal whose native reader is asked by `read`. */
function readBy(
  directory: string,
  read: (native: NativeJournalReader) => ReturnType<NativeJournalReader["read"]>,
): WholeJournal {
  return new WholeJournal(directory, null, "committed", (options) => {
    const native = openNative(options);
    return {
      read: () => read(native),
      atEnd: () => native.atEnd(),
      stats: () => native.stats(),
      writerTimes: () => native.writerTimes(),
      close: () => native.close(),
    };
  });
}

test("a file that cannot be read yet is not taken for the end of the journal", async (context) => {
  const directory = journalDirectory(context);
  const simulator = openSmall(directory);
  record(simulator, 1, 3);
  await flushed(simulator);
  simulator.close();
  let refused = 0;
  const journal = readBy(directory, async (native) => {
    if (refused === 3) return native.read();
    refused += 1;
    return null;
  });
  context.after(() => journal.close());
  const labels = [];
  for await (const frames of journal.chunks(new AbortController().signal)) {
    labels.push(...frames.map(label));
  }
  assert.deepEqual(labels, [1, 2, 3]);
  assert.equal(refused, 3);
});

test("a wait for a file that cannot be read yet ends with the signal", async (context) => {
  const directory = journalDirectory(context);
  openSmall(directory).close();
  const stop = new AbortController();
  const journal = readBy(directory, async () => {
    stop.abort();
    return null;
  });
  context.after(() => journal.close());
  for await (const frames of journal.chunks(stop.signal)) assert.equal(frames.length, 0);
  assert.ok(stop.signal.aborted);
});
