// How fast one sink of a service is beside a dead one, and alone: medians of as many times on each side, in
// turns. Prints the ratios, and writes them as JSON:
//   node isolation.js [--events 3500] [--rounds 3] [--out FILE]
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { repoRoot } from "../test/integration/support/repo-root.ts";
import { startAll } from "../test/integration/support/start-all.ts";
import { GrowingJournal } from "../test/support/growing-journal.ts";
import {
  type Death,
  type MortalBroker,
  startMortalKafka,
  startMortalRabbitmq,
} from "../test/support/mortal-brokers.ts";
import { RunningService, type SinkEntry } from "../test/support/running-service.ts";
import { until } from "../test/support/until.ts";

const { values } = parseArgs({
  options: {
    events: { type: "string", default: "3500" },
    rounds: { type: "string", default: "3" },
    out: { type: "string", default: join(repoRoot, "build", "bench-isolation.json") },
  },
});
/** Events whose time is taken together. */
const measured = Number(values.events);
const rounds = Number(values.rounds);
const timesPerRound = 3;
/** Events before those, for connections and compiler; the dead sink dies in the middle of them. */
const warmup = 2000;
const requests = 500;

type Kind = "kafka" | "rabbitmq";
const ways = ["refused", "stopped with SIGSTOP", "a black hole"] as const;

/** Speeds of a live sink, in events a second. */
interface Row {
  readonly live: Kind;
  readonly dead: Kind;
  readonly way: string;
  readonly alone: readonly number[];
  readonly beside: readonly number[];
  /** Median beside the dead sink divided by median alone. */
  readonly ratio: number;
}

const cleanUps: (() => unknown)[] = [];
const context = { after: (cleanUp: () => unknown) => void cleanUps.push(cleanUp) };

async function benchCase(
  brokers: Record<Kind, MortalBroker>,
  live: Kind,
  dead: Kind,
  way: (typeof ways)[number],
): Promise<Row> {
  const death = brokers[dead].deaths[way];
  const disabled = await prepare(brokers, live, dead, { enabled: false });
  const mortal = await prepare(brokers, live, dead, { maxInFlightEvents: 500 });
  const [alone, beside]: [number[], number[]] = [[], []];
  // In turns, so that whatever else the machine does meets both.
  for (let round = 1; round <= rounds; round += 1) {
    alone.push(...(await speeds(disabled, live)));
    beside.push(...(await speeds(mortal, live, { dead, death })));
  }
  const ratio = median(beside) / median(alone);
  process.stdout.write(`${live} while ${dead} is ${way}: ratio ${ratio.toFixed(2)}\n`);
  return { live, dead, way, alone, beside, ratio };
}

/** One journal, and the entries of the service that is started on it again and again. */
interface Stage {
  readonly journal: GrowingJournal;
  readonly sinks: readonly SinkEntry[];
}

let places = 0;

/** `settings` are those of the sink that dies. */
async function prepare(
  brokers: Record<Kind, MortalBroker>,
  live: Kind,
  dead: Kind,
  settings: object,
): Promise<Stage> {
  places += 1;
  const place = `isolation-${places}`;
  await brokers.kafka.makePlace(place);
  const sinks = [brokers[live].sink(place), brokers[dead].mortalSink(place, settings)];
  return { journal: new GrowingJournal(context, requests), sinks };
}

/** The speeds of a live sink; with a `victim` that one dies first, and catches up afterwards. */
async function speeds(
  { journal, sinks }: Stage,
  live: Kind,
  victim?: { readonly dead: Kind; readonly death: Death },
): Promise<number[]> {
  const service = await RunningService.start(context, journal.directory, sinks);
  const deathAfter = journal.lastSequence + 200;
  journal.append(warmup);
  if (victim) {
    await service.reached(victim.dead, deathAfter);
    await victim.death.die();
    journal.append(warmup);
    const isDead = () => service.stats(victim.dead).state !== "publishing";
    await until(isDead, `${victim.dead} is dead`);
  }
  await service.acknowledged(live, victim ? 2 * warmup : warmup);
  const found = await measure(service, live, journal);
  if (victim) {
    await victim.death.revive();
    await service.reached(victim.dead, journal.lastSequence);
  }
  await service.stop();
  return found;
}

/** Records events and lets a sink publish them, some times; events a second. */
async function measure(service: RunningService, sink: Kind, journal: GrowingJournal) {
  const found: number[] = [];
  for (let time = 1; time <= timesPerRound; time += 1) {
    const { acknowledgedEvents } = service.stats(sink);
    journal.append(measured);
    const startedAt = performance.now();
    await service.acknowledged(sink, acknowledgedEvents + measured);
    found.push(Math.round(measured / ((performance.now() - startedAt) / 1000)));
  }
  return found;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

async function main(): Promise<void> {
  const [kafka, rabbitmq] = await startAll(startMortalKafka(), startMortalRabbitmq());
  const brokers = { kafka, rabbitmq };
  try {
    const rows: Row[] = [];
    for (const way of ways) {
      rows.push(await benchCase(brokers, "kafka", "rabbitmq", way));
      rows.push(await benchCase(brokers, "rabbitmq", "kafka", way));
    }
    mkdirSync(dirname(values.out), { recursive: true });
    writeFileSync(values.out, `${JSON.stringify({ measured, rows }, undefined, 2)}\n`);
    process.stdout.write(`written to ${values.out}\n`);
  } finally {
    for (const cleanUp of cleanUps.toReversed()) await cleanUp();
    await Promise.all(Object.values(brokers).map((broker) => broker.stop()));
  }
}

await main();
