import assert from "node:assert/strict";
import fc from "fast-check";
import { type JournalStep, journalScripts } from "./journal-script.ts";
import { type KafkaStep, kafkaScripts } from "./kafka-script.ts";
import { ModelJournal } from "./model-journal.ts";
import { ModelKafka } from "./model-kafka.ts";
import { ModelRabbitMq } from "./model-rabbitmq.ts";
import { ModelRabbitMqCluster } from "./model-rabbitmq-cluster.ts";
import { playJournal } from "./play-journal.ts";
import { playKafka } from "./play-kafka.ts";
import { playRabbitMq } from "./play-rabbitmq.ts";
import { playRabbitMqCluster } from "./play-rabbitmq-cluster.ts";
import { type ClusterStep, rabbitMqClusterScripts } from "./rabbitmq-cluster-script.ts";
import { type RabbitMqStep, rabbitMqScripts } from "./rabbitmq-script.ts";
import { startGuardedRabbitMq } from "./real-broker.ts";
import { RealJournal } from "./real-journal.ts";
import { RealKafka, startGuardedKafka } from "./real-kafka.ts";
import { RealRabbitMq } from "./real-rabbitmq.ts";
import { RealRabbitMqCluster } from "./real-rabbitmq-cluster.ts";

/** What the models are compared with. */
export const targets = [
  "kafka",
  "rabbitmq",
  "kafka-cluster",
  "rabbitmq-restarts",
  "rabbitmq-cluster",
  "journal",
] as const;

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
  const cluster = await startGuardedRabbitMq(1);
  return {
    scripts: rabbitMqScripts(restarts),
    async play(script) {
      const model = await playRabbitMq(script, new ModelRabbitMq(cluster.version));
      const real = await playRabbitMq(script, new RealRabbitMq(cluster));
      return { model, real };
    },
    stop: () => cluster.stop(),
  };
}

async function compareRabbitMqCluster(): Promise<Comparison<ClusterStep>> {
  const cluster = await startGuardedRabbitMq(3);
  return {
    scripts: rabbitMqClusterScripts,
    async play(script) {
      const model = await playRabbitMqCluster(script, new ModelRabbitMqCluster(cluster.version));
      const real = await playRabbitMqCluster(script, new RealRabbitMqCluster(cluster));
      return { model, real };
    },
    stop: () => cluster.stop(),
  };
}

async function compareJournal(): Promise<Comparison<JournalStep>> {
  return {
    scripts: journalScripts,
    async play(script) {
      const subject = new RealJournal();
      const real = await playJournal(script, subject);
      const model = await playJournal(script, new ModelJournal(subject.layout));
      return { model, real };
    },
    stop: async () => undefined,
  };
}

type AnyStep = KafkaStep | RabbitMqStep | ClusterStep | JournalStep;

const comparisons: Readonly<Record<Target, () => Promise<Comparison<AnyStep>>>> = {
  kafka: () => compareKafka(1),
  "kafka-cluster": () => compareKafka(3),
  rabbitmq: () => compareRabbitMq(false),
  "rabbitmq-restarts": () => compareRabbitMq(true),
  "rabbitmq-cluster": compareRabbitMqCluster,
  journal: compareJournal,
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
  const said = outcome.replace(/^[[{].*[\]}]/, "answered");
  const name = action === undefined ? "read back" : `${action} ${said}`;
  outcomes.set(name, (outcomes.get(name) ?? 0) + 1);
}
