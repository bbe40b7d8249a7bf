import assert from "node:assert/strict";
import { test } from "node:test";
import type { NativeBatch, NativeReaderOptions } from "../../src/native/addon.ts";
import { createWorld } from "./create-world.ts";
import { journalDirectory } from "./journal.ts";
import { SimulatedReader } from "./journal-reader.ts";
import type { SimulatedProcess } from "./scheduler.ts";
import { TailingReader } from "./tailing-reader.ts";
import type { World } from "./world.ts";

const options: NativeReaderOptions = {
  directory: journalDirectory,
  quarantineDirectory: null,
  mode: "durable",
  position: null,
  maxBatchBytes: 2 ** 20,
  maxBatchFrames: 256,
};
const pollMs = 20;
/** A frame may be seen a poll later, and returned a poll later; the disk takes some time for a read. */
const tolerableMs = 2 * pollMs + 10;

/** A frame as a reader has returned it, and when, in ms of virtual time. */
interface Seen {
  readonly place: string;
  readonly at: number;
}

function worldOf(seed: number): World {
  return createWorld({
    seed,
    sinks: ["file"],
    rules: "linux",
    pace: "real",
    declaresTopology: false,
    framesInSegment: 5000,
    steps: [],
  });
}

function placesOf({ table, epochIds }: NativeBatch): string[] {
  const stride = 12;
  return Array.from({ length: table.length / stride }, (_, row) => {
    const [index, , epoch, sequence] = table.subarray(row * stride + 2);
    return `${epochIds[Number(epoch)]} ${sequence} ${index}`;
  });
}

/** Reads as the service does, as a process that never ends. `polls` counts the reads. */
function follow(reader: SimulatedReader, world: World): { readonly seen: Seen[]; polls: number } {
  const { scheduler } = world;
  const found = { seen: [] as Seen[], polls: 0 };
  const process: SimulatedProcess = { name: reader.constructor.name, isAlive: true };
  const run = async (): Promise<void> => {
    for (;;) {
      const batch = await reader.read();
      found.polls += 1;
      const at = scheduler.now;
      if (batch !== null) found.seen.push(...placesOf(batch).map((place) => ({ place, at })));
      else await new Promise<void>((resolve) => void scheduler.after(pollMs, resolve));
    }
  };
  scheduler.after(0, () => void run(), process);
  return found;
}

/** Something that happens to a journal. */
function act({ journal, random }: World): void {
  const what = random.below(10);
  if (what === 0) journal.stop();
  else if (what === 1) journal.kill(false);
  else if (what === 2) journal.lateMs = { seen: 500, covered: 5000 };
  else if (what === 3) journal.lateMs = { seen: 3, covered: 60 };
  if (what > 3)
    for (let left = 1 + random.below(30); left > 0; left -= 1) journal.record("request", 1);
  else journal.start();
}

test("a reader that passes over polls returns the same frames as one that polls, at the same time", async () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const world = worldOf(seed);
    const { scheduler, journal, random } = world;
    journal.start();
    const polling = follow(new SimulatedReader(options), world);
    const tailing = follow(new TailingReader(options), world);
    for (let step = 0; step < 60; step += 1) {
      await scheduler.run(scheduler.now + random.below(random.chance(0.5) ? 100 : 20_000));
      scheduler.as(undefined, () => act(world));
    }
    await scheduler.run(scheduler.now + 20_000);
    const places = (seen: readonly Seen[]): string[] => seen.map(({ place }) => place);
    assert.deepEqual(places(tailing.seen), places(polling.seen), `seed ${seed}`);
    for (const [index, { place, at }] of tailing.seen.entries()) {
      const lateMs = Math.abs(at - polling.seen[index]!.at);
      assert.ok(lateMs <= tolerableMs, `seed ${seed}: ${place} after ${at} ms, ${lateMs} ms apart`);
    }
    assert.ok(tailing.polls < polling.polls / 10, `${tailing.polls} of ${polling.polls} polls`);
  }
});

test("a reader that waits ends its wait when its process is to stop", async () => {
  const world = worldOf(1);
  const { scheduler, journal } = world;
  const process: SimulatedProcess = { name: "service", isAlive: true };
  const reader = new TailingReader(options);
  let answers = 0;
  const read = (): void => void reader.read().then(() => (answers += 1));
  scheduler.after(0, read, process);
  await scheduler.run(1000);
  scheduler.after(0, read, process);
  await scheduler.run(100_000);
  assert.equal(answers, 1);
  journal.stopped(process);
  await scheduler.run(100_001);
  assert.equal(answers, 2);
});
