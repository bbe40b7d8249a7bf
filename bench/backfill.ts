// How long a live event waits beside a backfill to the same sink, and without one: from its record to the broker's
// acknowledgement, at the same rate, in turns. Prints the 99th percentiles and their ratio, and writes them as JSON:
//   node backfill.js [--seconds 20] [--rounds 3] [--live 100] [--rates 100,1000] [--only kafka|rabbitmq] [--out FILE]
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { dispositions, exitEvents } from "../src/exit/ca-codes.ts";
import { stateLayout } from "../src/state/layout.ts";
import { repoRoot } from "../test/integration/support/repo-root.ts";
import type { BackfillTask } from "../test/support/mortal-backfill.ts";
import {
  type MortalBroker,
  startMortalKafka,
  startMortalRabbitmq,
} from "../test/support/mortal-brokers.ts";
import type { UrlEntry } from "../test/support/patient-entry.ts";
import { ReconcileScene } from "../test/support/reconcile-scene.ts";
import { RunningService } from "../test/support/running-service.ts";
import { until } from "../test/support/until.ts";
import { type Percentiles, percentiles } from "./percentiles.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "20" },
    rounds: { type: "string", default: "3" },
    live: { type: "string", default: "100" },
    rates: { type: "string", default: "100,1000" },
    only: { type: "string" },
    out: { type: "string", default: join(repoRoot, "build", "bench-backfill.json") },
  },
});
const seconds = Number(values.seconds);
const rounds = Number(values.rounds);
const livePerSecond = Number(values.live);
const rates = values.rates.split(",").map(Number);
const backfillProgram = join(import.meta.dirname, "..", "test", "support", "mortal-backfill.js");
/** The first two records of an epoch are its own and that of the start of the CA. */
const firstSequence = 3;
/** How long a backfill takes to come to its first event, in ms. */
const beginMs = 3000;

/** Times from record to acknowledgement, in ms. */
interface Row {
  readonly broker: string;
  /** Events a second that the backfill may publish. */
  readonly rate: number;
  /** Events a second that it has published. */
  readonly published: number;
  readonly alone: Percentiles;
  readonly beside: Percentiles;
  /** The 99th percentile beside the backfill divided by that without. */
  readonly ratio: number;
}

const cleanUps: (() => unknown)[] = [];
const context = { after: (cleanUp: () => unknown) => void cleanUps.push(cleanUp) };

/** A service that publishes what happens at a CA. */
class Stage {
  readonly #scene: ReconcileScene;
  readonly #recordedAt: number[] = [];
  readonly #waits: number[] = [];

  constructor(scene: ReconcileScene) {
    this.#scene = scene;
  }

  /** Takes what a sink has acknowledged. */
  readonly acknowledged = (sequences: readonly number[]): void => {
    const now = performance.now();
    for (const sequence of sequences) {
      const recordedAt = this.#recordedAt[sequence - firstSequence];
      if (recordedAt !== undefined) this.#waits.push(now - recordedAt);
    }
  };

  /** Records events for a while, and returns how long each has waited. */
  async run(): Promise<number[]> {
    const before = this.#waits.length;
    const first = this.#recordedAt.length;
    const beganAt = performance.now();
    const wanted = () => Math.min(seconds, (performance.now() - beganAt) / 1000) * livePerSecond;
    while (performance.now() - beganAt < seconds * 1000) {
      while (this.#recordedAt.length - first < wanted()) this.#record();
      await delay(1);
    }
    const count = this.#recordedAt.length - first;
    const isDone = () => this.#waits.length - before >= count;
    await until(isDone, "all live events are acknowledged");
    return this.#waits.slice(before);
  }

  #record(): void {
    const { begin } = this.#scene;
    const id = 10_000_000 + this.#recordedAt.length;
    this.#recordedAt.push(performance.now());
    this.#scene.record(exitEvents.issued, {
      id,
      disposition: dispositions.issued,
      submitted: begin,
      resolved: begin,
      certificate: ReconcileScene.certificate(id),
    });
  }
}

async function benchBroker(kind: string, broker: MortalBroker): Promise<Row[]> {
  const rows: Row[] = [];
  for (const rate of rates) {
    const place = `backfill-${rate}`;
    await broker.makePlace(place);
    const entry = { ...broker.sink(place), name: "sink" };
    const scene = new ReconcileScene(context);
    const stage = new Stage(scene);
    const service = await RunningService.start(context, scene.journal, [entry], stage.acknowledged);
    await stage.run(); // connections and compiler
    const [alone, beside]: [number[], number[]] = [[], []];
    for (let round = 1; round <= rounds; round += 1) {
      alone.push(...(await stage.run()));
      const state = join(scene.state, String(round));
      const backfill = startBackfill(scene, state, entry as unknown as UrlEntry, rate);
      await delay(beginMs);
      beside.push(...(await stage.run()));
      backfill.kill("SIGKILL");
      await once(backfill, "exit");
    }
    await service.stop();
    const [first, second] = [percentiles(alone), percentiles(beside)];
    const ratio = second.p99 / first.p99;
    const arrived = (await broker.read(place)).filter(({ id }) => id.startsWith("db-"));
    const perSecond = Math.round(arrived.length / rounds / (seconds + beginMs / 1000));
    rows.push({ broker: kind, rate, published: perSecond, alone: first, beside: second, ratio });
    process.stdout.write(
      `${kind}, backfill of ${rate}/s (${perSecond}/s seen): p99 ${first.p99.toFixed(1)} ms alone, ` +
        `${second.p99.toFixed(1)} ms beside, ratio ${ratio.toFixed(2)}\n`,
    );
  }
  return rows;
}

function startBackfill(
  { journal }: ReconcileScene,
  state: string,
  entry: UrlEntry,
  rate: number,
): ChildProcess {
  const checkpoint = stateLayout(join(dirname(journal), "state")).checkpoint("sink");
  const rows = Math.ceil(rate * (seconds + 2 * (beginMs / 1000)));
  const task: BackfillTask = { journal, state, entry, rows, pace: { perSecond: rate, checkpoint } };
  const child = spawn(process.execPath, [backfillProgram, JSON.stringify(task)], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  cleanUps.push(() => child.kill("SIGKILL"));
  return child;
}

async function main(): Promise<void> {
  const rows: Row[] = [];
  try {
    for (const [kind, start] of [
      ["kafka", startMortalKafka],
      ["rabbitmq", startMortalRabbitmq],
    ] as const) {
      if (values.only !== undefined && values.only !== kind) continue;
      const broker = await start();
      try {
        rows.push(...(await benchBroker(kind, broker)));
      } finally {
        await broker.stop();
      }
    }
    mkdirSync(dirname(values.out), { recursive: true });
    const load = { seconds, rounds, livePerSecond };
    writeFileSync(values.out, `${JSON.stringify({ load, rows }, undefined, 2)}\n`);
    process.stdout.write(`written to ${values.out}\n`);
  } finally {
    for (const cleanUp of cleanUps.toReversed()) await cleanUp();
  }
}

await main();
