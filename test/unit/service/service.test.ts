import assert from "node:assert/strict";
import { readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import pino from "pino";
import { parseConfig } from "../../../src/config/load.ts";
import { Service } from "../../../src/service/service.ts";
import { holdFlushes } from "../../support/failing-flush.ts";
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

function createService(journal: string): Promise<Service> {
  const root = dirname(journal);
  const text = JSON.stringify({
    journal: { directory: journal },
    state: { directory: join(root, "state") },
    sinks: [{ name: "files", url: "file:events" }],
  });
  const config = parseConfig(join(root, "certwire.json"), text);
  return Service.create({ config, log: pino({ level: "silent" }) });
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
