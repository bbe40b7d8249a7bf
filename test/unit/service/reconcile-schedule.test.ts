import assert from "node:assert/strict";
import { cpSync, rmSync } from "node:fs";
import { test } from "node:test";
import { clock } from "../../../src/clock.ts";
import { CertwireError } from "../../../src/errors/certwire-error.ts";
import { exitEvents } from "../../../src/exit/ca-codes.ts";
import { ContentIndex } from "../../../src/reconcile/content-index.ts";
import { JournalContents } from "../../../src/reconcile/journal-contents.ts";
import { ReconcileScene } from "../../support/reconcile-scene.ts";
import {
  day,
  issuedRow,
  mockWaits,
  reasonsOf,
  ScheduledService,
  shown,
} from "../../support/scheduled-service.ts";

const minute = 60_000;

test("a database that was restored is compared as a whole once somebody has accepted it", async (t) => {
  const service = new ScheduledService(t);
  const { scene } = service;
  for (const id of [2, 3, 4]) scene.happen(exitEvents.issued, issuedRow(scene, id));
  await service.compare(t);
  scene.database.delete(4);
  scene.database.delete(3);
  const { reconcile } = await service.run(t, (found) => found.reconcile?.failure !== undefined);
  assert.match(
    reconcile?.failure?.detail ?? "",
    /row 4, the newest of an earlier run, is not there/,
  );
  await scene.reconcile({ acceptsRestored: true });
  await service.compare(t);
  assert.deepEqual(shown(service.findings()), [
    ["request/3", "open", "deleted"],
    ["request/4", "open", "deleted"],
  ]);
});

test("a comparison is overdue after twice its interval", async (t) => {
  const service = new ScheduledService(t);
  const first = await service.run(t, ({ reconcile }) => reconcile?.overdueMs !== undefined, false);
  const { overdueMs = 0 } = first.reconcile ?? {};
  assert.ok(Math.abs(overdueMs - clock.time() - 2 * day) < day / 2);
  assert.deepEqual(reasonsOf(first.status), []);
  service.openDatabase = () => {
    throw new CertwireError("CERTWIRE_CA_MISSING", "there is no CA");
  };
  for (let count = 0; count < 3; count += 1) {
    await service.run(t, ({ reconcile }) => reconcile?.failure !== undefined);
  }
  const last = await service.run(t, ({ reconcile }) => reconcile?.failure !== undefined);
  const codes = reasonsOf(last.status).map(([code]) => code);
  assert.deepEqual(codes, ["reconcile-failed", "reconcile-overdue"]);
});

test("a restored database that the command has accepted before the service noticed it is compared as a whole, once", async (t) => {
  const service = new ScheduledService(t);
  const { scene } = service;
  for (const id of [2, 3, 4]) scene.happen(exitEvents.issued, issuedRow(scene, id));
  await service.compare(t);
  for (const id of [3, 4]) {
    const certificate = ReconcileScene.certificate(id + 100);
    scene.database.put({ ...issuedRow(scene, id), certificate });
  }
  await scene.reconcile({ acceptsRestored: true, now: () => clock.time() });
  const { reconcile } = await service.compare(t);
  assert.equal(reconcile?.rows, 3);
  assert.deepEqual(shown(service.findings()), [
    ["request/3", "open", "changed"],
    ["request/4", "open", "changed"],
  ]);
  const { reconcile: next } = await service.compare(t);
  assert.equal(next?.rows, 2, "only the open ones are compared again");
});

test("every row is compared now and then, so that an older one that was deleted is found", async (t) => {
  const service = new ScheduledService(t, undefined, { full: "2d" });
  const { scene } = service;
  for (const id of [2, 3, 4]) scene.happen(exitEvents.issued, issuedRow(scene, id));
  await service.compare(t);
  scene.database.delete(3);
  const { reconcile: changes } = await service.compare(t);
  assert.equal(changes?.rows, 0);
  assert.deepEqual(service.findings(), []);
  const { reconcile: full } = await service.compare(t);
  assert.equal(full?.rows, 2);
  assert.deepEqual(shown(service.findings()), [["request/3", "open", "deleted"]]);
  const { reconcile: after } = await service.compare(t);
  assert.equal(after?.rows, 0);
});

test("a comparison by a clock that was ahead hides nothing that happens after the clock is right", async (t) => {
  const service = new ScheduledService(t);
  const { scene } = service;
  scene.happen(exitEvents.issued, issuedRow(scene, 2));
  service.shift(365 * day);
  await service.compare(t);
  service.shift(-365 * day);
  const at = clock.time() + day / 4;
  scene.database.put({ ...issuedRow(scene, 3), submitted: at, resolved: at });
  const { reconcile } = await service.run(t, (found) => found.reconcile !== undefined, false);
  assert.ok((reconcile?.overdueMs ?? 0) < clock.time() + 3 * day, "it is overdue in days");
  await service.compare(t);
  assert.deepEqual(shown(service.findings()), [["request/3", "open", "missing"]]);
});

test("a clock that is set back while the service waits changes the next time, and what was compared at it", async (t) => {
  const service = new ScheduledService(t);
  const { scene } = service;
  scene.happen(exitEvents.issued, issuedRow(scene, 2));
  mockWaits(t, (ms) => (ms === 60_000 ? 1 : ms));
  const ahead = day / 12;
  let firstMs: number | undefined;
  let isSeen = false;
  await service.run(t, ({ reconcile }) => {
    const { lastMs, overdueMs = 0 } = reconcile ?? {};
    if (lastMs !== undefined && firstMs === undefined) {
      firstMs = lastMs;
      service.shift(-ahead);
    } else if (firstMs !== undefined && overdueMs < firstMs + 2 * day && !isSeen) {
      isSeen = true;
      const at = clock.time();
      scene.database.put({ ...issuedRow(scene, 3), submitted: at, resolved: at });
      // To the time of the first comparison, shortly before it.
      service.shift(firstMs - 1 - at);
    }
    return service.findings().length > 0;
  });
  assert.deepEqual(shown(service.findings()), [["request/3", "open", "missing"]]);
});

test("what is new in the journal is remembered between comparisons, before retention deletes it", async (t) => {
  const service = new ScheduledService(t);
  const { scene } = service;
  scene.happen(exitEvents.issued, issuedRow(scene, 2));
  mockWaits(t, (ms) => (ms === 60_000 ? 1 : ms));
  const now = clock.now.bind(clock);
  let laterMs = 0;
  t.mock.method(clock, "now", () => now() + laterMs);
  const isKnown = async () => {
    const contents = await JournalContents.open(scene.paths);
    return (await contents.read(ContentIndex.partOf(2))).has(2);
  };
  let isDone = false;
  const check = async () => {
    isDone = await isKnown();
  };
  const { reconcile } = await service.run(
    t,
    () => {
      laterMs += day / 24;
      void check();
      return isDone;
    },
    false,
  );
  assert.equal(reconcile?.lastMs, undefined, "nothing was compared");
  assert.deepEqual(service.logged("cannot read the journal before a comparison"), []);
});

test("records that retention has deleted before they were compared are logged", async (t) => {
  const service = new ScheduledService(t);
  const { scene } = service;
  service.shift(-3 * day);
  scene.happen(exitEvents.issued, issuedRow(scene, 2));
  const message = "the journal begins after the last comparison";
  await service.compare(t);
  assert.deepEqual(service.logged(message), []);
  const newer = new ReconcileScene(t);
  for (const id of [2, 3, 4]) newer.record(exitEvents.issued, issuedRow(newer, id));
  await newer.flushed();
  rmSync(scene.journal, { recursive: true });
  cpSync(newer.journal, scene.journal, { recursive: true });
  await service.compare(t);
  assert.equal(service.logged(message).length, 1);
});

test("an account that may not read is found at the start, and no reason any more when it may", async (t) => {
  const service = new ScheduledService(t);
  const { database } = service.scene;
  const whole = database.facts;
  const message = "cannot compare the CA's database with the journal";
  database.facts = { ...whole, roles: 0x200 };
  const { status } = await service.run(t, (found) => found.reconcile?.mayRead === false, false);
  assert.deepEqual(reasonsOf(status), [
    ["reconcile-failed", 'CA database of "CA01\\Contoso": this account may not read it'],
  ]);
  assert.deepEqual(status.reconcile?.mayRead, false);
  const [line, ...others] = service.logged(message);
  assert.deepEqual([line?.["code"], others], ["CERTWIRE_CA_DATABASE_REFUSED", []]);

  const asked: number[] = [];
  let isSetBack = false;
  database.readFacts = async () => {
    asked.push(clock.now());
    return { ...whole, roles: asked.length < 3 ? 0 : 0x100 };
  };
  const delay = clock.delay.bind(clock);
  const now = clock.now.bind(clock);
  let laterMs = 0;
  t.mock.method(clock, "now", () => now() + laterMs);
  // A minute passes at once, until the CA lets the account read. Somebody sets the clock back meanwhile.
  t.mock.method(clock, "delay", async (ms: number, options: Parameters<typeof delay>[1]) => {
    if (ms !== minute || asked.length === 3) return delay(ms, options);
    laterMs += ms;
    if (asked.length === 1 && !isSetBack) service.shift(-365 * day);
    isSetBack = true;
    return delay(0, options);
  });
  const later = await service.run(t, (found) => found.reconcile?.mayRead === true, false);
  assert.deepEqual(reasonsOf(later.status), []);
  const [first = 0, second = 0, third = 0, ...more] = asked;
  const isSpaced = second - first >= 10 * minute && third - second >= 10 * minute;
  assert.deepEqual([isSpaced, more], [true, []], "not more often than every 10 minutes");
  assert.equal(later.reconcile?.failures, 0, "no comparison has failed");
  assert.equal(service.logged(message).length, 2, "once for each start");
});

test("that the account may read after all does not hide another failure", async (t) => {
  const service = new ScheduledService(t);
  const { scene } = service;
  const { database } = scene;
  for (const id of [2, 3, 4]) scene.happen(exitEvents.issued, issuedRow(scene, id));
  await service.compare(t);
  for (const id of [3, 4]) database.delete(id);
  const whole = database.facts;
  let asked = 0;
  database.readFacts = async () => {
    asked += 1;
    return { ...whole, roles: asked === 1 ? 0x200 : 0x100 };
  };
  mockWaits(t, (ms) => (ms === minute ? 1 : ms));
  const now = clock.now.bind(clock);
  let laterMs = 0;
  t.mock.method(clock, "now", () => now() + laterMs);
  const { reconcile } = await service.run(t, (found) => {
    const { failures = 0, mayRead } = found.reconcile ?? {};
    if (failures > 0) laterMs += minute;
    return failures > 0 && mayRead === true;
  });
  assert.match(reconcile?.failure?.detail ?? "", /row 4, the newest of an earlier run/);
});

test("a CA that hangs is not asked once more before its call is back", async (t) => {
  const service = new ScheduledService(t);
  const { database } = service.scene;
  const whole = database.facts;
  let [asked, answer] = [0, (): void => undefined];
  database.readFacts = async () => {
    asked += 1;
    if (asked === 1) await new Promise<void>((resolve) => (answer = resolve));
    return whole;
  };
  mockWaits(t, (ms) => (ms === minute || ms === 2 * minute ? 1 : ms));
  const now = clock.now.bind(clock);
  let [looks, laterMs] = [0, 0];
  t.mock.method(clock, "now", () => {
    looks += 1;
    return now() + laterMs;
  });
  let before = 0;
  let isAnswered = false;
  await service.run(
    t,
    ({ reconcile }) => {
      laterMs += 10 * minute;
      if (asked === 1 && before === 0) before = looks;
      if (before > 0 && looks > before + 500 && !isAnswered) {
        assert.equal(asked, 1);
        isAnswered = true;
        answer();
      }
      return reconcile?.mayRead === true;
    },
    false,
  );
  assert.equal(isAnswered, true);
});
