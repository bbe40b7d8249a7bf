import assert from "node:assert/strict";
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { parseConfig } from "../../src/config/load.ts";
import type { CertwireEvent } from "../../src/events/event.ts";
import { requestIdOf } from "../../src/events/selection.ts";
import { Service } from "../../src/service/service.ts";
import { collectLog } from "../support/collect-log.ts";
import { flushed, journalDirectory, openSmall, record } from "../support/small-journal.ts";
import { until } from "../support/until.ts";

/** A service over a journal, in this process. */
async function startService(context: TestContext, journal: string) {
  const text = JSON.stringify({
    journal: { directory: journal },
    state: { directory: join(dirname(journal), "state") },
    sinks: [{ name: "files", url: "file:events" }],
  });
  const config = parseConfig(join(dirname(journal), "certwire.json"), text);
  const { log, lines: logLines } = collectLog();
  const service = await Service.create({ config, log });
  const stop = new AbortController();
  const running = service.run(stop.signal);
  context.after(() => stop.abort());
  const end = async (): Promise<void> => {
    stop.abort();
    await running;
  };
  return { stop: end, logLines };
}

/** Records requests as one start of the CA, sealed. */
async function workOnce(journal: string, first: number, last: number): Promise<void> {
  const simulator = openSmall(journal);
  record(simulator, first, last);
  await flushed(simulator);
  simulator.shutdown();
  simulator.close();
}

function published(journal: string): CertwireEvent[] {
  const directory = join(dirname(journal), "events");
  if (!existsSync(directory)) return [];
  const names = readdirSync(directory).filter((name) => name.endsWith(".ndjson"));
  return names.flatMap((name) =>
    readFileSync(join(directory, name), "utf8")
      .split("\n")
      .slice(0, -1) // the last line may be half there while the sink writes
      .map((line) => JSON.parse(line) as CertwireEvent),
  );
}

function hasRequest(journal: string, id: number): boolean {
  return published(journal).some((event) => requestIdOf(event) === String(id));
}

/** Puts a copy of the snapshot in the place of the journal, so that a running service reads no half of it. */
function restore(snapshot: string, journal: string): void {
  const [copy, replaced] = [`${journal}-copy`, `${journal}-replaced`];
  cpSync(snapshot, copy, { recursive: true });
  renameSync(journal, replaced);
  renameSync(copy, journal);
  rmSync(replaced, { recursive: true });
}

/**
 * Two starts of the CA, of which the snapshot has the first and a part of the second; all was published.
 */
async function publishedBeyondSnapshot(journal: string): Promise<string> {
  const snapshot = join(dirname(journal), "snapshot");
  await workOnce(journal, 1, 50);
  const simulator = openSmall(journal);
  record(simulator, 51, 60);
  await flushed(simulator);
  cpSync(journal, snapshot, { recursive: true });
  record(simulator, 61, 150);
  await flushed(simulator);
  simulator.shutdown();
  simulator.close();
  return snapshot;
}

function gapReasons(events: readonly CertwireEvent[]): unknown[] {
  const gaps = events.filter(({ type }) => type.endsWith("journal.gap.v1"));
  return gaps.map(({ data }) => data["reason"]);
}

/** Checks that every request is there, and each id once except those in `repeated`. */
function assertComplete(journal: string, last: number, repeated: number): void {
  const events = published(journal);
  const ids = events.map(({ id }) => id);
  assert.equal(ids.length - new Set(ids).size, repeated, "ids that came again");
  const seen = new Set(events.flatMap((event) => requestIdOf(event) ?? []));
  for (let id = 1; id <= last; id += 1) assert.ok(seen.has(String(id)), `request ${id}`);
}

test("after an older copy of the journal is restored, new events are published and one gap reports it", async (context) => {
  const journal = journalDirectory(context);
  const snapshot = await publishedBeyondSnapshot(journal);
  const { stop } = await startService(context, journal);
  await until(() => hasRequest(journal, 150), "everything is published");
  await stop();
  restore(snapshot, journal);
  await workOnce(journal, 151, 200);
  const again = await startService(context, journal);
  await until(() => hasRequest(journal, 200), "the new events are published");
  await again.stop();
  assertComplete(journal, 200, 0);
  assert.deepEqual(gapReasons(published(journal)), ["rollback"]);
  const gaps = again.logLines.filter(({ msg }) => msg === "gap in the journal");
  assert.deepEqual(
    gaps.map(({ reason }) => reason),
    ["rollback"],
  );
});

test("a service that keeps running while an older copy is restored misses and repeats nothing", async (context) => {
  const journal = journalDirectory(context);
  const snapshot = await publishedBeyondSnapshot(journal);
  const { stop } = await startService(context, journal);
  await until(() => hasRequest(journal, 150), "everything is published");
  restore(snapshot, journal);
  await workOnce(journal, 151, 200);
  await until(() => hasRequest(journal, 200), "the new events are published");
  await stop();
  assertComplete(journal, 200, 0);
});

for (const isRunning of [false, true]) {
  const state = isRunning ? "running" : "stopped";
  test(`an epoch number that is reused while the service is ${state} is another epoch`, async (context) => {
    const journal = journalDirectory(context);
    const snapshot = join(dirname(journal), "snapshot");
    await workOnce(journal, 1, 50);
    cpSync(journal, snapshot, { recursive: true });
    await workOnce(journal, 51, 100);
    let service = await startService(context, journal);
    await until(() => hasRequest(journal, 100), "everything is published");
    if (!isRunning) await service.stop();
    restore(snapshot, journal);
    await workOnce(journal, 101, 150);
    if (!isRunning) service = await startService(context, journal);
    await until(() => hasRequest(journal, 150), "the new events are published");
    await service.stop();
    // The reader's position is gone, so it begins at the oldest frame: those 50 are repeated.
    assertComplete(journal, 150, 50);
    assert.deepEqual(gapReasons(published(journal)), ["rollback"]);
  });
}
