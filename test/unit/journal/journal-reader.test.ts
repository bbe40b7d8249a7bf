import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { test } from "node:test";
import { CertwireError } from "../../../src/errors/certwire-error.ts";
import { JournalReader, type OpenNativeReader } from "../../../src/journal/journal-reader.ts";
import type { NativeBatch, NativeReader, NativeReaderOptions } from "../../../src/native/addon.ts";

function fakeReader(results: (NativeBatch | Error | null)[], positionLost = false) {
  const seen: { options?: NativeReaderOptions; waits: unknown[] } = { waits: [] };
  const native: NativeReader = {
    async read(...wait) {
      seen.waits.push(wait);
      const result = results.shift() ?? null;
      if (result instanceof Error) throw result;
      return result;
    },
    stats: () => ({
      framesRead: 0,
      gapsFound: 0,
      unmarkedFrames: 0,
      quarantinedRanges: 0,
      damagedRanges: 0,
      positionLost,
      brokenLinks: 0,
      brokenEpoch: 0,
      brokenSequence: 0n,
    }),
    close() {},
  };
  const open = (options: NativeReaderOptions) => {
    seen.options = options;
    return native;
  };
  return { open, seen };
}

const batch: NativeBatch = {
  buffer: Buffer.concat([Buffer.alloc(32, 1), Buffer.alloc(32, 2), Buffer.from("onetwo")]),
  table: new BigUint64Array(
    [
      [2, 1, 0, 7, 0, 11, 133_000_000_000_000_000n, 64, 3, 1, 4200, 1],
      [3, 1, 65_535, 8, 1, 12, 133_000_000_000_000_001n, 67, 3, 0, 4096, 0],
    ]
      .flat()
      .map(BigInt),
  ),
  epochIds: ["a".repeat(32), "b".repeat(32)],
};

test("the reader turns the table of a native batch into frames", async () => {
  const { open } = fakeReader([batch]);
  const reader = new JournalReader({ directory: "journal", position: null }, open);
  const chunk = await reader.next(new AbortController().signal);
  assert.equal(chunk?.more, false);
  assert.deepEqual(chunk?.frames, [
    {
      type: 2,
      schema: 1,
      index: 0,
      epochNumber: 7,
      epochId: "a".repeat(32),
      sequence: 11n,
      time: 133_000_000_000_000_000n,
      payload: Buffer.from("one"),
      hashes: { previous: "01".repeat(32), record: "02".repeat(32) },
      isChainBroken: true,
      position: {
        epochNumber: 7,
        epochId: "a".repeat(32),
        segment: 1,
        offset: 4200,
        sequence: 11n,
      },
    },
    {
      type: 3,
      schema: 1,
      index: 65_535,
      epochNumber: 8,
      epochId: "b".repeat(32),
      sequence: 12n,
      time: 133_000_000_000_000_001n,
      payload: Buffer.from("two"),
      isChainBroken: false,
      position: {
        epochNumber: 8,
        epochId: "b".repeat(32),
        segment: 0,
        offset: 4096,
        sequence: 12n,
      },
    },
  ]);
});

test("the reader says that more is to come when the native batch is full", async () => {
  const { open } = fakeReader([batch]);
  const reader = new JournalReader({ directory: "j", position: null, maxBatchFrames: 2 }, open);
  assert.equal((await reader.next(new AbortController().signal))?.more, true);
});

test("an idle reader lets the native reader wait, again and again, and ends when it is aborted", async () => {
  const { open, seen } = fakeReader([null, null, batch]);
  const reader = new JournalReader({ directory: "j", position: null, idlePollMs: 7 }, open);
  const stop = new AbortController();
  assert.equal((await reader.next(stop.signal))?.frames.length, 2);
  assert.deepEqual(seen.waits, [
    [5000, 7],
    [5000, 7],
    [5000, 7],
  ]);
  const next = reader.next(stop.signal);
  stop.abort();
  assert.equal(await next, null);
});

test("an abort ends a wait at once, and the next call gets what the read under way finds", async () => {
  const { open } = fakeReader([]);
  const gate = new EventEmitter();
  let reads = 0;
  const waiting: OpenNativeReader = (options) => ({
    ...open(options),
    async read() {
      reads += 1;
      await once(gate, "open");
      return batch;
    },
  });
  const reader = new JournalReader({ directory: "j", position: null }, waiting);
  const stop = new AbortController();
  const aborted = reader.next(stop.signal);
  stop.abort();
  assert.equal(await aborted, null);
  gate.emit("open");
  const chunk = await reader.next(new AbortController().signal);
  assert.equal(chunk?.frames.length, 2);
  assert.equal(reads, 1);
});

test("an error of the native reader is reported as an unreadable journal, and the next call tries again", async () => {
  const { open } = fakeReader([new Error("EACCES"), batch]);
  const reader = new JournalReader({ directory: "j", position: null }, open);
  const { signal } = new AbortController();
  await assert.rejects(
    reader.next(signal),
    (error) => error instanceof CertwireError && error.code === "CERTWIRE_JOURNAL_UNREADABLE",
  );
  assert.equal((await reader.next(signal))?.frames.length, 2);
});

test("a lost position is reported once", async () => {
  let reported = 0;
  const positionLost = (): void => void (reported += 1);
  for (const isLost of [false, true]) {
    const { open } = fakeReader([batch, batch], isLost);
    const reader = new JournalReader({ directory: "j", position: null, positionLost }, open);
    const { signal } = new AbortController();
    await reader.next(signal);
    await reader.next(signal);
    assert.equal(reported, isLost ? 1 : 0);
  }
});

test("the native reader gets the directory, the position and the default limits", () => {
  const { open, seen } = fakeReader([]);
  const position = { epochNumber: 1, epochId: "c".repeat(32), segment: 2, offset: 3, sequence: 4n };
  void new JournalReader({ directory: "journal", position, quarantineDirectory: "q" }, open);
  assert.deepEqual(seen.options, {
    directory: "journal",
    quarantineDirectory: "q",
    mode: "durable",
    position,
    maxBatchBytes: 1024 * 1024,
    maxBatchFrames: 256,
  });
});
