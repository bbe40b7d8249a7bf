import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import type { CaDatabase } from "../../../src/ca-database/ca-database.ts";
import { clock, type Delay } from "../../../src/clock.ts";
import { parseConfig, type ResolvedConfig } from "../../../src/config/load.ts";
import { CertwireError } from "../../../src/errors/certwire-error.ts";
import type { CertwireEvent } from "../../../src/events/event.ts";
import { kindOf } from "../../../src/events/event-kind.ts";
import { dispositions, exitEvents } from "../../../src/exit/ca-codes.ts";
import { lockDirectory } from "../../../src/files/directory-lock.ts";
import type { UnpublishedFacts } from "../../../src/health/facts.ts";
import { ReportedFindings } from "../../../src/reconcile/reported-findings.ts";
import { nextTime } from "../../../src/reconcile/schedule.ts";
import type { Observation } from "../../../src/service/live-status.ts";
import { Service } from "../../../src/service/service.ts";
import { collectLog } from "../../support/collect-log.ts";
import { fixture } from "../../support/exit-records.ts";
import { type CaRow, FakeCaDatabase } from "../../support/fake-ca-database.ts";
import { published } from "../../support/published-files.ts";
import { ReconcileScene } from "../../support/reconcile-scene.ts";
import { settled, until } from "../../support/until.ts";

const second = 1000;
const minute = 60_000;
const day = 86_400_000;
/** How long a sink is left alone after an error of the state directory, in ms. */
const sinkAgain = 60_000;

/** A service with a schedule of every day, and a clock that stands shortly before the next time until it waits for it. */
class ScheduledService {
  readonly scene: ReconcileScene;
  readonly root: string;
  readonly lines: Record<string, unknown>[];
  openDatabase: () => CaDatabase;
  readonly #log;
  readonly #config: ResolvedConfig;
  #nowMs = Date.now();

  constructor(t: TestContext, sinks: readonly object[] = [{ name: "files", url: "file:events" }]) {
    this.scene = new ReconcileScene(t);
    this.root = this.scene.state;
    this.openDatabase = () => this.scene.caDatabase();
    const { log, lines } = collectLog();
    this.#log = log;
    this.lines = lines;
    const now = new Date();
    const at = (now.getHours() * 60 + now.getMinutes() + 720) % 1440;
    const text = JSON.stringify({
      journal: { directory: this.scene.journal },
      state: { directory: this.scene.state },
      reconcile: { at: `${Math.floor(at / 60)}:${String(at % 60).padStart(2, "0")}` },
      sinks,
    });
    this.#config = parseConfig(join(this.root, "certwire.json"), text);
    t.mock.method(clock, "time", () => this.#nowMs);
    this.scene.database.now = () => this.#nowMs;
  }

  /** Runs until the observation is as wanted, and ends. `isLater`: at the next scheduled time, which is the default. */
  async run(
    t: TestContext,
    isDone: (observation: Observation) => boolean,
    isLater = true,
  ): Promise<Observation> {
    await this.scene.flushed();
    const { reconcile: schedule } = this.#config;
    assert.ok(schedule);
    if (isLater) this.#nowMs = nextTime(schedule, this.#nowMs) - 1;
    const service = await Service.create({
      config: this.#config,
      log: this.#log,
      caDatabase: () => this.openDatabase(),
    });
    const stop = new AbortController();
    t.after(() => stop.abort());
    const running = service.run(stop.signal);
    const found = await until(async () => {
      const observation = await service.observe();
      if (isLater && observation.reconcile?.overdueMs !== undefined) this.#nowMs += 1;
      return isDone(observation) && observation;
    }, "the service has done it");
    stop.abort();
    await running;
    return found;
  }

  /** Runs until one more comparison is complete and all reports are published. */
  async compare(t: TestContext, sinks = ["files"]): Promise<Observation> {
    const before = await this.#lastMs();
    return this.run(t, ({ reconcile }) => {
      const { lastMs = 0 } = reconcile ?? {};
      return lastMs > before && sinks.every((sink) => this.#hasAll(sink));
    });
  }

  /** Lets time pass, in ms. */
  pass(ms: number): void {
    this.#nowMs += ms;
  }

  #hasAll(sink: string): boolean {
    const { paths } = this.scene;
    const [head = "", ...reports] = readFileSync(paths.reported, "utf8").trimEnd().split("\n");
    const { next } = JSON.parse(head) as { next: number };
    if (reports.length === 0) return true;
    try {
      const { number } = JSON.parse(readFileSync(paths.reportedTo(sink), "utf8")) as {
        number: number;
      };
      return number === next - 1;
    } catch {
      return false;
    }
  }

  async #lastMs(): Promise<number> {
    return (await ReportedFindings.open(this.scene.paths.reported)).state.last?.startedMs ?? 0;
  }

  findings(directory = "events"): CertwireEvent[] {
    return published(join(this.root, directory, "reconcile"));
  }

  logged(message: string): Record<string, unknown>[] {
    return this.lines.filter(({ msg }) => msg === message);
  }
}

function issuedRow({ begin }: ReconcileScene, id: number): CaRow {
  const certificate = ReconcileScene.certificate(id);
  return {
    id,
    disposition: dispositions.issued,
    submitted: begin,
    resolved: begin + second,
    certificate,
  };
}

/** Lets waits of some lengths, in ms, take another time; the others take theirs. */
function mockWaits(t: TestContext, lengthOf: (ms: number) => number): void {
  const { delay } = clock;
  t.mock.method(clock, "delay", (ms: number, options?: Delay) =>
    delay.call(clock, lengthOf(ms), options),
  );
}

/** Reasons about comparisons: the clock runs away from the exit module, which is one too. */
function reasonsOf({ reasons }: Observation["status"]): (string | undefined)[][] {
  return reasons
    .filter(({ code }) => code.startsWith("reconcile-"))
    .map(({ code, detail }) => [code, detail]);
}

function shown(events: readonly CertwireEvent[]): unknown[] {
  return events.map(({ subject, data }) => [subject, data["state"], data["class"]]);
}

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
  await service.compare(t);
  assert.deepEqual(shown(service.findings()), [["request/3", "open", "missing"]]);
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
  mockWaits(t, (ms) => (ms === 600_000 ? 1 : ms));
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
  const { readFacts, readCrlPartitions } = FakeCaDatabase.prototype;
  const unreachable = { hresult: 0x8007_06ba, call: "GetCAProperty" };
  let answersAfter = 3;
  t.mock.method(scene.database, "readFacts", async () => {
    answersAfter -= 1;
    if (answersAfter >= 0) throw Object.assign(new Error("unreachable"), unreachable);
    return readFacts.call(scene.database);
  });
  // The last that is asked for.
  t.mock.method(scene.database, "readCrlPartitions", async () => {
    answersAfter = Number.POSITIVE_INFINITY;
    return readCrlPartitions.call(scene.database);
  });
  const { status } = await service.compare(t);
  assert.deepEqual(reasonsOf(status), [["reconcile-findings", "1 missing"]]);
});

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

  let asked = 0;
  database.readFacts = async () => {
    asked += 1;
    return { ...whole, roles: asked < 3 ? 0 : 0x100 };
  };
  const waits: number[] = [];
  const delay = clock.delay.bind(clock);
  // A minute passes at once, until the CA lets the account read.
  t.mock.method(clock, "delay", async (ms: number, options: Parameters<typeof delay>[1]) => {
    if (ms !== minute || asked === 3) return delay(ms, options);
    waits.push(ms);
    service.pass(ms);
    return delay(0, options);
  });
  const later = await service.run(t, (found) => found.reconcile?.mayRead === true, false);
  assert.deepEqual(reasonsOf(later.status), []);
  assert.deepEqual([asked, waits.length], [3, 20], "every 10 minutes, until it may");
  assert.equal(later.reconcile?.failures, 0, "no comparison has failed");
  assert.equal(service.logged(message).length, 2, "once for each start");
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
  scene.happen(exitEvents.issued, issuedRow(scene, 2));
  for (let id = 3; id < 2013; id += 1) scene.database.put(issuedRow(scene, id));
  for (const _ of ["first", "next"]) {
    const { reconcile, status } = await service.compare(t);
    assert.equal(reconcile?.unlisted, 10);
    assert.deepEqual(reasonsOf(status), [["reconcile-findings", "2000 missing, 10 too many"]]);
  }
  const known = new Set(service.findings().map(({ subject }) => subject));
  for (let id = 3; id < 2013; id += 1) {
    if (known.has(`request/${id}`)) scene.record(exitEvents.issued, issuedRow(scene, id));
  }
  const { reconcile, status } = await service.compare(t);
  assert.equal(reconcile?.unlisted, 0);
  assert.deepEqual(reasonsOf(status), [["reconcile-findings", "10 missing"]]);
  assert.equal(new Set(service.findings().map(({ subject }) => subject)).size, 2010);
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
