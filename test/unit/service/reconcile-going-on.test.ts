// Scheduled comparisons of every row that go on where one was stopped.
import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { clock } from "../../../src/clock.ts";
import { CertwireError } from "../../../src/errors/certwire-error.ts";
import { exitEvents } from "../../../src/exit/ca-codes.ts";
import { RunFile, type RunState } from "../../../src/reconcile/run-file.ts";
import type { Observation } from "../../../src/service/live-status.ts";
import { fixture } from "../../support/exit-records.ts";
import { replaceMethod } from "../../support/replace-method.ts";
import {
  day,
  issuedRow,
  reasonsOf,
  ScheduledService,
  shown,
} from "../../support/scheduled-service.ts";
import { until } from "../../support/until.ts";

/** Begins `certwire reconcile --full` and stops it after the first requests. */
async function stopCommand({ scene }: ScheduledService): Promise<void> {
  const stop = new AbortController();
  const options = { since: "full", now: () => clock.time(), progress: () => stop.abort() } as const;
  const { isInterrupted, findings } = await scene.reconcile(options, stop.signal);
  assert.equal(isInterrupted, true);
  assert.ok(findings.length > 0);
}

test("what a command that was stopped has found is compared again when the schedule goes on with it", async (t: TestContext) => {
  const service = new ScheduledService(t);
  const { scene } = service;
  service.shift(day);
  for (const id of [2, 3, 4]) scene.database.put(issuedRow(scene, id));
  scene.record(exitEvents.issued, issuedRow(scene, 5));
  scene.happen(exitEvents.issued, issuedRow(scene, 6));
  await stopCommand(service);
  scene.record(exitEvents.issued, issuedRow(scene, 3));
  scene.database.delete(4);
  scene.database.requests.length = 0;
  const { status } = await service.compare(t);
  assert.deepEqual(shown(service.findings()), [
    ["request/2", "open", "missing"],
    ["request/5", "open", "deleted"],
  ]);
  assert.deepEqual(reasonsOf(status), [["reconcile-findings", "1 missing"]]);
  const ended = scene.database.requests.some(({ scan, from }) => scan === "new" && from > 1000);
  assert.ok(ended, "it went on where the command was stopped");
});

test("the schedule does not go on with a command that was stopped before its last comparison", async (t: TestContext) => {
  const service = new ScheduledService(t, undefined, { full: "3d" });
  const { scene } = service;
  scene.happen(exitEvents.issued, issuedRow(scene, 2));
  await service.compare(t);
  scene.database.put(issuedRow(scene, 3));
  await stopCommand(service);
  scene.record(exitEvents.issued, issuedRow(scene, 3));
  const rows: (number | undefined)[] = [];
  for (let count = 0; count < 4; count += 1) {
    const { status, reconcile } = await service.compare(t);
    rows.push(reconcile?.rows);
    assert.deepEqual(reasonsOf(status), []);
    assert.ok(clock.time() - (reconcile?.lastMs ?? 0) < day / 2, "it began now");
  }
  assert.ok(rows.includes(2), `every row is compared: ${rows.join(", ")}`);
  assert.deepEqual(service.findings(), []);
});

test("a command does not go on where it was stopped before a comparison of the schedule", async (t: TestContext) => {
  const service = new ScheduledService(t);
  const { scene } = service;
  scene.happen(exitEvents.issued, issuedRow(scene, 2));
  await service.compare(t);
  scene.database.put(issuedRow(scene, 3));
  await stopCommand(service);
  scene.record(exitEvents.issued, issuedRow(scene, 3));
  await service.compare(t);
  const report = await scene.reconcile({ now: () => clock.time() });
  assert.deepEqual(report.findings, []);
});

test("a comparison of many nights is not overdue while it goes on, nor when it has ended", async (t: TestContext) => {
  const service = new ScheduledService(t);
  const { scene } = service;
  // Each in a part of its own.
  for (const id of [2, 20_000, 40_000, 60_000]) {
    scene.happen(exitEvents.issued, issuedRow(scene, id));
  }
  let observedMs = 0;
  replaceMethod(RunFile.prototype, "save", (save) => {
    t.after(() => replaceMethod(RunFile.prototype, "save", () => save));
    return async function (this: RunFile, changes: RunState) {
      await save.call(this, changes);
      if (!changes.running?.after) return;
      service.shift(1.5 * day);
      const shiftedMs = clock.time();
      await until(() => observedMs >= shiftedMs, "the comparison is observed while it goes on");
    };
  });
  const reasons = new Set<unknown>();
  const isDone = ({ status, reconcile }: Observation) => {
    // Observations less than a second apart are the same one.
    observedMs = Date.parse(status.time);
    for (const [code, detail] of reasonsOf(status)) reasons.add(`${code}: ${detail}`);
    return reconcile?.lastMs !== undefined;
  };
  const { reconcile } = await service.run(t, isDone);
  assert.deepEqual([...reasons], []);
  assert.equal(reconcile?.rows, 4);
  const lastedMs = clock.time() - (reconcile.lastMs ?? 0);
  assert.ok(lastedMs > 5 * day, `${lastedMs} ms`);
});

test("a comparison whose findings were kept is not gone on with, though its end was not", async (t: TestContext) => {
  const service = new ScheduledService(t);
  const { scene } = service;
  service.shift(day);
  for (const id of [2, 3]) scene.database.put(issuedRow(scene, id));
  const end = t.mock.method(RunFile.prototype, "end", async () => {
    throw new CertwireError("CERTWIRE_CHECKPOINT_FAILED", "cannot write it");
  });
  const { reconcile: first } = await service.run(t, ({ reconcile }) => {
    return reconcile?.failure !== undefined && service.findings().length === 2;
  });
  assert.equal(first?.open?.missing, 2);
  end.mock.restore();
  const { reconcile, status } = await service.compare(t);
  assert.equal(reconcile?.rows, 2);
  assert.ok(clock.time() - (reconcile?.lastMs ?? 0) < day / 2, "it began now");
  assert.deepEqual(reasonsOf(status), [["reconcile-findings", "2 missing"]]);
  assert.equal(service.findings().length, 2);
});

test("a comparison of many nights is not overdue after a restart of the service, before it compares some more", async (t: TestContext) => {
  const service = new ScheduledService(t);
  const { scene } = service;
  for (const id of [2, 20_000]) scene.happen(exitEvents.issued, issuedRow(scene, id));
  // A service that has compared the first part in its third night, and was stopped.
  const { signal } = new AbortController();
  await service.run(t, ({ reconcile }) => reconcile?.nextMs !== undefined);
  const stop = new AbortController();
  service.shift(2.5 * day);
  await scene.reconcile(
    { since: "full", now: () => clock.time(), progress: () => stop.abort() },
    AbortSignal.any([signal, stop.signal]),
  );
  const reasons = new Set<unknown>();
  await service.run(t, ({ status, reconcile }) => {
    for (const [code, detail] of reasonsOf(status)) reasons.add(`${code}: ${detail}`);
    return reconcile?.overdueMs !== undefined;
  });
  assert.deepEqual([...reasons], []);
});

test("a CRL is missing, too, when a stopped run begins anew because somebody has deleted what it had found", async (t: TestContext) => {
  const service = new ScheduledService(t);
  const { scene } = service;
  service.shift(day);
  for (const id of [2, 3, 4]) scene.database.put(issuedRow(scene, id));
  const published = scene.begin / day + 25_569;
  scene.database.crls = [{ id: 4, der: fixture("base-crl"), published }];
  await stopCommand(service);
  for (const id of [2, 3]) scene.record(exitEvents.issued, issuedRow(scene, id));
  rmSync(scene.paths.findings);
  const { status } = await service.compare(t);
  assert.deepEqual(reasonsOf(status), [["reconcile-findings", "2 missing"]]);
  assert.equal(service.findings().length, 2);
});

test("what was found stays known while the state of the comparison cannot be read", async (t: TestContext) => {
  const service = new ScheduledService(t);
  const { scene } = service;
  service.shift(day);
  scene.database.put(issuedRow(scene, 2));
  await service.compare(t);
  writeFileSync(scene.paths.run, "{");
  const { reconcile } = await service.run(t, (seen) => seen.reconcile?.failure !== undefined);
  assert.equal(reconcile?.open?.missing, 1);
});
