import kafkajs, { type Admin, type Kafka } from "kafkajs";
import pino from "pino";
import { createKafka } from "../../../src/sinks/kafka/client.ts";
import { kafkaSinkOptions, resolveKafkaSink } from "../../../src/sinks/kafka/options.ts";
import type { KafkaCluster } from "../../integration/support/broker-provider.ts";
import { localProvider } from "../../integration/support/brokers.ts";
import { setProducerQuota } from "../../integration/support/client-quotas.ts";
import { kafkaClient, withAdmin } from "../../integration/support/kafka-topics.ts";
import { readKafka } from "../../integration/support/read-kafka.ts";
import { TcpProxy } from "../../integration/support/tcp-proxy.ts";
import { patientEntry } from "../../support/patient-entry.ts";
import { until } from "../../support/until.ts";
import type { Loss, TopicRight, TopicSettings } from "../kafka.ts";
import { KafkaLosses } from "./lossy-kafka.ts";
import { quotaSamples } from "./model-kafka.ts";
import type { KafkaSubject, ReadRecord } from "./play-kafka.ts";
import type { Settled } from "./virtual-time.ts";

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;
const waiting = { mayThrow: true, everyMs: 20 };

const username = "certwire";
const password = "conformance";

/** A cluster whose clients behind the proxies have a user, with the rights that no rule denies. */
export interface GuardedKafka extends KafkaCluster {
  readonly proxies: readonly TcpProxy[];
  /** What the proxies lose. */
  readonly losses: KafkaLosses;
}

/** Starts a cluster; without the proxies its clients may do anything. */
export async function startGuardedKafka(nodes: 1 | 3): Promise<GuardedKafka> {
  const proxies = await Promise.all(Array.from({ length: nodes }, () => TcpProxy.start()));
  const losses = new KafkaLosses();
  for (const proxy of proxies) proxy.intercept = losses.on;
  const login = `org.apache.kafka.common.security.plain.PlainLoginModule required user_${username}="${password}";`;
  const properties = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "allow.everyone.if.no.acl.found": "true",
    "super.users": "User:ANONYMOUS",
    "listener.security.protocol.map":
      "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:SASL_PLAINTEXT",
    "listener.name.proxied.sasl.enabled.mechanisms": "PLAIN",
    "listener.name.proxied.plain.sasl.jaas.config": login,
    "quota.window.num": String(quotaSamples),
  };
  const closeAll = () => Promise.all(proxies.map((proxy) => proxy.close()));
  try {
    const cluster = await localProvider.startKafka({ nodes, proxies, properties });
    await withAdmin(cluster.bootstrapServers, (admin) =>
      admin.createAcls({ acl: [ruleOf("*", AclOperationTypes.ALL, AclPermissionTypes.ALLOW)] }),
    );
    const stop = async (): Promise<void> => {
      await Promise.all([cluster.stop(), closeAll()]);
    };
    return { ...cluster, proxies, losses, stop };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

function ruleOf(
  resourceName: string,
  operation: kafkajs.AclOperationTypes,
  permissionType: kafkajs.AclPermissionTypes,
) {
  const [resourceType, host] = [AclResourceTypes.TOPIC, "*"];
  const resourcePatternType = ResourcePatternTypes.LITERAL;
  const principal = `User:${username}`;
  return {
    resourceType,
    resourceName,
    resourcePatternType,
    principal,
    host,
    operation,
    permissionType,
  };
}

/** Scripts that were played in this process, for the names of their topics. */
let scripts = 0;

/** A real cluster, which scripts share, as the subject of one. */
export class RealKafka implements KafkaSubject {
  readonly nodes: number;
  readonly kafka: Kafka;
  readonly #cluster: GuardedKafka;
  readonly #admin: Admin;
  readonly #prefix: string;
  readonly #settings = new Map<number, TopicSettings>();

  private constructor(cluster: GuardedKafka, admin: Admin) {
    scripts += 1;
    this.nodes = cluster.nodes;
    this.#cluster = cluster;
    this.#admin = admin;
    this.#prefix = `conformance-${process.pid}-${scripts}`;
    const brokers = cluster.proxies.map(({ address }) => address);
    const sasl = { mechanism: "plain", username, password: { environment: "-" } };
    const entry = patientEntry({ name: "kafka", url: `kafka://${brokers.join()}/events`, sasl });
    const context = { baseDirectory: "/", secret: () => password };
    const options = resolveKafkaSink(kafkaSinkOptions.parse(entry), context);
    this.kafka = createKafka(options, pino({ level: "silent" }));
  }

  /** Runs `work` on the cluster. */
  static async use<T>(cluster: GuardedKafka, work: (subject: RealKafka) => Promise<T>): Promise<T> {
    const admin = kafkaClient(cluster.bootstrapServers).admin();
    await admin.connect();
    const subject = new RealKafka(cluster, admin);
    try {
      await cluster.createTopic(subject.#barrier);
      return await work(subject);
    } finally {
      await admin.deleteTopics({ topics: [subject.#barrier] });
      await admin.disconnect();
    }
  }

  now(): number {
    return Date.now();
  }

  async settle<T>(start: () => Promise<T>): Promise<Settled<T>> {
    return start().then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
  }

  topicName(topic: number): string {
    return `${this.#prefix}-${topic}`;
  }

  async createTopic(topic: number, partitions: number, settings: TopicSettings): Promise<void> {
    this.#settings.set(topic, settings);
    const config = Object.fromEntries(configOf(settings).map(({ name, value }) => [name, value]));
    await this.#cluster.createTopic(this.topicName(topic), { partitions, config });
    await this.#isUsable(topic, partitions);
  }

  async deleteTopic(topic: number): Promise<void> {
    const name = this.topicName(topic);
    this.#settings.delete(topic);
    await this.#admin.deleteTopics({ topics: [name] });
    const isGone = async (): Promise<boolean> => !(await this.#admin.listTopics()).includes(name);
    await until(isGone, `topic ${name} is gone`, waiting);
    await this.#applied();
  }

  async grow(topic: number, partitions: number): Promise<void> {
    const topicPartitions = [{ topic: this.topicName(topic), count: partitions }];
    await this.#admin.createPartitions({ topicPartitions });
    await this.#isUsable(topic, partitions);
  }

  async setMaxMessageBytes(topic: number, bytes: number): Promise<void> {
    const settings = this.#settings.get(topic);
    if (settings === undefined) throw new Error(`topic ${topic} was not created`);
    const changed = { ...settings, maxMessageBytes: bytes };
    this.#settings.set(topic, changed);
    await this.#configure(this.topicName(topic), configOf(changed));
    await this.#applied();
  }

  async setRight(topic: number, right: TopicRight, isAllowed: boolean): Promise<void> {
    const operation = right === "Write" ? AclOperationTypes.WRITE : AclOperationTypes.DESCRIBE;
    const rule = ruleOf(this.topicName(topic), operation, AclPermissionTypes.DENY);
    if (isAllowed) await this.#admin.deleteAcls({ filters: [rule] });
    else await this.#admin.createAcls({ acl: [rule] });
    await this.#applied();
  }

  async setQuota(bytesPerSecond: number | undefined): Promise<void> {
    await setProducerQuota(this.#cluster.bootstrapServers[0] ?? "", username, bytesPerSecond);
    await this.#applied();
  }

  async stopNode(node: number): Promise<void> {
    await this.#cluster.kill9(node);
    if (this.nodes === 1) return;
    const others = this.#cluster.bootstrapServers.filter((_, at) => at !== node - 1);
    const isMissed = async (): Promise<boolean> => {
      const admin = kafkaClient(others).admin();
      await admin.connect();
      try {
        const topics = [...this.#settings.keys()].map((topic) => this.topicName(topic));
        const known = await admin.fetchTopicMetadata({ topics });
        return known.topics.every(({ partitions }) =>
          partitions.every(({ leader, isr }) => leader !== node && !isr.includes(node)),
        );
      } finally {
        await admin.disconnect();
      }
    };
    await until(isMissed, `the other nodes miss node ${node}`, waiting);
  }

  async startNode(node: number): Promise<void> {
    await this.#cluster.restart(node);
    for (const topic of this.#settings.keys()) {
      const isComplete = async (): Promise<boolean> => {
        const partitions = await this.#cluster.describe(this.topicName(topic));
        return partitions.every(({ isr }) => isr.length === this.nodes);
      };
      await until(isComplete, `node ${node} is in sync`, waiting);
    }
  }

  lose(losses: readonly Loss[]): void {
    this.#cluster.losses.set(losses);
  }

  async read(topic: number): Promise<readonly ReadRecord[]> {
    const records = await readKafka(this.#cluster.bootstrapServers, this.topicName(topic));
    return records
      .map(({ key, value, ...record }) => ({ ...record, key: key ?? "", value: value ?? "" }))
      .toSorted((a, b) => a.partition - b.partition || a.offset - b.offset);
  }

  /** A topic of which nothing is expected. */
  get #barrier(): string {
    return `${this.#prefix}-barrier`;
  }

  async #isUsable(topic: number, partitions: number): Promise<void> {
    const name = this.topicName(topic);
    const hasLeaders = async (): Promise<boolean> =>
      (await this.#admin.fetchTopicOffsets(name)).length === partitions;
    await until(hasLeaders, `topic ${name} has ${partitions} partitions`, waiting);
    await this.#applied();
  }

  #lastRetention = 1000;

  /**
   * Waits until the brokers have applied what was changed before. They show a change a moment before they apply it, and
   * apply changes in their order: one that is shown after another that was shown already proves that the first is applied.
   */
  async #applied(): Promise<void> {
    for (let round = 0; round < 2; round += 1) {
      this.#lastRetention += 1;
      const value = String(this.#lastRetention * 3_600_000);
      await this.#configure(this.#barrier, [{ name: "retention.ms", value }]);
    }
  }

  /** Sets the settings of a topic and waits until it shows them. */
  async #configure(name: string, configEntries: { name: string; value: string }[]): Promise<void> {
    const type = kafkajs.ConfigResourceTypes.TOPIC;
    await this.#admin.alterConfigs({
      validateOnly: false,
      resources: [{ type, name, configEntries }],
    });
    const isShown = async (): Promise<boolean> => {
      const { resources } = await this.#admin.describeConfigs({
        includeSynonyms: false,
        resources: [{ type, name, configNames: configEntries.map((entry) => entry.name) }],
      });
      const shown = resources[0]?.configEntries ?? [];
      return configEntries.every((wanted) =>
        shown.some(
          ({ configName, configValue }) =>
            configName === wanted.name && configValue === wanted.value,
        ),
      );
    };
    await until(isShown, `topic ${name} has its settings`, waiting);
  }
}

function configOf({ maxMessageBytes, minInSync, maxDifferenceMs }: TopicSettings) {
  return [
    { name: "max.message.bytes", value: String(maxMessageBytes) },
    { name: "min.insync.replicas", value: String(minInSync) },
    { name: "message.timestamp.before.max.ms", value: String(maxDifferenceMs) },
    { name: "message.timestamp.after.max.ms", value: String(maxDifferenceMs) },
  ];
}
