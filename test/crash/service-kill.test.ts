import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { CertwireEvent } from "../../src/events/event.ts";
import { kindOf } from "../../src/events/event-kind.ts";
import { readCheckpoint } from "../../src/state/checkpoint-store.ts";
import { stateLayout } from "../../src/state/layout.ts";
import { eventContext, eventsOfFrame } from "../support/exit-records.ts";
import { published, publishedLines, textsIn } from "../support/published-files.ts";
import { startCli, temporaryDirectory } from "../support/run-cli.ts";
import { sequenceOf } from "../support/sample-events.ts";
import { scaled, sizeFromEnvironment } from "../support/scale.ts";
import { readAll } from "../support/small-journal.ts";
import { until } from "../support/until.ts";

const rounds = sizeFromEnvironment("CERTWIRE_SERVICE_KILLS", 5);
const maxInFlightEvents = 64;
const eventsPerSecond = 150;
/** The simulated CA keeps working until this many events are published. */
const fewestEvents = scaled(300);
/** A service is killed after it has published fewer than this. */
const mostBeforeKill = scaled(200);

/** The cursor of a sink on disk. */
async function savedSequence(state: string, sink = "files"): Promise<bigint> {
  const { position } = await readCheckpoint(stateLayout(state).checkpoint(sink));
  return position?.sequence ?? 0n;
}

async function eventsOfJournal(journal: string): Promise<CertwireEvent[]> {
  const context = eventContext();
  return (await readAll(journal)).flatMap((frame) => eventsOfFrame(frame, context));
}

/** A sink that leaves out most events of the journal, and hides the names in the others. */
const shaped = {
  name: "shaped",
  url: "file:shaped",
  except: [{ kind: ["certificate.issued"] }],
  redact: { remove: ["request.requesterName"] },
};

/** Ids of the journal's events for that sink, up to a sequence number. */
async function shapedIds(journal: string, last: bigint): Promise<string[]> {
  return (await eventsOfJournal(journal))
    .filter((event) => kindOf(event) !== "certificate.issued" && sequenceOf(event) <= last)
    .map(({ id }) => id);
}

test("a service killed at any moment loses nothing, and repeats only what follows its checkpoint", async (context) => {
  const root = temporaryDirectory(context);
  const [journal = "", events = "", state = "", others = ""] = [
    "journal",
    "events",
    "state",
    "shaped",
  ].map((name) => join(root, name));
  mkdirSync(journal);
  const config = join(root, "certwire.json");
  const sink = { name: "files", url: "file:events", maxInFlightEvents, maxFiles: 0 };
  const places = { journal: { directory: "journal" }, state: { directory: "state" } };
  writeFileSync(config, JSON.stringify({ ...places, sinks: [sink, { ...sink, ...shaped }] }));
  const simulate = ["simulate", "-j", journal, "--rate", String(eventsPerSecond)];
  const simulator = startCli(simulate);
  context.after(() => simulator.child.kill("SIGKILL"));
  let repeated = 0;
  for (let round = 0; round < rounds; round += 1) {
    const before = published(events);
    const { position } = await readCheckpoint(stateLayout(state).checkpoint("files"));
    const service = startCli(["run", "--config", config]);
    // Every other round the kill may come before anything was published; the others see the cursor move.
    if (round % 2 === 0) {
      const isMoved = async () => (await savedSequence(state)) > (position?.sequence ?? 0n);
      await until(isMoved, "the checkpoint has moved");
    } else {
      await until(() => service.stderr() !== "", "the service has begun");
    }
    const most = publishedLines(events) + randomInt(2) * randomInt(mostBeforeKill);
    await until(() => publishedLines(events) >= most, `${most} events are published`);
    const seen = await savedSequence(state);
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
    assert.ok((await savedSequence(state)) >= seen, "the checkpoint that was seen is kept");
    const there = new Set(published(others).map(({ id }) => id));
    const owed = await shapedIds(journal, await savedSequence(state, "shaped"));
    assert.deepEqual(
      owed.filter((id) => !there.has(id)),
      [],
      "the checkpoint passes no event that the sink wants",
    );
    repeated += again.length;
  }
  const service = startCli(["run", "--config", config]);
  context.after(() => service.child.kill("SIGKILL"));
  const enough = () => publishedLines(events) >= fewestEvents;
  await until(enough, `${fewestEvents} events are published`, { everyMs: 100 });
  simulator.child.kill("SIGTERM");
  assert.equal((await simulator.ended).exitCode, 0);
  const recorded = await eventsOfJournal(journal);
  const ids = recorded.map(({ id }) => id);
  const last = `"id":"${ids.at(-1)}"`;
  const isThere = (): boolean => textsIn(events).some((text) => text.includes(last));
  await until(isThere, "the last event is published", { everyMs: 100 });
  const end = BigInt(Math.max(...recorded.map(sequenceOf)));
  const isAtEnd = async () => (await savedSequence(state, "shaped")) >= end;
  await until(isAtEnd, "the other cursor has passed what its sink does not want", { everyMs: 100 });
  service.child.kill("SIGTERM");
  assert.equal((await service.ended).exitCode, 0);
  const all = published(events).map(({ id }) => id);
  assert.deepEqual(new Set(all), new Set(ids));
  const chosen = published(others);
  assert.deepEqual([...new Set(chosen.map(({ id }) => id))], await shapedIds(journal, end));
  assert.ok(chosen.length < all.length);
  assert.ok(
    chosen.every((event) => !Object.hasOwn(Object(event.data["request"]), "requesterName")),
  );
  context.diagnostic(`${ids.length} events, ${rounds} kills, ${repeated} repeated`);
});
