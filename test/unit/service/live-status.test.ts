import assert from "node:assert/strict";
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import pino from "pino";
import { resolveHttp } from "../../../src/config/http-options.ts";
import { parseConfig } from "../../../src/config/load.ts";
import { defaultHealthLimits } from "../../../src/health/facts.ts";
import { diskPlaces } from "../../../src/health/from-config.ts";
import { keepHealthLog } from "../../../src/service/health-log.ts";
import { LiveStatus } from "../../../src/service/live-status.ts";
import { Service } from "../../../src/service/service.ts";
import { collectLog } from "../../support/collect-log.ts";
import { startFakeRabbitMq } from "../../support/fake-rabbitmq.ts";
import { sampleObservation } from "../../support/sample-observation.ts";
import {
  flushed,
  journalDirectory,
  openSmall,
  record,
  smallRequest,
} from "../../support/small-journal.ts";
import { until } from "../../support/until.ts";

function configOf(journal: string, sink: object) {
  const root = dirname(journal);
  const text = JSON.stringify({
    journal: { directory: journal },
    state: { directory: join(root, "state") },
    sinks: [sink],
  });
  return parseConfig(join(root, "certwire.json"), text);
}

async function startService(t: TestContext, journal: string, sink: object): Promise<Service> {
  const config = configOf(journal, sink);
  const service = await Service.create({ config, log: pino({ level: "silent" }) });
  const stop = new AbortController();
  const running = service.run(stop.signal);
  t.after(async () => {
    stop.abort();
    await running;
  });
  return service;
}

/** A journal whose writer lives, with this many events. */
async function livingJournal(t: TestContext, events: number) {
  const journal = journalDirectory(t);
  const simulator = openSmall(journal);
  t.after(() => simulator.close());
  record(simulator, 1, events);
  await flushed(simulator);
  return { journal, simulator };
}

/** Asks a service until the state has these codes. */
async function reasonsOf(service: Service, wanted: string) {
  return until(
    async () => {
      const { status } = await service.observe();
      return status.reasons.find(({ code }) => code === wanted);
    },
    `the health has the reason ${wanted}`,
    { everyMs: 50 },
  );
}

test("a service that publishes is ok, with what its pipelines and the journal say", async (t) => {
  const { journal, simulator } = await livingJournal(t, 20);
  const service = await startService(t, journal, { name: "files", url: "file:events" });
  const { status, views } = await until(async () => {
    const found = await service.observe();
    return found.status.sinks[0]?.backlog?.records === 0 && found;
  }, "everything is published");
  assert.deepEqual([status.state, status.reasons], ["ok", []]);
  assert.equal(status.service.state, "running");
  assert.equal(status.sinks[0]?.state, "publishing");
  assert.equal(views[0]?.tally.acknowledged.get("certificate.issued"), 20);
  const sequence = Number(status.journal?.newest?.sequence);
  record(simulator, 21, 25);
  await until(async () => {
    const { journal: now } = (await service.observe()).status;
    return Number(now?.newest?.sequence) === sequence + 5;
  }, "the end of the journal has moved on");
});

test("a sink that cannot be opened is a reason, and its backlog is known although nothing was read", async (t) => {
  const { journal } = await livingJournal(t, 20);
  const url = "amqp://127.0.0.1:1/?exchange=one";
  const sink = { name: "rabbit", url, retryMaxMs: 10, retryInitialMs: 1 };
  const service = await startService(t, journal, sink);
  const reason = await reasonsOf(service, "sink-unreachable");
  assert.equal(reason.sink, "rabbit");
  assert.ok(reason.since);
  await until(
    async () => (await service.observe()).status.state === "failing",
    "the state is failing",
  );
  const { status } = await service.observe();
  assert.ok((status.sinks[0]?.backlog?.bytes ?? 0) >= 20_000);
  assert.ok(status.sinks[0]?.backlog?.oldestTime);
});

test("events that no queue takes are a reason at once", async (t) => {
  const { journal } = await livingJournal(t, 5);
  const broker = await startFakeRabbitMq(() => "return");
  t.after(() => broker.stop());
  const url = `${broker.url}/?exchange=one`;
  const service = await startService(t, journal, { name: "rabbit", url, retryMaxMs: 10 });
  const reason = await reasonsOf(service, "events-unroutable");
  assert.equal(reason.state, "failing");
});

test("an endpoint that fails ends neither the service nor its sinks", async (t) => {
  const { journal, simulator } = await livingJournal(t, 5);
  const config = configOf(journal, { name: "files", url: "file:events" });
  const http = {
    ...resolveHttp({ listen: "127.0.0.1:9470" }, "/"),
    get token(): () => string {
      throw new Error("the endpoint's code is damaged");
    },
  };
  const { log, lines } = collectLog();
  const service = await Service.create({ config: { ...config, http }, log });
  const stop = new AbortController();
  const running = service.run(stop.signal);
  t.after(() => stop.abort());
  const line = await until(
    () => lines.find(({ msg }) => String(msg).startsWith("the HTTP endpoint has ended")),
    "the failure is logged",
  );
  assert.match(String(line["error"]), /the endpoint's code is damaged/);
  record(simulator, 6, 10);
  await until(() => service.stats()[0]?.acknowledgedEvents === 10, "all events are published");
  stop.abort();
  await running;
});

test("however many ask, journal and state are read once in a while", async (t) => {
  const { journal } = await livingJournal(t, 5);
  const config = configOf(journal, { name: "files", url: "file:events" });
  let reads = 0;
  const status = new LiveStatus({
    places: () => {
      reads += 1;
      return diskPlaces(config);
    },
    views: () => [],
    limits: defaultHealthLimits,
    maxAgeMs: 3_600_000,
  });
  const all = await Promise.all(Array.from({ length: 100 }, () => status.observe()));
  assert.equal(new Set(all).size, 1);
  assert.equal(await status.observe(), all[0]);
  assert.equal(reads, 1);
  const fresh = await status.observe(true);
  assert.notEqual(fresh, all[0]);
  assert.equal(await status.observe(), fresh);
  assert.equal(reads, 2);
});

/** Changes a byte of the first record of a journal's only segment. */
function damageFirstRecord(journal: string): void {
  const [segment = ""] = readdirSync(journal).filter((name) => name.endsWith(".cej"));
  const file = openSync(join(journal, segment), "r+");
  const at = readFileSync(join(journal, segment)).indexOf(smallRequest(1000)) + 500;
  writeSync(file, "x", at);
  closeSync(file);
}

test("a gap is a reason in every observation, not only in the first that reads it", async (t) => {
  const { journal } = await livingJournal(t, 5);
  damageFirstRecord(journal);
  const config = configOf(journal, { name: "files", url: "file:events" });
  const status = new LiveStatus({
    places: () => diskPlaces(config),
    views: () => [],
    limits: defaultHealthLimits,
    maxAgeMs: 0,
  });
  for (const time of ["first", "second", "third"]) {
    const { reasons } = (await status.observe()).status;
    assert.ok(
      reasons.some(({ code }) => code === "gap-seen"),
      `the ${time} time`,
    );
  }
});

test("what a pipeline reports is known although its checkpoint cannot be read", async (t) => {
  const { journal } = await livingJournal(t, 5);
  const config = configOf(journal, { name: "kafka", url: "file:events" });
  mkdirSync(join(config.state.directory, "checkpoints", "kafka"), { recursive: true });
  const status = new LiveStatus({
    places: () => diskPlaces(config),
    views: () => sampleObservation().views,
    limits: defaultHealthLimits,
  });
  const { status: found } = await status.observe();
  const codes = found.reasons.map(({ code, sink }) => `${code} ${sink}`);
  assert.ok(codes.includes("sink-refused kafka"), codes.join());
  assert.ok(codes.includes("state-unreadable kafka"), codes.join());
  assert.deepEqual(
    found.sinks.map(({ name, state }) => [name, state]),
    [["kafka", "alarm"]],
  );
});

test("the health is logged when a reason comes or goes, and only then", async () => {
  const failing = sampleObservation();
  const ok = { ...failing, status: { ...failing.status, state: "ok" as const, reasons: [] } };
  const series = [ok, failing, failing, failing, ok, ok];
  const { log, lines } = collectLog();
  const stop = new AbortController();
  const observe = () => {
    const next = series.shift();
    if (series.length === 0) stop.abort();
    return Promise.resolve(next ?? ok);
  };
  await keepHealthLog({ status: { observe }, log, intervalMs: 1 }, stop.signal);
  assert.deepEqual(
    lines.map(({ level, msg, reasons }) => [level, msg, reasons]),
    [
      [50, "the health is failing", ["sink-refused kafka", "certificate-ends kafka"]],
      [30, "the health is ok again", undefined],
    ],
  );
});

test("a reason that gets worse or better is logged again", async () => {
  const given = sampleObservation();
  const [reason] = given.status.reasons;
  assert.ok(reason);
  const at = (state: "degraded" | "failing") => ({
    ...given,
    status: { ...given.status, state, reasons: [{ ...reason, state }] },
  });
  const series = [at("degraded"), at("failing"), at("failing"), at("degraded"), at("degraded")];
  const { log, lines } = collectLog();
  const stop = new AbortController();
  const observe = () => {
    const next = series.shift();
    if (series.length === 0) stop.abort();
    return Promise.resolve(next ?? given);
  };
  await keepHealthLog({ status: { observe }, log, intervalMs: 1 }, stop.signal);
  assert.deepEqual(
    lines.map(({ level, msg }) => [level, msg]),
    [
      [40, "the health is degraded"],
      [50, "the health is failing"],
      [40, "the health is degraded"],
    ],
  );
});

test("a health that cannot be assessed is logged, and assessed again", async () => {
  const { log, lines } = collectLog();
  const stop = new AbortController();
  const failing = sampleObservation();
  let calls = 0;
  const observe = (): Promise<typeof failing> => {
    calls += 1;
    if (calls === 1) return Promise.reject(new Error("no memory"));
    stop.abort();
    return Promise.resolve(failing);
  };
  await keepHealthLog({ status: { observe }, log, intervalMs: 1 }, stop.signal);
  assert.deepEqual(
    lines.map(({ msg }) => msg),
    ["cannot assess the health", "the health is failing"],
  );
});
