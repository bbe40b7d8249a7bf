import assert from "node:assert/strict";
import { mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { statusScreen } from "../../../src/cli/status-screen.ts";
import { parseConfig } from "../../../src/config/load.ts";
import { diskPlaces } from "../../../src/health/from-config.ts";
import { assessHealth } from "../../../src/health/health.ts";
import { inspectDisk, stateOf } from "../../../src/health/on-disk.ts";
import { loadNative } from "../../../src/native/addon.ts";
import {
  flushed,
  journalDirectory,
  openSmall,
  record,
  smallSegmentBytes,
} from "../../support/small-journal.ts";
import { until } from "../../support/until.ts";

const now = Date.now();

/** A journal with five events, and a configuration with two sinks that have published none. */
async function twoSinks(t: TestContext) {
  const journal = journalDirectory(t);
  const simulator = openSmall(journal);
  t.after(() => simulator.close());
  record(simulator, 1, 5);
  await flushed(simulator);
  const root = dirname(journal);
  const state = join(root, "state");
  const text = JSON.stringify({
    journal: { directory: journal },
    state: { directory: state },
    sinks: [
      { name: "one", url: "file:one" },
      { name: "two", url: "file:two" },
    ],
  });
  return { state, places: diskPlaces(parseConfig(join(root, "certwire.json"), text)) };
}

/** A directory in the place of a file, which nobody can read, whatever the account's rights. */
function spoil(...path: readonly string[]): void {
  mkdirSync(join(...path), { recursive: true });
}

test("a checkpoint that cannot be read hides neither the other sinks nor the rest of its own", async (t) => {
  const { state, places } = await twoSinks(t);
  spoil(state, "checkpoints", "one");
  const { facts, sinks } = await inspectDisk(places, now);
  const [one, two] = sinks;
  assert.deepEqual([one?.name, two?.name], ["one", "two"]);
  assert.deepEqual([one?.checkpoint, one?.backlog], [undefined, undefined]);
  assert.equal(one?.deadLetters?.bytes, 0);
  assert.equal(two?.checkpoint?.state, "new");
  assert.ok((two?.backlog?.bytes ?? 0) > 5000);
  assert.equal(facts.stateError, undefined);
  const unreadable = assessHealth(facts, now).reasons.filter(
    ({ code }) => code === "state-unreadable",
  );
  assert.deepEqual(
    unreadable.map(({ sink, state: how }) => [sink, how]),
    [["one", "failing"]],
  );
  assert.match(unreadable[0]?.detail ?? "", /cannot read .*checkpoints.one/);
});

test("dead letters of findings count as those of their sink", async (t) => {
  const { state, places } = await twoSinks(t);
  mkdirSync(join(state, "dead-letters"), { recursive: true });
  const path = join(state, "dead-letters", "reconcile-one.ndjson");
  writeFileSync(path, "x".repeat(1000));
  utimesSync(path, now / 1000, now / 1000);
  writeFileSync(join(state, "dead-letters", "one.ndjson"), "x".repeat(10));
  utimesSync(join(state, "dead-letters", "one.ndjson"), 1, 1);
  const { facts, sinks } = await inspectDisk(places, now);
  assert.deepEqual(
    sinks.map(({ deadLetters }) => deadLetters?.bytes),
    [1010, 0],
  );
  const letters = assessHealth(facts, now).reasons.filter(({ code }) => code === "dead-letters");
  assert.deepEqual(
    letters.map(({ sink }) => sink),
    ["one"],
  );
});

test("files that no sink can read are one reason, and every sink is named", async (t) => {
  const { state, places } = await twoSinks(t);
  for (const name of ["one", "two"]) spoil(state, "checkpoints", name);
  const { facts, sinks } = await inspectDisk(places, now);
  assert.equal(sinks.length, 2);
  const { reasons } = assessHealth(facts, now);
  assert.deepEqual(
    reasons.filter(({ code }) => code === "state-unreadable").map(({ sink }) => sink),
    [undefined],
  );
});

test("without a readable journal it is not known what waits", async (t) => {
  const { places } = await twoSinks(t);
  const none = { ...places, journalDirectory: join(places.journalDirectory, "none") };
  const { facts, sinks } = await inspectDisk(none, now);
  assert.ok(facts.journalError);
  assert.deepEqual(
    sinks.map(({ backlog, checkpoint }) => [backlog, checkpoint?.state]),
    [
      [undefined, "new"],
      [undefined, "new"],
    ],
  );
  assert.deepEqual(
    facts.sinks.map(({ backlogBytes, backlogMs }) => [backlogBytes, backlogMs]),
    [
      [undefined, undefined],
      [undefined, undefined],
    ],
  );
  const lines = statusScreen({
    state: "failing",
    time: new Date(now).toISOString(),
    service: { state: "stopped", version: "1.0.0" },
    reasons: [],
    sinks,
  });
  const ofSinks = lines.filter((line) => /^(one|two) /.test(line));
  assert.equal(ofSinks.length, 2);
  for (const line of ofSinks) assert.match(line, /no checkpoint, what waits is not known$/);
});

test("how the exit module is comes from its signs of life, and a full volume is a reason until there is space", async (t) => {
  const directory = journalDirectory(t);
  const bytes = 4 * smallSegmentBytes;
  const simulator = new (loadNative().ExitSimulator)({
    directory,
    caName: "Small CA",
    firstSegmentBytes: smallSegmentBytes,
    maxSegmentBytes: smallSegmentBytes,
    maxMemoryBytes: 32 * 1024,
    minFreeBytes: 1,
    volumeBytes: bytes,
  });
  t.after(() => simulator.close());
  const text = JSON.stringify({
    journal: { directory },
    state: { directory: join(dirname(directory), "state") },
    sinks: [{ name: "one", url: "file:one" }],
  });
  const places = diskPlaces(parseConfig(join(dirname(directory), "certwire.json"), text));
  const inspect = async () => {
    const { facts, journal } = await inspectDisk(places, Date.now());
    const codes = assessHealth(facts, Date.now()).reasons.map(({ code }) => code);
    return { beat: journal?.writerBeat, codes, facts };
  };
  record(simulator, 1, 1);
  const healthy = await until(async () => {
    const found = await inspect();
    return found.beat?.condition === "ok" ? found : undefined;
  }, "the first sign of life");
  assert.ok(!healthy.codes.includes("writer-degraded"), healthy.codes.join());
  // The lock is held, so without a further sign of life it would be stuck a minute later.
  const { facts } = healthy;
  const lateMs = (facts.journal?.writerBeat?.timeMs ?? 0) + 60_001;
  const late = assessHealth(facts, lateMs).reasons.map(({ code }) => code);
  assert.deepEqual(
    late.filter((code) => code.startsWith("writer-")),
    ["writer-stuck"],
  );
  let next = 2;
  const full = await until(async () => {
    record(simulator, next, next);
    next += 1;
    const found = await inspect();
    return (found.beat?.droppedRecords ?? 0) > 0 ? found : undefined;
  }, "the module reports dropped records");
  assert.equal(full.beat?.condition, "no-space");
  assert.ok((full.beat?.waitingBytes ?? 0) > 0);
  assert.ok(full.codes.includes("writer-degraded"), full.codes.join());
  assert.ok(!full.codes.includes("writer-stuck"));
  const [oldest] = readdirSync(directory).filter((name) => name.endsWith(".cej"));
  assert.ok(oldest);
  // Space for one segment: what waits goes into it.
  rmSync(join(directory, oldest));
  const again = await until(async () => {
    const found = await inspect();
    return found.beat?.condition === "ok" ? found : undefined;
  }, "the module has recovered");
  assert.ok(!again.codes.includes("writer-degraded"));
});

test("whether a service runs is known of this machine only", () => {
  const [here, there] = [
    { pid: process.pid, host: hostname() },
    { pid: 1, host: "another" },
  ];
  // On Linux no process has a number above 2^22.
  const gone = { ...here, pid: 2 ** 22 + 1 };
  assert.equal(stateOf(true, here), "running");
  assert.equal(stateOf(true, there), "running");
  assert.equal(stateOf(false, here), "stopped");
  assert.equal(stateOf(false, undefined), "stopped");
  assert.equal(stateOf(false, there), "unknown", "its lock would not be seen");
  assert.equal(stateOf(undefined, there), "unknown");
  assert.equal(stateOf(undefined, undefined), "unknown");
  assert.equal(stateOf(undefined, here), "running");
  assert.equal(stateOf(undefined, gone), "stopped");
});
