import type {
  BrokerProvider,
  KafkaCluster,
  KafkaOptions,
  RabbitmqCluster,
  RabbitmqOptions,
} from "./broker-provider.ts";
import { existingKafka, existingRabbitmq } from "./existing-brokers.ts";
import { startLocalKafka } from "./local-kafka.ts";
import { startLocalRabbitmq } from "./local-rabbitmq.ts";

/** Brokers as processes of this machine. */
export const localProvider: BrokerProvider = {
  name: "local",
  startKafka: startLocalKafka,
  startRabbitmq: startLocalRabbitmq,
};

/**
 * Brokers in containers, on images built from docker/. Testcontainers is imported when it is needed: loading it
 * takes three times as long as all else that a test of a broker imports.
 */
export const containerProvider: BrokerProvider = {
  name: "testcontainers",
  async startKafka(options) {
    const { startContainerKafka } = await import("./container-kafka.ts");
    return startContainerKafka(options);
  },
  async startRabbitmq(options) {
    const { startContainerRabbitmq } = await import("./container-rabbitmq.ts");
    return startContainerRabbitmq(options);
  },
};

/** Whether a test is content with a broker that it may not harm. */
export interface Faults {
  /** True when the test kills, pauses or restarts nodes, or calls `ctl`; default false. */
  readonly faults?: boolean;
}

/**
 * Starts Kafka by the way that `chooseProvider` finds. A test of one node that does no harm takes the
 * brokers of KAFKA_BROKERS (host:port, comma-separated) where that is set.
 */
export async function startKafka(options: KafkaOptions & Faults = {}): Promise<KafkaCluster> {
  const existing = process.env["KAFKA_BROKERS"];
  if (existing && isModest(options)) return existingKafka(existing.split(","));
  return (await chooseProvider()).startKafka(options);
}

/** Starts RabbitMQ by the way that `chooseProvider` finds; AMQP_URL is taken likewise. */
export async function startRabbitmq(
  options: RabbitmqOptions & Faults = {},
): Promise<RabbitmqCluster> {
  const existing = process.env["AMQP_URL"];
  if (existing && isModest(options)) return existingRabbitmq(existing);
  return (await chooseProvider()).startRabbitmq(options);
}

function isModest(options: (KafkaOptions | RabbitmqOptions) & Faults): boolean {
  const settings = "properties" in options || "config" in options;
  return (options.nodes ?? 1) === 1 && options.faults !== true && !settings;
}

/**
 * The provider named by CERTWIRE_TEST_BROKERS (`local` or `testcontainers`); otherwise testcontainers
 * where a container engine answers, and local processes where none does and in CI.
 */
export async function chooseProvider(): Promise<BrokerProvider> {
  const wanted = process.env["CERTWIRE_TEST_BROKERS"];
  if (wanted === "local") return localProvider;
  if (wanted === "testcontainers") return containerProvider;
  if (wanted) throw new Error(`CERTWIRE_TEST_BROKERS is local or testcontainers, not ${wanted}`);
  if (process.env["CI"] === "true") return localProvider;
  return (await engineAnswers()) ? containerProvider : localProvider;
}

/** True when a container engine can be used. */
export async function engineAnswers(): Promise<boolean> {
  try {
    const { getContainerRuntimeClient } = await import("testcontainers");
    await getContainerRuntimeClient();
    return true;
  } catch {
    return false;
  }
}
