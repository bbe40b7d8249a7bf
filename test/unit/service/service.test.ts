import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import pino, { type Logger } from "pino";
import { parseConfig } from "../../../src/config/load.ts";
import { EventLog } from "../../../src/event-log/event-log.ts";
import { packageVersion } from "../../../src/files/package-version.ts";
import { Service } from "../../../src/service/service.ts";
import { collectLog } from "../../support/collect-log.ts";
import { holdFlushes } from "../../support/failing-flush.ts";
import { startFakeRabbitMq } from "../../support/fake-rabbitmq.ts";
import { flushed, journalDirectory, openSmall, record } from "../../support/small-journal.ts";
import { settled, turns, until } from "../../support/until.ts";

/** One start of the CA; its journal is sealed. */
async function workOnce(journal: string, first: number, last: number): Promise<void> {
  const simulator = openSmall(journal);
  record(simulator, first, last);
  await flushed(simulator);
  simulator.shutdown();
  simulator.close();
}

function createService(
  journal: string,
  sink: object = { name: "files", url: "file:events" },
  log = pino({ level: "silent" }),
  eventLog?: EventLog,
): Promise<Service> {
  const root = dirname(journal);
  const text = JSON.stringify({
    journal: { directory: journal },
    state: { directory: join(root, "state") },
    sinks: [sink],
  });
  const config = parseConfig(join(root, "certwire.json"), text);
  return Service.create({ config, log, ...(eventLog && { eventLog }) });
}

/** A service that runs until it is stopped, and the counters of its sink. */
async function startService(context: TestContext, journal: string, sink: object, log?: Logger) {
  const service = await createService(journal, sink, log);
  const stop = new AbortController();
  context.after(() => stop.abort());
  const running = service.run(stop.signal);
  const end = async (): Promise<void> => {
    stop.abort();
    await running;
  };
  return { stats: () => service.stats()[0], end };
}

/** Runs a service until its sink has this many events; its counters at the end. */
async function publish(journal: string, events: number) {
  const service = await createService(journal);
  const stop = new AbortController();
  const running = service.run(stop.signal);
  const acknowledged = () => service.stats()[0]?.acknowledgedEvents ?? 0;
  await until(() => acknowledged() >= events, `${events} events are published`);
  stop.abort();
  await running;
  return service.stats()[0];
}

test("a service reports for each sink what its reader found, also that its checkpoint's position is gone", async (context) => {
  const journal = journalDirectory(context);
  await workOnce(journal, 1, 50);
  const first = await publish(journal, 50);
  assert.equal(first?.reader?.positionLost, false);
  assert.equal(first?.reader?.unmarkedFrames, 0);
  assert.equal(first?.reader?.framesRead, 50);
  for (const name of readdirSync(journal)) rmSync(join(journal, name));
  await workOnce(journal, 51, 60);
  const second = await publish(journal, 11); // with the gap that reports it
  assert.equal(second?.reader?.positionLost, true);
  assert.equal(second?.reader?.gapsFound, 1);
});

test("a state directory has one service at a time, and is free when it has ended", async (context) => {
  const journal = journalDirectory(context);
  const service = await createService(journal);
  await assert.rejects(createService(journal), { code: "CERTWIRE_DIRECTORY_IN_USE" });
  await service.run(AbortSignal.abort());
  await (await createService(journal)).run(AbortSignal.abort());
});

test("no event is published before the id of its CA is on disk, and a hanging disk holds up no stop", async (context) => {
  const journal = journalDirectory(context);
  await workOnce(journal, 1, 5);
  const flushes = await holdFlushes(context, "ca-ids.ndjson");
  const published = (service: Service) => service.stats()[0]?.publishedEvents;
  const stopped = await createService(journal);
  const stop = new AbortController();
  const running = stopped.run(stop.signal);
  context.after(() => {
    stop.abort();
    flushes.release();
  });
  await until(() => flushes.held() === 1, "the id is being written");
  await turns();
  assert.equal(published(stopped), 0);
  stop.abort();
  await settled(running, "the service has stopped");
  assert.equal(published(stopped), 0);
  flushes.release();
  const last = await publish(journal, 5);
  assert.equal(last?.acknowledgedEvents, 5);
});

test("a kind that RabbitMQ has routed waits after a restart while it is returned; with another exchange it is given up", async (context) => {
  const journal = journalDirectory(context);
  let isDown = false;
  const broker = await startFakeRabbitMq(() => (isDown ? "return" : true));
  context.after(() => broker.stop());
  const quick = { deadLetterAfterSeconds: 0, retryInitialMs: 1, retryMaxMs: 5 };
  const rabbit = { name: "rabbit", url: `${broker.url}/?exchange=one`, ...quick };
  await workOnce(journal, 1, 1);
  const first = await startService(context, journal, rabbit);
  await until(() => first.stats()?.acknowledgedEvents === 1, "the kind is routed");
  await first.end();
  isDown = true;
  await workOnce(journal, 2, 2);
  const second = await startService(context, journal, rabbit);
  const refusals = () => second.stats()?.failures.unroutable ?? 0;
  await until(() => refusals() > 20, "the event is returned often");
  assert.equal(second.stats()?.deadLetters.unroutable, 0);
  assert.equal(second.stats()?.state, "alarm");
  await second.end();

  const other = { ...rabbit, url: `${broker.url}/?exchange=two` };
  const third = await startService(context, journal, other);
  await until(() => third.stats()?.deadLetters.unroutable === 1, "it was never routed there");
  await third.end();
});

test("routed kinds that cannot be read are reported, and hold up nothing", async (context) => {
  const journal = journalDirectory(context);
  const broker = await startFakeRabbitMq(() => true);
  context.after(() => broker.stop());
  const file = join(dirname(journal), "state", "routed-kinds", "rabbit.json");
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, "damaged");
  await workOnce(journal, 1, 1);
  const { log, lines } = collectLog();
  const rabbit = { name: "rabbit", url: broker.url };
  const { stats, end } = await startService(context, journal, rabbit, log);
  await until(() => stats()?.acknowledgedEvents === 1, "the event is published");
  await end();
  const warnings = lines.filter(({ level }) => level === 40).map(({ msg }) => msg);
  assert.deepEqual(warnings, ["cannot read which kinds of events were routed"]);
  assert.deepEqual(JSON.parse(readFileSync(file, "utf8")).kinds, [
    "certificate.issued\0certwire\0certificate.issued",
  ]);
});

test("a dead letter that the drain of a stop still makes is in the event log, before the stop", async (context) => {
  const journal = journalDirectory(context);
  const broker = await startFakeRabbitMq(() => "return");
  context.after(() => broker.stop());
  await workOnce(journal, 1, 1);
  const entries: string[] = [];
  const eventLog = new EventLog({
    write: async (id, texts) => void entries.push([id, ...texts].join(" ")),
  });
  const flushes = await holdFlushes(context, "rabbit.ndjson");
  context.after(flushes.release);
  const rabbit = { name: "rabbit", url: `${broker.url}/?exchange=one`, deadLetterAfterSeconds: 0 };
  const service = await createService(journal, rabbit, pino({ level: "silent" }), eventLog);
  const stop = new AbortController();
  context.after(() => stop.abort());
  const running = service.run(stop.signal);
  await until(() => flushes.held() === 1, "the dead letter is being written");
  stop.abort();
  // A last look that did not wait for the drain has begun by now, and is over before the letter is there.
  await turns();
  await service.observe();
  await turns();
  flushes.release();
  await running;
  await eventLog.flush();
  assert.deepEqual(entries, [`50 ${packageVersion()} ${journal} rabbit`, "54 rabbit 1", "51 0"]);
});
