import assert from "node:assert/strict";
import fc from "fast-check";
import { localProvider } from "../../integration/support/brokers.ts";
import { type KafkaStep, kafkaScripts } from "./kafka-script.ts";
import { ModelKafka } from "./model-kafka.ts";
import { ModelRabbitMq } from "./model-rabbitmq.ts";
import { playKafka } from "./play-kafka.ts";
import { playRabbitMq } from "./play-rabbitmq.ts";
import { type RabbitMqStep, rabbitMqScripts } from "./rabbitmq-script.ts";
import { RealKafka, startGuardedKafka } from "./real-kafka.ts";
import { RealRabbitMq } from "./real-rabbitmq.ts";

/** Real brokers that the models are compared with. */
export const targets = ["kafka", "rabbitmq", "kafka-cluster", "rabbitmq-restarts"] as const;

export type Target = (typeof targets)[number];

export function isTarget(name: string): name is Target {
  return targets.some((target) => target === name);
}

interface Comparison<Step> {
  readonly scripts: fc.Arbitrary<readonly Step[]>;
  play(script: readonly Step[]): Promise<{ readonly model: string[]; readonly real: string[] }>;
  stop(): Promise<void>;
}

async function compareKafka(nodes: 1 | 3): Promise<Comparison<KafkaStep>> {
  const cluster = await startGuardedKafka(nodes);
  return {
    scripts: kafkaScripts(nodes > 1),
    async play(script) {
      const model = await playKafka(script, new ModelKafka(nodes));
      const real = await RealKafka.use(cluster, (subject) => playKafka(script, subject));
      return { model, real };
    },
    stop: () => cluster.stop(),
  };
}

async function compareRabbitMq(restarts: boolean): Promise<Comparison<RabbitMqStep>> {
  const cluster = await localProvider.startRabbitmq();
  const version = await RealRabbitMq.prepare(cluster).catch(async (error: unknown) => {
    await cluster.stop();
    throw error;
  });
  return {
    scripts: rabbitMqScripts(restarts),
    async play(script) {
      const model = await playRabbitMq(script, new ModelRabbitMq(version));
      const real = await playRabbitMq(script, new RealRabbitMq(cluster));
      return { model, real };
    },
    stop: () => cluster.stop(),
  };
}

const comparisons: Readonly<Record<Target, () => Promise<Comparison<KafkaStep | RabbitMqStep>>>> = {
  kafka: () => compareKafka(1),
  "kafka-cluster": () => compareKafka(3),
  rabbitmq: () => compareRabbitMq(false),
  "rabbitmq-restarts": () => compareRabbitMq(true),
};

/** Which scripts are played. */
export interface ConformanceOptions {
  /** Each script has a seed of its own; they follow each other. */
  readonly firstSeed: number;
  readonly scripts: number;
  /** Whether to look for the shortest script that shows a difference. */
  readonly shrinks: boolean;
}

/**
 * Plays scripts on a model and on real brokers, and returns how many steps of each outcome there were. Rejects with the
 * first difference, and with the command that repeats it.
 */
export async function conform(
  target: Target,
  { firstSeed, scripts, shrinks }: ConformanceOptions,
): Promise<string> {
  const comparison = await comparisons[target]();
  const outcomes = new Map<string, number>();
  const property = fc.asyncProperty(comparison.scripts, async (script) => {
    const { model, real } = await comparison.play(script);
    assert.deepEqual(model, real, "the model (actual) differs from the real broker (expected)");
    for (const line of real) count(outcomes, line);
  });
  try {
    for (let seed = firstSeed; seed < firstSeed + scripts; seed += 1) {
      const parameters = { seed, numRuns: 1, endOnFailure: !shrinks };
      const { failed, errorInstance, counterexample } = await fc.check(property, parameters);
      if (!failed) continue;
      const again = `again: npm run simulate:conformance -- ${target} --seed ${seed} --scripts 1`;
      const reason = errorInstance instanceof Error ? (errorInstance.stack ?? "") : "";
      throw new Error(`${again}\n${JSON.stringify(counterexample)}\n${reason}`);
    }
  } finally {
    await comparison.stop();
  }
  const sorted = [...outcomes].toSorted(([, a], [, b]) => b - a);
  return `${scripts} scripts, ${sorted.map(([outcome, times]) => `${times} ${outcome}`).join(", ")}`;
}

/** Counts what the line of a step, or of something read back, says. */
function count(outcomes: Map<string, number>, line: string): void {
  const [, action, outcome = ""] = /^\d+ \{"do":"([^"]+)".*\}: (.*)$/.exec(line) ?? [];
  if (outcome === "-") return;
  const isListed = /^[[{]/.test(outcome);
  const name = action === undefined ? "read back" : `${action} ${isListed ? "answered" : outcome}`;
  outcomes.set(name, (outcomes.get(name) ?? 0) + 1);
}
