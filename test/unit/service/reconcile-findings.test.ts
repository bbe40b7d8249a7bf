import assert from "node:assert/strict";
import { mkdirSync, rmSync } from "node:fs";
import { test } from "node:test";
import { exitEvents } from "../../../src/exit/ca-codes.ts";
import type { UnpublishedFacts } from "../../../src/health/facts.ts";
import { fixture } from "../../support/exit-records.ts";
import { ReconcileScene } from "../../support/reconcile-scene.ts";
import {
  day,
  issuedRow,
  mockWaits,
  reasonsOf,
  ScheduledService,
} from "../../support/scheduled-service.ts";

/** How long a sink is left alone after an error of the state directory, in ms. */
const sinkAgain = 60_000;

/** Thousands of findings take up to 40 s at the pace of the service; what else waits does so for a minute. */
const withoutPace = (ms: number): number => (ms < 60_000 ? 1 : ms);

test("a finding is resolved if its row is deleted, and that of a CRL if the CA has deleted it", async (t) => {
  const service = new ScheduledService(t);
  const { scene } = service;
  for (const id of [2, 4]) scene.happen(exitEvents.issued, issuedRow(scene, id));
  scene.database.put(issuedRow(scene, 3));
  // VT_DATE counts days from 1899-12-30.
  const since1899 = scene.begin / day + 25_569;
  scene.database.crls = [{ id: 4, der: fixture("base-crl"), published: since1899 }];
  const { reconcile } = await service.compare(t);
  assert.equal(reconcile?.open?.missing, 2);
  scene.database.delete(3);
  scene.database.crls = [];
  const { status } = await service.compare(t);
  assert.deepEqual(reasonsOf(status), []);
  const states = service.findings().map(({ data }) => data["state"]);
  assert.deepEqual(states, ["open", "open", "resolved", "resolved"]);
});

test("findings that are too many are kept in mind, and reported when others are resolved", async (t) => {
  const service = new ScheduledService(t);
  const { scene } = service;
  mockWaits(t, withoutPace);
  scene.happen(exitEvents.issued, issuedRow(scene, 2));
  for (let id = 3; id < 2013; id += 1) scene.database.put(issuedRow(scene, id));
  for (const rows of [2011, 1000]) {
    const { reconcile, status } = await service.compare(t);
    assert.equal(reconcile?.rows, rows, "every row is read only if there is space");
    assert.equal(reconcile?.unlisted, 10);
    assert.deepEqual(reasonsOf(status), [["reconcile-findings", "2000 missing, 10 too many"]]);
  }
  const known = new Set(service.findings().map(({ subject }) => subject));
  for (let id = 3; id < 2013; id += 1) {
    if (known.has(`request/${id}`)) scene.record(exitEvents.issued, issuedRow(scene, id));
  }
  const { reconcile: half } = await service.compare(t);
  assert.equal(half?.unlisted, 10);
  const { reconcile, status } = await service.compare(t);
  assert.equal(reconcile?.unlisted, 0);
  assert.deepEqual(reasonsOf(status), [["reconcile-findings", "10 missing"]]);
  assert.equal(new Set(service.findings().map(({ subject }) => subject)).size, 2010);
});

test("what nobody resolves and is too much is neither looked for each time nor a reason for ever", async (t) => {
  const service = new ScheduledService(t);
  const { scene } = service;
  mockWaits(t, withoutPace);
  for (let id = 2; id < 2012; id += 1) {
    const row = issuedRow(scene, id);
    scene.record(exitEvents.issued, {
      ...row,
      certificate: ReconcileScene.certificate(id + 100_000),
    });
    scene.database.put(row);
  }
  const expected = [["reconcile-findings", "2000 changed, 10 too many"]];
  const first = await service.compare(t);
  assert.deepEqual([first.reconcile?.rows, reasonsOf(first.status)], [2010, expected]);
  const second = await service.compare(t);
  assert.deepEqual([second.reconcile?.rows, reasonsOf(second.status)], [1000, expected]);
  service.shift(8 * day);
  const last = await service.compare(t);
  assert.deepEqual([last.reconcile?.unlisted, reasonsOf(last.status)], [10, []]);
});

test("what a sink does not get is shown with its error, until it has it", async (t) => {
  const service = new ScheduledService(t);
  const { scene } = service;
  scene.database.put(issuedRow(scene, 3));
  const place = scene.paths.reportedTo("files");
  mkdirSync(place, { recursive: true });
  mockWaits(t, (ms) => (ms === sinkAgain ? 1 : ms));
  let waiting: UnpublishedFacts | undefined;
  const { reconcile } = await service.run(t, (found) => {
    const [unpublished] = found.reconcile?.unpublished ?? [];
    if (waiting === undefined && unpublished?.reports === 1 && unpublished.error !== undefined) {
      waiting = unpublished;
      rmSync(place, { recursive: true });
    }
    return waiting !== undefined && unpublished?.sinceMs === undefined;
  });
  assert.match(waiting?.error ?? "", /^cannot write .*files\.json/);
  assert.ok(waiting?.sinceMs !== undefined);
  assert.deepEqual(reconcile?.unpublished, [{ sink: "files", reports: 0 }]);
  assert.equal(service.findings().length, 1);
});
