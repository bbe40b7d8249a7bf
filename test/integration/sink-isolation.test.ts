import assert from "node:assert/strict";
import { after, before, suite, type TestContext, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import type { JournalPosition } from "../../src/journal/position.ts";
import { assertDelivered } from "../contract/sink-contract.ts";
import { countDuplicates, sizeFromEnvironment } from "../support/flow.ts";
import { GrowingJournal } from "../support/growing-journal.ts";
import {
  type Death,
  type MortalBroker,
  startMortalKafka,
  startMortalRabbitmq,
} from "../support/mortal-brokers.ts";
import { RunningService } from "../support/running-service.ts";
import { waitUntil } from "./support/wait-until.ts";

/** Events whose time is taken together. */
const measured = sizeFromEnvironment("CERTWIRE_ISOLATION_EVENTS", 3500);
// A dead sink that held up the live one would bring the ratio near 0.
const least = sizeFromEnvironment("CERTWIRE_ISOLATION_RATIO", 0.7);
/** How often the time is taken of a live sink alone and then beside a dead one. */
const rounds = 3;
const timesPerRound = 3;
/** Events before those, for connections and compiler; the dead sink dies in the middle of them. */
const warmup = 2000;
const requests = 500;
/** Most events that the sink which dies holds; for the other one it is the default. */
const inFlight = { dead: 500, live: 4096 };

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
    brokers = { kafka: await startMortalKafka(), rabbitmq: await startMortalRabbitmq() };
  });
  after(async () => {
    await Promise.all(Object.values(brokers ?? {}).map((broker) => broker.stop()));
  });

  /** `settings` are those of the sink that dies. */
  async function prepare(t: TestContext, { live, dead }: Case, settings: object): Promise<Stage> {
    places += 1;
    const place = `isolation-${places}`;
    await brokers.kafka.makePlace(place);
    const journal = new GrowingJournal(t, requests);
    const sinks = [brokers[live].sink(place), brokers[dead].mortalSink(place, settings)];
    return { place, journal, start: () => RunningService.start(t, journal.directory, sinks) };
  }

  /** Each sink has each event of the journal, in the order of each key, and few of them twice. */
  async function assertArrived(t: TestContext, { live, dead }: Case, { place, journal }: Stage) {
    const ids = journal.eventIds();
    const sent = ids.map((id) => ({ id }));
    const most = { [live]: inFlight.live, [dead]: rounds * inFlight.dead };
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
      test(`${live} keeps its speed while ${dead} is ${way}, and ${dead} catches up from its own cursor`, async (t) => {
        const combination = { live, dead, death: brokers[dead].deaths[way] };
        t.after(combination.death.revive);
        const disabled = await prepare(t, combination, { enabled: false });
        const mortal = await prepare(t, combination, { maxInFlightEvents: inFlight.dead });
        const alone: number[] = [];
        const beside: number[] = [];
        // In turns, so that whatever else the machine does meets both.
        for (let round = 1; round <= rounds; round += 1) {
          const isRestarted = way === "a black hole" && round === rounds;
          alone.push(...(await speedsAlone(disabled, live)));
          beside.push(...(await speedsBeside(mortal, combination, isRestarted)));
        }
        await assertArrived(t, combination, mortal);
        assertSameSpeed(t, alone, beside);
      });
    }
  }
});

/** The speeds of a live sink while the other one is disabled and its broker lives. */
async function speedsAlone({ journal, start }: Stage, live: Kind): Promise<number[]> {
  const service = await start();
  journal.append(warmup);
  await service.acknowledged(live, warmup);
  const speeds = await measure(service, live, journal);
  await service.stop();
  return speeds;
}

/** Lets a sink die, come back and catch up; the speeds of the live one beside it. */
async function speedsBeside(
  { journal, start }: Stage,
  { live, dead, death }: Case,
  isRestarted: boolean,
): Promise<number[]> {
  let service = await start();
  const deathAfter = journal.lastSequence + 200;
  journal.append(warmup);
  await service.reached(dead, deathAfter);
  await death.die();
  await service.acknowledged(live, warmup);
  const cursor = await cursorOfDead(service, dead);
  const speeds = await measure(service, live, journal);
  const held = service.stats(dead).inFlightEvents;
  assert.ok(held <= inFlight.dead, `${held} events are held for the dead sink`);
  assert.deepEqual(await service.checkpoint(dead), cursor, "the cursor of the dead sink stands");
  if (isRestarted) {
    await service.stop();
    service = await start();
    await assertLiveGoesOn(service, live, journal);
    assert.deepEqual(await service.checkpoint(dead), cursor, "a restart does not move it");
  }
  await death.revive();
  await service.reached(dead, journal.lastSequence);
  if (isRestarted) assert.equal(service.firstSequence(dead), Number(cursor.sequence) + 1);
  await service.stop();
  const end = BigInt(journal.lastSequence);
  for (const sink of [live, dead]) assert.equal((await service.checkpoint(sink))?.sequence, end);
  return speeds;
}

/** Records events and lets a sink publish them, some times; events per second. */
async function measure(
  service: RunningService,
  sink: Kind,
  journal: GrowingJournal,
): Promise<number[]> {
  const speeds: number[] = [];
  for (let time = 1; time <= timesPerRound; time += 1) {
    const { acknowledgedEvents } = service.stats(sink);
    journal.append(measured);
    const started = performance.now();
    await service.acknowledged(sink, acknowledgedEvents + measured);
    speeds.push(measured / ((performance.now() - started) / 1000));
  }
  return speeds;
}

/** Waits until the service knows that a sink is dead and has saved how far it was. */
async function cursorOfDead(service: RunningService, dead: Kind): Promise<JournalPosition> {
  return waitUntil(
    async () => {
      const { state, position } = service.stats(dead);
      const isSaved = isDeepStrictEqual(await service.checkpoint(dead), position);
      return state !== "publishing" && isSaved && position !== null && position;
    },
    { what: `the cursor of ${dead}, which is dead` },
  );
}

/** After a restart new events go to the live sink, and nothing that it has had before. */
async function assertLiveGoesOn(
  service: RunningService,
  live: Kind,
  journal: GrowingJournal,
): Promise<void> {
  const next = journal.lastSequence + 1;
  journal.append(warmup);
  await service.acknowledged(live, warmup);
  assert.equal(service.firstSequence(live), next);
  assert.equal(service.stats(live).acknowledgedEvents, warmup);
}

/** Compares the medians of both sides, which have equally many times. */
function assertSameSpeed(
  t: TestContext,
  alone: readonly number[],
  beside: readonly number[],
): void {
  assert.equal(alone.length, beside.length);
  const ratio = median(beside) / median(alone);
  t.diagnostic(
    `ratio ${ratio.toFixed(2)}: ${list(beside)} beside the dead one, ${list(alone)} alone`,
  );
  assert.ok(ratio >= least, `ratio ${ratio.toFixed(2)}, at least ${least} is expected`);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function list(speeds: readonly number[]): string {
  return `${speeds.map((speed) => Math.round(speed)).join(", ")}/s`;
}
