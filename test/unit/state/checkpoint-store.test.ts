import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import type { JournalPosition } from "../../../src/journal/position.ts";
import { CheckpointStore, readCheckpoint } from "../../../src/state/checkpoint-store.ts";
import { failDirectoryFlushes, failFlushes, shortenWrites } from "../../support/failing-flush.ts";

let directory = "";
let files = 0;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "certwire-checkpoint-"));
});
after(() => rm(directory, { recursive: true }));

function freshPath(): string {
  files += 1;
  return join(directory, "checkpoints", `sink-${files}.ckp`);
}

function position(sequence: bigint): JournalPosition {
  return {
    epochNumber: 42,
    epochId: "00112233445566778899aabbccddeeff",
    segment: 3,
    offset: 0x1_2345_6789,
    sequence,
  };
}

async function load(path: string) {
  const store = await CheckpointStore.open(path);
  const result = { state: store.state, position: store.position };
  await store.close();
  return result;
}

async function saved(...sequences: bigint[]): Promise<string> {
  const path = freshPath();
  const store = await CheckpointStore.open(path);
  for (const sequence of sequences) await store.save(position(sequence));
  await store.close();
  return path;
}

test("a new file has no position and says that it is new", async () => {
  assert.deepEqual(await load(freshPath()), { state: "new", position: null });
});

test("the last saved position is found again, whichever slot holds it", async () => {
  assert.deepEqual(await load(await saved(1n)), { state: "found", position: position(1n) });
  assert.deepEqual(await load(await saved(1n, 2n)), { state: "found", position: position(2n) });
  assert.deepEqual(await load(await saved(1n, 2n, 2n ** 64n - 1n)), {
    state: "found",
    position: position(2n ** 64n - 1n),
  });
});

test("a reopened store overwrites the older slot", async () => {
  const path = await saved(1n, 2n);
  const store = await CheckpointStore.open(path);
  const earlier = await readFile(path);
  await store.save(position(3n));
  await store.close();
  const now = await readFile(path);
  assert.deepEqual(now.subarray(4096), earlier.subarray(4096), "the newer slot is untouched");
  assert.notDeepEqual(now.subarray(0, 4096), earlier.subarray(0, 4096));
  assert.deepEqual(await load(path), { state: "found", position: position(3n) });
});

test("saving overwrites in place: the file is the same and does not grow", async () => {
  const path = await saved(1n, 2n);
  const first = await stat(path);
  const store = await CheckpointStore.open(path);
  for (let sequence = 3n; sequence < 20n; sequence += 1n) await store.save(position(sequence));
  await store.close();
  const second = await stat(path);
  assert.equal(second.ino, first.ino);
  assert.equal(second.size, first.size);
});

test("a write torn at any byte leaves the old position or gives the new one", async () => {
  const path = await saved(1n, 2n);
  const older = await readFile(path);
  const store = await CheckpointStore.open(path);
  await store.save(position(3n));
  await store.close();
  const newer = await readFile(path);
  const torn = freshPath();
  await load(torn);
  for (let cut = 0; cut <= 60; cut += 1) {
    await writeFile(torn, Buffer.concat([newer.subarray(0, cut), older.subarray(cut)]));
    const isWhole = newer
      .subarray(0, 60)
      .equals(Buffer.concat([newer.subarray(0, cut), older.subarray(cut, 60)]));
    const expected = { state: "found", position: position(isWhole ? 3n : 2n) };
    assert.deepEqual(await load(torn), expected, `cut at byte ${cut}`);
  }
});

test("a first write torn at any byte gives no position, never a wrong one", async () => {
  const whole = await readFile(await saved(7n));
  const torn = freshPath();
  await load(torn);
  for (let length = 1; length < whole.length; length += 1) {
    await writeFile(torn, whole.subarray(0, length));
    assert.deepEqual(await load(torn), { state: "damaged", position: null }, `${length} bytes`);
  }
});

test("any flipped bit of a slot makes that slot void and the other one count", async () => {
  const path = await saved(1n, 2n);
  const whole = await readFile(path);
  for (let bit = 0; bit < 60 * 8; bit += 1) {
    const damaged = Buffer.from(whole);
    const at = 4096 + (bit >> 3);
    damaged[at] = (damaged[at] ?? 0) ^ (1 << (bit & 7));
    await writeFile(path, damaged);
    assert.deepEqual(await load(path), { state: "found", position: position(1n) }, `bit ${bit}`);
  }
});

test("with both slots bad there is no position and the state says damaged", async () => {
  const path = await saved(1n, 2n);
  const damaged = await readFile(path);
  damaged[20] = (damaged[20] ?? 0) ^ 1;
  damaged[4096 + 20] = (damaged[4096 + 20] ?? 0) ^ 1;
  await writeFile(path, damaged);
  assert.deepEqual(await load(path), { state: "damaged", position: null });
  const store = await CheckpointStore.open(path);
  await store.save(position(9n));
  await store.close();
  assert.deepEqual(await load(path), { state: "found", position: position(9n) });
});

test("a checkpoint whose flush failed is an error and does not harm the one before it", async (t) => {
  const path = await saved(1n, 2n);
  const store = await CheckpointStore.open(path);
  const repair = await failFlushes(t);
  await assert.rejects(store.save(position(3n)), { code: "CERTWIRE_CHECKPOINT_FAILED" });
  assert.deepEqual(store.position, position(2n));
  repair();
  await store.save(position(4n));
  await store.close();
  assert.deepEqual(await load(path), { state: "found", position: position(4n) });
});

test("a position that was found is durable only once this process has written and flushed it", async (t) => {
  const path = await saved(1n, 2n);
  const failing = await CheckpointStore.open(path);
  await failing.keep();
  let repair = await failFlushes(t);
  await assert.rejects(failing.save(position(3n)));
  await failing.close();
  const store = await CheckpointStore.open(path);
  assert.deepEqual([store.position, store.durable], [position(3n), position(2n)]);
  await assert.rejects(store.keep(), { code: "CERTWIRE_CHECKPOINT_FAILED" });
  await assert.rejects(store.save(position(4n)), { code: "CERTWIRE_CHECKPOINT_FAILED" });
  assert.deepEqual([store.position, store.durable], [position(3n), position(2n)]);
  assert.equal((await load(path)).position?.sequence, 3n, "what is durable was not overwritten");
  repair();
  // After a failed flush, the disk has what was there before, and only another write can change that.
  await writeFile(path, (await readFile(path)).fill(0, 0, 60));
  await store.keep();
  assert.deepEqual(store.durable, position(3n));
  assert.equal((await load(path)).position?.sequence, 3n);
  repair = await failFlushes(t);
  await store.keep();
  repair();
  await store.save(position(4n));
  assert.deepEqual(store.durable, position(4n));
  await store.close();
  assert.deepEqual(await load(path), { state: "found", position: position(4n) });
});

test("a first position whose flush had failed is not durable, and an anchor does not take its place", async (t) => {
  const path = freshPath();
  const failing = await CheckpointStore.open(path);
  const repair = await failFlushes(t);
  await assert.rejects(failing.save(position(5n)));
  await failing.close();
  repair();
  const store = await CheckpointStore.open(path);
  assert.deepEqual([store.position, store.durable], [position(5n), null]);
  await store.anchor(position(1n));
  assert.deepEqual(store.position, position(5n));
  await store.keep();
  assert.deepEqual(store.durable, position(5n));
  await store.close();
});

test("a position that was written in part only is not saved, and the next one is", async (t) => {
  const path = await saved(1n);
  const store = await CheckpointStore.open(path);
  const repair = await shortenWrites(t, 7, 20);
  await assert.rejects(store.save(position(2n)), { code: "CERTWIRE_CHECKPOINT_FAILED" });
  assert.deepEqual(store.position, position(1n));
  repair();
  await store.save(position(3n));
  await store.close();
  assert.deepEqual(await load(path), { state: "found", position: position(3n) });
});

test("the name of a file that was not durable when it was created becomes so at the next start", async (t) => {
  const path = freshPath();
  const disk = await failDirectoryFlushes(t);
  await assert.rejects(CheckpointStore.open(path), { code: "CERTWIRE_CHECKPOINT_FAILED" });
  disk.repair();
  const store = await CheckpointStore.open(path);
  assert.equal(store.state, "new");
  await store.close();
  assert.equal(disk.flushed(), 1);
});

test("an anchor counts only while nothing was saved, also when both are asked for at once", async () => {
  const path = freshPath();
  const store = await CheckpointStore.open(path);
  await store.anchor(position(1n));
  assert.deepEqual(store.position, position(1n));
  await Promise.all([store.save(position(5n)), store.anchor(position(2n))]);
  await store.close();
  assert.deepEqual(await load(path), { state: "found", position: position(5n) });
});

test("a checkpoint advances only from the position that was checked", async () => {
  const path = await saved(1n);
  const store = await CheckpointStore.open(path);
  const looked = store.position!;
  await store.advance(looked, position(2n));
  await store.advance(looked, position(9n));
  await Promise.all([store.save(position(3n)), store.advance(store.position!, position(8n))]);
  await store.close();
  assert.equal((await load(path)).position?.sequence, 3n);
});

test("a file that was deleted while it was open is made again by the next save", async () => {
  const path = freshPath();
  const store = await CheckpointStore.open(path);
  await store.save(position(1n));
  await rm(path);
  await store.save(position(2n));
  assert.deepEqual(await load(path), { state: "found", position: position(2n) });
  await store.close();
});

test("a link is not followed, and only the service's account may read the file", async () => {
  const path = await saved(1n);
  const modes = [await stat(path), await stat(dirname(path))].map(({ mode }) => mode & 0o777);
  if (process.platform !== "win32") assert.deepEqual(modes, [0o600, 0o700]);
  const link = freshPath();
  await symlink(path, link);
  await assert.rejects(CheckpointStore.open(link), { code: "CERTWIRE_CHECKPOINT_FAILED" });
});

test("a file of any size is read only as far as its slots", async () => {
  const path = await saved(1n);
  await truncate(path, 2 ** 40);
  const { position: found } = await readCheckpoint(path);
  assert.deepEqual(found, position(1n));
});

test("a position is whole on a disk that takes it in parts", async (t) => {
  await shortenWrites(t, 7);
  assert.deepEqual(await load(await saved(1n, 2n)), { state: "found", position: position(2n) });
});
