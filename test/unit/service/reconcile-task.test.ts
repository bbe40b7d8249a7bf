import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { CertwireError } from "../../../src/errors/certwire-error.ts";
import { kindOf } from "../../../src/events/event-kind.ts";
import { exitEvents } from "../../../src/exit/ca-codes.ts";
import { lockDirectory } from "../../../src/files/directory-lock.ts";
import { ReportedFindings } from "../../../src/reconcile/reported-findings.ts";
import type { Observation } from "../../../src/service/live-status.ts";
import { published } from "../../support/published-files.ts";
import {
  day,
  issuedRow,
  mockWaits,
  reasonsOf,
  ScheduledService,
  shown,
} from "../../support/scheduled-service.ts";
import { settled } from "../../support/until.ts";

/** How long a sink is left alone after an error of the state directory, in ms. */
const sinkAgain = 60_000;

test("what differs is published once at the scheduled time, and once more when a comparison does not find it any more", async (t) => {
  const service = new ScheduledService(t);
  const { scene } = service;
  scene.happen(exitEvents.issued, issuedRow(scene, 2));
  scene.database.put(issuedRow(scene, 3));
  const { reconcile, status } = await service.compare(t);
  const { running, mayRead, lastTime, open, nextTime: next } = status.reconcile ?? {};
  assert.deepEqual({ running, mayRead }, { running: false, mayRead: true });
  assert.equal(status.reconcile?.rows, 2);
  assert.deepEqual(open, { missing: 1, state: 0, changed: 0, unknown: 0, deleted: 0 });
  const apartMs = Date.parse(next ?? "") - Date.parse(lastTime ?? "");
  // The clocks are set forward or back in between, at most.
  assert.ok(Math.abs(apartMs - day) <= 3_600_000, `${lastTime} ${next}`);
  assert.deepEqual(shown(service.findings()), [["request/3", "open", "missing"]]);
  const [event] = service.findings();
  assert.ok(event);
  assert.equal(kindOf(event), "reconcile.finding");
  assert.match(event.id, /^rf-[\w-]{22}$/);
  assert.equal(event.origin, "database");
  const live = published(join(service.root, "events"));
  assert.equal(event.source, live[0]?.source, "the CA is that of its other events");
  assert.equal(reconcile?.open?.missing, 1);
  assert.equal(reconcile.rows, 2);
  assert.deepEqual(reasonsOf(status), [["reconcile-findings", "1 missing"]]);

  await service.compare(t);
  assert.equal(service.findings().length, 1, "the second comparison has nothing new");
  scene.record(exitEvents.issued, issuedRow(scene, 3));
  const { status: after } = await service.compare(t);
  assert.deepEqual(reasonsOf(after), []);
  const [, resolved] = service.findings();
  assert.deepEqual(shown(service.findings().slice(1)), [["request/3", "resolved", "missing"]]);
  assert.notEqual(resolved?.id, event.id);
  await service.compare(t);
  assert.equal(service.findings().length, 2);
  const rows = service.logged("the CA's database was compared with the journal");
  const counts = rows.map((line) => [line["opened"], line["resolved"]]);
  assert.deepEqual(counts, [
    [1, 0],
    [0, 0],
    [0, 1],
    [0, 0],
  ]);
});

test("what a comparison has found is not lost if it cannot be kept, though its own place is", async (t) => {
  const service = new ScheduledService(t);
  const { scene } = service;
  scene.database.put(issuedRow(scene, 3));
  const take = t.mock.method(ReportedFindings.prototype, "take", async () => {
    throw new CertwireError("CERTWIRE_CHECKPOINT_FAILED", "cannot write it");
  });
  const { status } = await service.run(t, ({ reconcile }) => reconcile?.failure !== undefined);
  assert.deepEqual(reasonsOf(status), [["reconcile-failed", "cannot write it"]]);
  take.mock.restore();
  scene.database.requests.length = 0;
  const { reconcile } = await service.compare(t);
  assert.deepEqual(shown(service.findings()), [["request/3", "open", "missing"]]);
  assert.equal(reconcile?.rows, 1);
  const fromTheFirst = scene.database.requests.filter(
    ({ scan, from, maxRows }) => scan === "new" && from === 0 && maxRows > 1,
  );
  assert.deepEqual(fromTheFirst, [], "the rows are not read again");
});

test("a sink that is down does not hold up another one, and gets what is open when it is back", async (t) => {
  const down = { name: "down", url: "amqp://127.0.0.1:1/?exchange=x" };
  const quick = { retryInitialMs: 1, retryMaxMs: 50 };
  const files = { name: "files", url: "file:events" };
  const service = new ScheduledService(t, [files, { ...down, ...quick }]);
  const { scene } = service;
  scene.database.put(issuedRow(scene, 3));
  await service.compare(t);
  assert.deepEqual(shown(service.findings()), [["request/3", "open", "missing"]]);
  const { paths } = scene;
  const [, , ...more] = readFileSync(paths.reported, "utf8").trimEnd().split("\n");
  assert.deepEqual(more, [], "the report is kept");
  assert.throws(() => readFileSync(paths.reportedTo("down")), { code: "ENOENT" });
});

test("a comparison waits while a command uses the database, which is not a failure", async (t) => {
  const service = new ScheduledService(t);
  const { scene } = service;
  scene.database.put(issuedRow(scene, 3));
  mockWaits(t, (ms) => (ms === 60_000 ? 1 : ms));
  const { directory, lockName } = scene.paths;
  const lock = await lockDirectory(directory, lockName, "private");
  const waits = () => service.logged("the comparison waits for another one").length;
  let whileLocked: Observation | undefined;
  const { reconcile } = await service.run(t, (found) => {
    if (waits() > 0 && whileLocked === undefined) {
      whileLocked = found;
      lock.release();
    }
    return found.reconcile?.lastMs !== undefined;
  });
  assert.deepEqual([reconcile?.failures, reconcile?.open?.missing], [0, 1]);
  assert.ok(whileLocked);
  assert.deepEqual(reasonsOf(whileLocked.status), []);
  assert.equal(waits(), 1, "it is logged once");
});

test("what keeps the comparisons from beginning is reported until it has passed", async (t) => {
  const service = new ScheduledService(t);
  const { reported } = service.scene.paths;
  mkdirSync(dirname(reported), { recursive: true });
  writeFileSync(reported, "damaged");
  mockWaits(t, (ms) => (ms === 600_000 ? 1 : ms));
  let failure: string | undefined;
  const isOpen = ({ reconcile }: Observation) => {
    failure ??= reconcile?.failure?.detail;
    if (failure !== undefined) rmSync(reported, { force: true });
    return reconcile?.overdueMs !== undefined;
  };
  const { status, reconcile } = await service.run(t, isOpen, false);
  assert.ok(failure?.startsWith(`cannot read ${reported}`), failure);
  assert.deepEqual(reasonsOf(status), []);
  assert.equal(reconcile?.failures, 0);
});

test("a sink whose place cannot be read holds up neither the comparison nor another sink, and goes on when it can", async (t) => {
  const sinks = ["first", "second"].map((name) => ({ name, url: `file:${name}` }));
  const service = new ScheduledService(t, sinks);
  const { scene } = service;
  scene.database.put(issuedRow(scene, 3));
  const place = scene.paths.reportedTo("first");
  mkdirSync(place, { recursive: true });
  mockWaits(t, (ms) => (ms === sinkAgain ? 1 : ms));
  const open = [["request/3", "open", "missing"]];
  await service.run(t, () => {
    if (service.findings("second").length > 0) rmSync(place, { recursive: true, force: true });
    return service.findings("first").length > 0;
  });
  assert.deepEqual(shown(service.findings("second")), open);
  assert.deepEqual(shown(service.findings("first")), open);
});

test("a comparison that fails is tried at the next time", async (t) => {
  const service = new ScheduledService(t);
  const { scene } = service;
  service.openDatabase = () => {
    throw new CertwireError("CERTWIRE_CA_MISSING", "there is no CA");
  };
  const refused = await service.run(t, (found) => found.reconcile?.failure !== undefined);
  assert.equal(refused.reconcile?.failure?.detail, "there is no CA");
  service.openDatabase = () => scene.caDatabase();
  await service.compare(t);
});

test("the service ends at once while a call of the CA hangs", async (t) => {
  const service = new ScheduledService(t);
  const { scene } = service;
  scene.happen(exitEvents.issued, issuedRow(scene, 2));
  // Only the stop can end the wait for the answer.
  mockWaits(t, (ms) => (ms === 120_000 ? 2 ** 31 - 1 : ms));
  let hangs = false;
  scene.database.next.push(() => {
    hangs = true;
    return new Promise(() => undefined);
  });
  await settled(
    service.run(t, () => hangs),
    "the service has ended",
  );
});

test("a comparison waits for a CA that restarts at its time, and needs no answer after the last row", async (t) => {
  const service = new ScheduledService(t);
  const { scene } = service;
  scene.database.put(issuedRow(scene, 3));
  const facts = scene.database.readFacts.bind(scene.database);
  const partitions = scene.database.readCrlPartitions.bind(scene.database);
  const unreachable = { hresult: 0x8007_06ba, call: "GetCAProperty" };
  let answersAfter = 3;
  t.mock.method(scene.database, "readFacts", async () => {
    answersAfter -= 1;
    if (answersAfter >= 0) throw Object.assign(new Error("unreachable"), unreachable);
    return facts();
  });
  // The last that is asked for.
  t.mock.method(scene.database, "readCrlPartitions", async () => {
    answersAfter = Number.POSITIVE_INFINITY;
    return partitions();
  });
  const { status } = await service.compare(t);
  assert.deepEqual(reasonsOf(status), [["reconcile-findings", "1 missing"]]);
});

test("of very many requests with open findings each is compared again, however often the service starts", async (t) => {
  const service = new ScheduledService(t);
  const { scene } = service;
  const ids = Array.from({ length: 1100 }, (_, index) => index + 2);
  for (const id of ids) scene.database.put(issuedRow(scene, id));
  let lastMs: number | undefined;
  const compare = async () => {
    const { reconcile } = await service.run(t, (found) => {
      const isLater = found.reconcile?.lastMs !== undefined && found.reconcile.lastMs !== lastMs;
      return isLater;
    });
    lastMs = reconcile?.lastMs;
    return reconcile?.open?.missing;
  };
  assert.equal(await compare(), 1100);
  for (const id of [...ids.slice(0, 50), ...ids.slice(-50)]) {
    scene.record(exitEvents.issued, issuedRow(scene, id));
  }
  await compare();
  assert.equal(await compare(), 1000);
});
