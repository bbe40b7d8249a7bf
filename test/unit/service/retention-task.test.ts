import assert from "node:assert/strict";
import { copyFileSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { parseConfig, type ResolvedConfig } from "../../../src/config/load.ts";
import type { CertwireEvent } from "../../../src/events/event.ts";
import { requestIdOf } from "../../../src/events/selection.ts";
import { applyRetention } from "../../../src/journal/retention.ts";
import { listSegmentFiles, listSegments } from "../../../src/journal/segments.ts";
import { keepRetention } from "../../../src/service/retention-task.ts";
import { Service } from "../../../src/service/service.ts";
import { CheckpointStore } from "../../../src/state/checkpoint-store.ts";
import { collectLog } from "../../support/collect-log.ts";
import { failFlushes } from "../../support/failing-flush.ts";
import { range } from "../../support/run-pipeline.ts";
import {
  flushed,
  journalDirectory,
  label,
  openSmall,
  readAll,
  record,
} from "../../support/small-journal.ts";
import { until } from "../../support/until.ts";

const mebibyte = 2 ** 20;

/** Size of a file; 0 when it was deleted meanwhile. */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** A service with file sinks; small batches keep one that is stuck near its start. */
function config(journal: string, names: readonly string[], maxMegabytes: number): ResolvedConfig {
  const sink = (name: string) => ({
    name,
    url: `file:${name}`,
    maxInFlightEvents: 16,
    retryInitialMs: 10,
    retryMaxMs: 100,
  });
  const text = JSON.stringify({
    journal: { directory: journal },
    state: { directory: join(dirname(journal), "state") },
    sinks: names.map(sink),
  });
  const parsed = parseConfig(join(dirname(journal), "certwire.json"), text);
  return { ...parsed, journal: { ...parsed.journal, maxMegabytes, pollMs: 2 } };
}

function publishedIn(directory: string): CertwireEvent[] {
  const texts = readdirSync(directory)
    .filter((name) => name.endsWith(".ndjson"))
    .toSorted()
    .map((name) => readFileSync(join(directory, name), "utf8"));
  // The last line may be half there while the sink writes.
  return texts.flatMap((text) =>
    text
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as CertwireEvent),
  );
}

test("a sink that loses segments to the cap gets one journal.gap, and the other none", async (context) => {
  const journal = journalDirectory(context);
  const root = dirname(journal);
  const simulator = openSmall(journal, 128 * 1024);
  context.after(() => simulator.close());
  record(simulator, 1, 1400);
  await flushed(simulator);
  writeFileSync(join(root, "stuck"), "a file where the sink wants a directory");
  const { log, lines } = collectLog();
  // The live sink has everything, and has saved that, before the cap deletes anything.
  const ahead = await Service.create({ config: config(journal, ["live"], 1024), log });
  const isAhead = new AbortController();
  context.after(() => isAhead.abort());
  const runningAhead = ahead.run(isAhead.signal);
  await until(() => ahead.stats()[0]?.acknowledgedEvents === 1400, "the live sink has everything");
  isAhead.abort();
  await runningAhead;
  const service = await Service.create({ config: config(journal, ["live", "stuck"], 1), log });
  const stop = new AbortController();
  context.after(() => stop.abort());
  const running = service.run(stop.signal);
  const acknowledged = (at: number): number => service.stats()[at]!.acknowledgedEvents;
  const forced = (): Record<string, unknown>[] =>
    lines.filter(({ losers }) => losers !== undefined);
  await until(() => forced().length > 0, "segments were deleted");
  assert.deepEqual(forced()[0]?.["losers"], ["stuck"]);
  assert.equal(forced()[0]?.["reason"], "cap");
  rmSync(join(root, "stuck"));
  const last = (directory: string): string | undefined => {
    const event = publishedIn(join(root, directory)).at(-1);
    return event && requestIdOf(event);
  };
  await until(
    () => acknowledged(1) > 100 && last("stuck") === "1400",
    "the stuck sink has the rest",
  );
  stop.abort();
  await running;
  const gaps = (name: string): CertwireEvent[] =>
    publishedIn(join(root, name)).filter(({ type }) => type.endsWith("journal.gap.v1"));
  assert.equal(acknowledged(0), 0, "the live sink gets nothing again");
  assert.equal(gaps("live").length, 0);
  assert.equal(gaps("stuck").length, 1);
  const { firstSequence, lastSequence } = gaps("stuck")[0]!.data as Record<string, string>;
  const ids = publishedIn(join(root, "stuck")).flatMap((event) => requestIdOf(event) ?? []);
  // The EPOCH frame has number 1, so request n has number n + 1.
  assert.equal(firstSequence, "1");
  assert.deepEqual(ids.map(Number), range(Number(lastSequence), 1400));
});

test("a sink that had all of a sealed epoch loses nothing when the cap takes it", async (context) => {
  const journal = journalDirectory(context);
  for (const [first, last] of [
    [1, 5],
    [6, 700],
  ] as const) {
    const simulator = openSmall(journal, 128 * 1024);
    record(simulator, first, last);
    await flushed(simulator);
    simulator.shutdown();
    simulator.close();
  }
  const [ended] = await listSegments(journal);
  const checkpoint = await CheckpointStore.open(join(dirname(journal), "checkpoint"));
  context.after(() => checkpoint.close());
  await checkpoint.save((await readAll(journal))[4]!.position);
  const { log, lines } = collectLog();
  const stop = new AbortController();
  context.after(() => stop.abort());
  const all = (await listSegmentFiles(journal)).reduce((sum, file) => sum + file.bytes, 0);
  const bytes = all - ended!.bytes;
  const running = keepRetention(
    {
      directory: journal,
      // Without the first segment the journal is within 80 % of its cap, with it beyond 85 %.
      policy: { replayWindowMs: 86_400_000, maxBytes: bytes / 0.8, minFreeBytes: 0 },
      checkpoints: new Map([["slow", checkpoint]]),
      log,
      firstAfterMs: 0,
      intervalMs: 5,
    },
    stop.signal,
  );
  await until(() => lines.some(({ segment }) => segment === ended?.name), "the deletion");
  stop.abort();
  await running;
  assert.deepEqual(lines.find(({ segment }) => segment === ended?.name)?.["losers"], []);
  const labels = (await readAll(journal, checkpoint.position)).map(label);
  assert.deepEqual(labels, range(6, 700));
});

/** Positions that a checkpoint has, the second of which could not be flushed, by the numbers of their records. */
const unflushed = {
  "a segment stays while only a checkpoint has passed it that a power cut may take": [4, -1],
  "a segment stays while the sink still has to publish it, though a power cut would bring back a later checkpoint":
    [-1, 4],
} as const;

for (const [title, positions] of Object.entries(unflushed)) {
  test(title, async (context) => {
    const journal = journalDirectory(context);
    const simulator = openSmall(journal, 128 * 1024);
    record(simulator, 1, 700);
    await flushed(simulator);
    simulator.close();
    const frames = await readAll(journal);
    const path = join(dirname(journal), "checkpoint");
    const failing = await CheckpointStore.open(path);
    const [durable, position] = positions.map((each) => frames.at(each)!.position);
    assert.ok(durable && position);
    await failing.save(durable);
    const repair = await failFlushes(context);
    await assert.rejects(failing.save(position));
    await failing.close();
    const checkpoint = await CheckpointStore.open(path);
    context.after(() => checkpoint.close());
    assert.deepEqual(checkpoint.position, position);
    const segments = (await listSegments(journal)).length;
    assert.ok(segments > 1, `${segments} segments`);
    const policy = { replayWindowMs: 0, maxBytes: 2 ** 40, minFreeBytes: 0 };
    const stop = new AbortController();
    context.after(() => stop.abort());
    let rounds = 0;
    const checkpoints = new (class extends Map<string, CheckpointStore> {
      override [Symbol.iterator]() {
        rounds += 1;
        return super[Symbol.iterator]();
      }
    })([["a", checkpoint]]);
    const options = { directory: journal, checkpoints, policy, log: collectLog().log };
    const running = keepRetention({ ...options, firstAfterMs: 0, intervalMs: 5 }, stop.signal);
    await until(() => rounds > 5, "some rounds");
    assert.equal((await listSegments(journal)).length, segments);
    repair();
    await checkpoint.save(frames.at(-1)!.position);
    const left = () => readdirSync(journal).filter((name) => name.endsWith(".cej")).length;
    await until(() => left() < segments, "the deletion");
    stop.abort();
    await running;
  });
}

test("the log warns once when the journal comes near its cap", async (context) => {
  const journal = journalDirectory(context);
  const simulator = openSmall(journal, 128 * 1024);
  record(simulator, 1, 700);
  await flushed(simulator);
  simulator.close();
  const bytes = (await listSegmentFiles(journal)).reduce((sum, file) => sum + file.bytes, 0);
  const { log, lines } = collectLog();
  const stop = new AbortController();
  context.after(() => stop.abort());
  const policy = { replayWindowMs: 86_400_000, maxBytes: bytes / 0.82, minFreeBytes: 0 };
  let rounds = 0;
  /** Counts how often the checkpoints are asked for, as each round does. */
  class Checkpoints extends Map<string, CheckpointStore> {
    override entries() {
      rounds += 1;
      return super.entries();
    }
    override [Symbol.iterator]() {
      return this.entries();
    }
  }
  const options = { directory: journal, checkpoints: new Checkpoints(), log };
  const running = keepRetention(
    { ...options, policy, firstAfterMs: 0, intervalMs: 5 },
    stop.signal,
  );
  const warnings = () => lines.filter(({ msg }) => String(msg).includes("80 %"));
  await until(() => warnings().length > 0, "the warning");
  const last = rounds + 5;
  await until(() => rounds >= last, "more rounds");
  stop.abort();
  await running;
  assert.equal(warnings().length, 1);
  assert.equal(warnings()[0]?.["journalBytes"], bytes);
});

test("a file that an ended epoch's writer had prepared is deleted, one with anything in it stays", async (context) => {
  const journal = journalDirectory(context);
  for (let start = 0; start < 3; start += 1) {
    const simulator = openSmall(journal);
    record(simulator, 1, 5);
    await flushed(simulator);
    simulator.close();
  }
  const spare = (epoch: number, index: number) => `e000000000${epoch}-s00000${index}.cej`;
  writeFileSync(join(journal, spare(1, 8)), Buffer.alloc(3 << 20));
  writeFileSync(join(journal, spare(1, 9)), Buffer.from([...Buffer.alloc(5000), 1]));
  writeFileSync(join(journal, spare(3, 8)), Buffer.alloc(5000));
  const policy = { replayWindowMs: 86_400_000, maxBytes: 2 ** 40, minFreeBytes: 0 };
  await applyRetention(journal, [{ sink: "a", position: null }], policy);
  const left = new Set((await listSegmentFiles(journal)).map(({ name }) => name));
  assert.equal(left.has(spare(1, 8)), false, "zeros of an ended epoch");
  assert.ok(left.has(spare(1, 9)), "something else");
  assert.ok(left.has(spare(3, 8)), "the newest epoch's");
  assert.equal((await listSegments(journal)).length, 3);
});

test("what the writer has prepared stays, even if others have a higher number", async (context) => {
  const [journal, other] = [journalDirectory(context), journalDirectory(context)];
  for (let start = 0; start < 2; start += 1) {
    const simulator = openSmall(other);
    record(simulator, 1, 5);
    await flushed(simulator);
    simulator.close();
  }
  const simulator = openSmall(journal);
  context.after(() => simulator.close());
  record(simulator, 1, 5);
  await flushed(simulator);
  const [writers, copied] = await listSegments(other);
  copyFileSync(join(other, copied!.name), join(journal, copied!.name));
  const spare = writers!.name.replace("s000000", "s000007");
  writeFileSync(join(journal, spare), Buffer.alloc(5000));
  const policy = { replayWindowMs: 0, maxBytes: 2 ** 40, minFreeBytes: 0 };
  await applyRetention(journal, [], policy);
  const left = (await listSegmentFiles(journal)).map(({ name }) => name);
  assert.deepEqual(left, [writers!.name, spare, copied!.name]);
});

test("an exit module with a smaller journal than the configuration's keeps recording", async (context) => {
  const journal = journalDirectory(context);
  const maxJournalBytes = mebibyte;
  const segmentBytes = maxJournalBytes / 16;
  const simulator = openSmall(journal, segmentBytes, maxJournalBytes);
  context.after(() => simulator.close());
  const { log, lines } = collectLog();
  const checkpoint = await CheckpointStore.open(join(dirname(journal), "checkpoint"));
  context.after(() => checkpoint.close());
  const stop = new AbortController();
  context.after(() => stop.abort());
  const options = { directory: journal, checkpoints: new Map([["a", checkpoint]]), log };
  const policy = { replayWindowMs: 86_400_000, maxBytes: 2 ** 40, minFreeBytes: 0 };
  const running = keepRetention(
    { ...options, policy, firstAfterMs: 0, intervalMs: 5 },
    stop.signal,
  );
  for (let last = 100; last <= 3000; last += 100) {
    record(simulator, last - 99, last);
    await flushed(simulator);
    await checkpoint.save((await readAll(journal)).at(-1)!.position);
    const files = () => readdirSync(journal).filter((name) => name.endsWith(".cej"));
    const bytes = () => files().reduce((sum, name) => sum + sizeOf(join(journal, name)), 0);
    await until(() => bytes() <= 0.85 * maxJournalBytes, "the oldest segments are deleted");
  }
  stop.abort();
  await running;
  assert.equal(simulator.stats().dropped, 0);
  const frames = await readAll(journal);
  assert.equal(label(frames.at(-1)!), 3000);
  assert.ok(!frames.map(label).some((each) => String(each).startsWith("gap disk-full")));
  const stricter = lines.filter(({ msg }) => String(msg).includes("stricter"));
  assert.deepEqual(
    stricter.map(({ maxBytes }) => maxBytes),
    [maxJournalBytes],
  );
});

test("the log warns when the volume of the journal is nearly full", async (context) => {
  const journal = journalDirectory(context);
  const { log, lines } = collectLog();
  const stop = new AbortController();
  context.after(() => stop.abort());
  const running = keepRetention(
    {
      directory: journal,
      policy: { replayWindowMs: 0, maxBytes: mebibyte, minFreeBytes: 2 ** 50 },
      checkpoints: new Map(),
      log,
      firstAfterMs: 0,
      intervalMs: 5,
    },
    stop.signal,
  );
  await until(() => lines.some(({ msg }) => String(msg).includes("nearly full")), "the warning");
  stop.abort();
  await running;
});

test("a round that fails does not end the service, and its failure is one line, however often it comes", async (context) => {
  const journal = journalDirectory(context);
  const { log, lines } = collectLog();
  const stop = new AbortController();
  context.after(() => stop.abort());
  const checkpoints = new Map<string, CheckpointStore>();
  // Each round asks for them.
  const asked = context.mock.method(checkpoints, "values");
  const running = keepRetention(
    {
      directory: join(journal, "gone"),
      policy: { replayWindowMs: 0, maxBytes: mebibyte, minFreeBytes: 0 },
      checkpoints,
      log,
      firstAfterMs: 0,
      intervalMs: 5,
    },
    stop.signal,
  );
  await until(() => asked.mock.callCount() > 20, "many rounds");
  assert.equal(lines.length, 1);
  assert.equal(lines[0]?.["code"], "CERTWIRE_JOURNAL_UNREADABLE");
  stop.abort();
  await running;
  assert.equal(lines.length, 2);
  assert.ok(Number(lines[1]?.["repeated"]) > 5, "the end says how often");
});
