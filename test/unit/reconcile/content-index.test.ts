import assert from "node:assert/strict";
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { exitEvents } from "../../../src/exit/ca-codes.ts";
import {
  ContentIndex,
  hasContentId,
  type IndexEntry,
} from "../../../src/reconcile/content-index.ts";
import { JournalContents } from "../../../src/reconcile/journal-contents.ts";
import { makeTempDirectory } from "../../integration/support/temp-directory.ts";
import { shortenWrites } from "../../support/failing-flush.ts";
import { issuedRow } from "../../support/reconcile-report.ts";
import { ReconcileScene } from "../../support/reconcile-scene.ts";

const contentId = "AbCdEfGhIjKlMnOpQrStUv";

function entry(requestId: number, changes: Partial<IndexEntry> = {}): IndexEntry {
  const about = { kind: "certificate.issued", contentId, timeSeconds: 1_800_000_000 } as const;
  return { requestId, ...about, ca: 0, isUnstored: false, ...changes };
}

test("entries come back by their request, in the order in which they were added", async () => {
  const directory = join(makeTempDirectory("content-index"), "index");
  const kinds = ["certificate.issued", "certificate.revoked", "request.denied"] as const;
  const anyEntry = fc.record({
    requestId: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
    kind: fc.constantFrom(...kinds),
    contentId: fc.option(fc.constant(contentId), { nil: undefined }),
    timeSeconds: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    ca: fc.integer({ min: 0, max: 65_535 }),
    isUnstored: fc.boolean(),
  });
  let number = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(anyEntry), async (added) => {
      const index = new ContentIndex(join(directory, String((number += 1))));
      for (const each of added) index.add(each);
      await index.write();
      const read: IndexEntry[] = [];
      for (const part of await index.parts()) {
        for (const [id, entries] of await index.read(part)) {
          assert.equal(ContentIndex.partOf(id), part);
          assert.ok(id <= ContentIndex.lastRequestOf(part));
          read.push(...entries);
        }
      }
      const byRequest = (a: IndexEntry, b: IndexEntry) => a.requestId - b.requestId;
      const kept = added.map((each) => ({
        ...each,
        contentId: each.contentId?.slice(0, 21), // of the last character, not every bit is kept
      }));
      assert.deepEqual(read.toSorted(byRequest), kept.toSorted(byRequest));
    }),
    { numRuns: 50 },
  );
});

test("a content id is found, and one that differs in any character is not", () => {
  const stored = entry(7, { contentId: contentId.slice(0, 21) });
  assert.ok(hasContentId(stored, contentId));
  for (let at = 0; at < 21; at += 1) {
    const other = `${contentId.slice(0, at)}-${contentId.slice(at + 1)}`;
    assert.ok(!hasContentId(stored, other), other);
  }
  assert.ok(!hasContentId(entry(7, { contentId: undefined }), contentId));
});

test("what a crash has left of an entry is overwritten, and a damaged one is left out", async () => {
  const directory = makeTempDirectory("content-index");
  const first = new ContentIndex(directory);
  for (let id = 1; id <= 3; id += 1) first.add(entry(id));
  await first.write();
  const path = join(directory, "000000.idx");
  appendFileSync(path, Buffer.alloc(17, 0xff));
  const second = new ContentIndex(directory);
  assert.deepEqual([...(await second.read(0)).keys()], [1, 2, 3]);
  second.add(entry(4));
  await second.write();
  assert.equal(statSync(path).size, 4 * 32);
  const content = readFileSync(path);
  content[32 + 5] = Number(content[32 + 5]) ^ 1;
  writeFileSync(path, content);
  assert.deepEqual([...(await second.read(0)).keys()], [1, 3, 4]);
});

test("what could not be written is written the next time", async () => {
  const parent = makeTempDirectory("content-index");
  const directory = join(parent, "index");
  writeFileSync(directory, "in the way");
  const index = new ContentIndex(directory);
  index.add(entry(5));
  await assert.rejects(index.write(), { code: "CERTWIRE_CHECKPOINT_FAILED" });
  rmSync(directory);
  await index.write();
  assert.deepEqual([...(await index.read(0)).keys()], [5]);
});

test("entries are whole on a disk that takes them in parts, and stay added where it is full", async (t) => {
  const directory = join(makeTempDirectory("content-index"), "index");
  const index = new ContentIndex(directory);
  const count = async () => (await index.read(0)).size;
  for (let id = 1; id <= 3000; id += 1) index.add(entry(id));
  const restoreFull = await shortenWrites(t, 1000, 65_536);
  await assert.rejects(index.write(), { code: "CERTWIRE_CHECKPOINT_FAILED" });
  restoreFull();
  await shortenWrites(t, 1000);
  await index.write();
  assert.equal(await count(), 3000);
});

test("while the place in the journal cannot be kept, no reading adds the same entries again", async (t) => {
  const scene = new ReconcileScene(t);
  scene.record(exitEvents.issued, issuedRow(scene, 2));
  await scene.flushed();
  const { signal } = new AbortController();
  const contents = await JournalContents.open(scene.paths);
  await contents.update(scene.journal, signal);
  const bytes = () => {
    const names = readdirSync(scene.paths.index);
    return names.map((name) => statSync(join(scene.paths.index, name)).size);
  };
  const before = bytes();
  scene.record(exitEvents.issued, issuedRow(scene, 3));
  await scene.flushed();
  // A file cannot take the place of a directory.
  rmSync(scene.paths.head);
  mkdirSync(scene.paths.head);
  const code = "CERTWIRE_CHECKPOINT_FAILED";
  await assert.rejects(contents.update(scene.journal, signal), { code });
  assert.deepEqual(bytes(), before);
  rmSync(scene.paths.head, { recursive: true });
  await contents.update(scene.journal, signal);
  assert.deepEqual([...(await contents.read(0)).keys()], [2, 3]);
});
