import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { CertwireEvent } from "../../src/events/event.ts";
import { readCheckpoint } from "../../src/state/checkpoint-store.ts";
import { stateLayout } from "../../src/state/layout.ts";
import { eventContext, eventsOfFrame } from "../support/exit-records.ts";
import { sizeFromEnvironment } from "../support/flow.ts";
import { startCli, temporaryDirectory } from "../support/run-cli.ts";
import { readAll } from "../support/small-journal.ts";

const rounds = sizeFromEnvironment("CERTWIRE_SERVICE_KILLS", 5);
/** Limit of what is in flight to the sink. */
const maxInFlightEvents = 64;
const eventsPerSecond = 150;
/** The simulated CA works until this many events are published. */
const fewestEvents = 300;
/** A checkpoint is saved once a second; the rest is for a machine that is busy. */
const checkpointSeconds = 3;

/** Events in the order of publishing, without a line that a kill cut off. */
function published(directory: string): CertwireEvent[] {
  let names: string[] = [];
  try {
    names = readdirSync(directory)
      .filter((name) => name.endsWith(".ndjson"))
      .toSorted();
  } catch {
    return []; // killed before the sink made its directory
  }
  return names.flatMap((name) =>
    readFileSync(join(directory, name), "utf8").split("\n").flatMap(parse),
  );
}

function parse(line: string): CertwireEvent[] {
  try {
    return [JSON.parse(line) as CertwireEvent];
  } catch {
    return [];
  }
}

async function idsOfJournal(journal: string): Promise<string[]> {
  const context = eventContext();
  return (await readAll(journal)).flatMap((frame) =>
    eventsOfFrame(frame, context).map(({ id }) => id),
  );
}

test("a service killed at any moment loses nothing, and repeats only what follows its checkpoint", async (context) => {
  const root = temporaryDirectory(context);
  const [journal, events, state] = ["journal", "events", "state"].map((name) => join(root, name));
  assert.ok(journal && events && state);
  mkdirSync(journal);
  const config = join(root, "certwire.json");
  const sink = { name: "files", url: "file:events", maxInFlightEvents, maxFiles: 0 };
  const places = { journal: { directory: "journal" }, state: { directory: "state" } };
  writeFileSync(config, JSON.stringify({ ...places, sinks: [sink] }));
  const simulate = ["simulate", "-j", journal, "--rate", String(eventsPerSecond)];
  const simulator = startCli(simulate);
  context.after(() => simulator.child.kill("SIGKILL"));
  let repeated = 0;
  for (let round = 0; round < rounds; round += 1) {
    const before = published(events);
    const { position } = await readCheckpoint(stateLayout(state).checkpoint("files"));
    const service = startCli(["run", "--config", config]);
    // Every other round the kill may come before anything was published.
    if (round % 2 === 0) {
      while (published(events).length === before.length) await delay(20);
    }
    await delay(Math.random() * 1500);
    service.child.kill("SIGKILL");
    const { exitCode } = await service.ended;
    assert.equal(exitCode, null, "it did not end by itself");
    const done =
      position === null ? -1 : before.findIndex(({ id }) => id.includes(`-${position.sequence}-`));
    const earlier = new Set(before.map(({ id }) => id));
    const acknowledged = new Set(before.slice(0, done + 1).map(({ id }) => id));
    const again = published(events)
      .slice(before.length)
      .filter(({ id }) => earlier.has(id));
    assert.ok(!again.some(({ id }) => acknowledged.has(id)), "nothing before the checkpoint again");
    assert.ok(again.length <= maxInFlightEvents + eventsPerSecond * checkpointSeconds);
    repeated += again.length;
  }
  const service = startCli(["run", "--config", config]);
  context.after(() => service.child.kill("SIGKILL"));
  while (published(events).length < fewestEvents) await delay(100);
  simulator.child.kill("SIGTERM");
  assert.equal((await simulator.ended).exitCode, 0);
  const ids = await idsOfJournal(journal);
  const isThere = (): boolean => published(events).some(({ id }) => id === ids.at(-1));
  while (!isThere()) await delay(100);
  service.child.kill("SIGTERM");
  assert.equal((await service.ended).exitCode, 0);
  const all = published(events).map(({ id }) => id);
  assert.deepEqual(new Set(all), new Set(ids));
  context.diagnostic(`${ids.length} events, ${rounds} kills, ${repeated} repeated`);
});
