import assert from "node:assert/strict";
import { after, before, suite, type TestContext, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import type { JournalPosition } from "../../src/journal/position.ts";
import { assertDelivered } from "../contract/sink-contract.ts";
import { countDuplicates } from "../support/flow.ts";
import { GrowingJournal } from "../support/growing-journal.ts";
import {
  type Death,
  type MortalBroker,
  startMortalKafka,
  startMortalRabbitmq,
} from "../support/mortal-brokers.ts";
import { RunningService } from "../support/running-service.ts";
import { scaled } from "../support/scale.ts";
import { until } from "../support/until.ts";
import { startAll } from "./support/start-all.ts";

/** Events that are recorded at once: before a sink dies, beside the dead one, and after a restart. */
const portion = scaled(2000, { least: 500 });
/** The dead sink dies once it has had this many of the first portion. */
const hadBeforeDeath = 200;
const requests = 500;
/** Most events that the sink which dies holds, fewer than a portion; for the other one it is the default. */
const inFlight = { dead: 250, live: 4096 };

type Kind = "kafka" | "rabbitmq";

/** Which sink lives, which one dies, and how. */
interface Case {
  readonly live: Kind;
  readonly dead: Kind;
  readonly death: Death;
}

/** One journal and how a service over it is started, again and again on the same checkpoints. */
interface Stage {
  readonly place: string;
  readonly journal: GrowingJournal;
  readonly start: () => Promise<RunningService>;
}

suite("two sinks of one service, one of them dead", () => {
  let brokers: Record<Kind, MortalBroker>;
  let places = 0;
  before(async () => {
    const [kafka, rabbitmq] = await startAll(startMortalKafka(), startMortalRabbitmq());
    brokers = { kafka, rabbitmq };
  });
  after(async () => {
    await Promise.all(Object.values(brokers ?? {}).map((broker) => broker.stop()));
  });

  async function prepare(t: TestContext, { live, dead }: Case): Promise<Stage> {
    places += 1;
    const place = `isolation-${places}`;
    await brokers.kafka.makePlace(place);
    const journal = new GrowingJournal(t, requests);
    const settings = { maxInFlightEvents: inFlight.dead };
    const sinks = [brokers[live].sink(place), brokers[dead].mortalSink(place, settings)];
    return { place, journal, start: () => RunningService.start(t, journal.directory, sinks) };
  }

  /**
   * Each sink has each event of the journal, in the order of each key, and few of them twice. `interruptions`:
   * how often the connection of the sink that dies was lost with events in flight.
   */
  async function assertArrived(
    t: TestContext,
    { live, dead }: Case,
    { place, journal }: Stage,
    interruptions: number,
  ) {
    const ids = journal.eventIds();
    const sent = ids.map((id) => ({ id }));
    const most = { [live]: inFlight.live, [dead]: inFlight.dead * interruptions };
    for (const kind of [live, dead]) {
      const arrived = await brokers[kind].read(place);
      assertDelivered(arrived, sent);
      const duplicates = countDuplicates(arrived);
      t.diagnostic(`${kind}: ${ids.length} events, 0 missing, ${duplicates} duplicates`);
      assert.ok(duplicates <= (most[kind] ?? 0), `${duplicates} duplicates, more than its windows`);
    }
  }

  for (const [live, dead] of [
    ["kafka", "rabbitmq"],
    ["rabbitmq", "kafka"],
  ] as const) {
    for (const way of ["refused", "stopped with SIGSTOP", "a black hole"] as const) {
      test(`${live} gets everything while ${dead} is ${way}, and ${dead} catches up from its own cursor`, async (t) => {
        const combination = { live, dead, death: brokers[dead].deaths[way] };
        t.after(combination.death.revive);
        const stage = await prepare(t, combination);
        const interruptions = await outlive(stage, combination, way === "a black hole");
        await assertArrived(t, combination, stage, interruptions);
      });
    }
  }
});

/**
 * Lets a sink die while the live one goes on, then come back and catch up. Returns how often it was
 * interrupted: its death, and each publish before or after it that failed, since a busy machine answers late.
 */
async function outlive(
  { journal, start }: Stage,
  { live, dead, death }: Case,
  isRestarted: boolean,
): Promise<number> {
  let service = await start();
  journal.append(portion);
  await service.reached(dead, hadBeforeDeath);
  await death.die();
  const failedAlive = failedPublishes(service, dead);
  // More than the dead sink may hold, whatever it had before it died.
  journal.append(portion);
  await service.acknowledged(live, 2 * portion);
  const cursor = await cursorOfDead(service, dead);
  journal.append(portion);
  await service.acknowledged(live, 3 * portion);
  const held = service.stats(dead).inFlightEvents;
  assert.ok(held <= inFlight.dead, `${held} events are held for the dead sink`);
  assert.deepEqual(await service.checkpoint(dead), cursor, "the cursor of the dead sink stands");
  if (isRestarted) {
    await service.stop();
    service = await start();
    await assertLiveGoesOn(service, live, journal);
    assert.deepEqual(await service.checkpoint(dead), cursor, "a restart does not move it");
  }
  const failedDead = failedPublishes(service, dead);
  await death.revive();
  await service.reached(dead, journal.lastSequence);
  const interruptions = 1 + failedAlive + failedPublishes(service, dead) - failedDead;
  if (isRestarted) assert.equal(service.firstSequence(dead), Number(cursor.sequence) + 1);
  await service.stop();
  const end = BigInt(journal.lastSequence);
  for (const sink of [live, dead]) assert.equal((await service.checkpoint(sink))?.sequence, end);
  return interruptions;
}

function failedPublishes(service: RunningService, kind: Kind): number {
  return Object.values(service.stats(kind).failures).reduce((sum, count) => sum + count, 0);
}

/** Waits until the service knows that a sink is dead and has saved how far it was. */
async function cursorOfDead(service: RunningService, dead: Kind): Promise<JournalPosition> {
  const savedCursor = async () => {
    const { state, position } = service.stats(dead);
    const isSaved = isDeepStrictEqual(await service.checkpoint(dead), position);
    return state !== "publishing" && isSaved && position;
  };
  return until(savedCursor, `the cursor of ${dead}, which is dead, is saved`, {
    state: () => service.stats(dead),
  });
}

/** After a restart new events go to the live sink, and nothing that it has had before. */
async function assertLiveGoesOn(
  service: RunningService,
  live: Kind,
  journal: GrowingJournal,
): Promise<void> {
  const next = journal.lastSequence + 1;
  journal.append(portion);
  await service.acknowledged(live, portion);
  assert.equal(service.firstSequence(live), next);
  assert.equal(service.stats(live).acknowledgedEvents, portion);
}
