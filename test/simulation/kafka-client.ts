import kafkajs from "kafkajs";
import type { KafkaModel, Leaders, ProduceRequest } from "./kafka.ts";
import type { SentMessage } from "./kafka-batch.ts";
import { afterRetries } from "./kafka-errors.ts";
import type { KafkaConnection } from "./kafka-quota.ts";

const { KafkaJSConnectionError, KafkaJSError, KafkaJSProtocolError, KafkaJSRequestTimeoutError } =
  kafkajs;

/** What the service uses of an options object of kafkajs. */
interface ClientOptions {
  readonly connectionTimeout: number;
  readonly requestTimeout: number;
}

/** Makes the `Kafka` of kafkajs in front of a model. */
export function simulatedKafka(model: () => KafkaModel): new (options: ClientOptions) => unknown {
  return class Kafka {
    readonly #options: ClientOptions;

    constructor(options: ClientOptions) {
      this.#options = options;
    }

    admin(): SimulatedAdmin {
      return new SimulatedAdmin(model(), this.#options);
    }

    producer(): SimulatedProducer {
      return new SimulatedProducer(model(), this.#options);
    }
  };
}

class SimulatedAdmin {
  readonly #model: KafkaModel;
  readonly #options: ClientOptions;

  constructor(model: KafkaModel, options: ClientOptions) {
    this.#model = model;
    this.#options = options;
  }

  async connect(): Promise<void> {
    await this.#model.connect(this.#options.connectionTimeout);
  }

  async disconnect(): Promise<void> {
    await Promise.resolve();
  }

  async fetchTopicMetadata({ topics: [name = ""] }: { readonly topics: readonly string[] }) {
    const { partitions } = await this.#ask(name);
    const replicas = [0, 1, 2];
    const each = Array.from({ length: partitions }, (_, partitionId) => ({
      partitionId,
      replicas,
    }));
    return { topics: [{ name, partitions: each }] };
  }

  async describeConfigs({
    resources: [{ name } = { name: "" }],
  }: {
    readonly resources: readonly { readonly name: string }[];
  }) {
    const { maxMessageBytes } = await this.#ask(name);
    const configEntries = [
      { configName: "max.message.bytes", configValue: String(maxMessageBytes) },
      { configName: "min.insync.replicas", configValue: "2" },
    ];
    return { resources: [{ configEntries }] };
  }

  #ask(name: string) {
    const { requestTimeout: timeoutMs } = this.#options;
    const model = this.#model;
    if (model.faults.down === "refused")
      return model.connect(timeoutMs).then(() => model.describe(name));
    return model.request(() => model.describe(name), timeoutMs);
  }
}

/** How long kafkajs uses metadata, in ms. */
const metadataMaxAgeMs = 300_000;

class SimulatedProducer {
  readonly #model: KafkaModel;
  readonly #options: ClientOptions;
  readonly #sequences = new Map<string, number>();
  /** Topics whose metadata are read together; none is ever forgotten. */
  #targets: ReadonlySet<string> = new Set();
  /** The leaders of each topic by the metadata that were read last, and when these are read again. */
  #metadata: { readonly leaders: Leaders; readonly expiresAt: number } | undefined;
  #producerId: number | undefined;
  #isConnected = false;
  /** By node. */
  readonly #connections = new Map<number, KafkaConnection>();
  /** Sends that have not ended. */
  readonly #sends = new Set<Promise<unknown>>();

  constructor(model: KafkaModel, options: ClientOptions) {
    this.#model = model;
    this.#options = options;
  }

  async connect(): Promise<void> {
    const model = this.#model;
    const { connectionTimeout, requestTimeout } = this.#options;
    await model.connect(connectionTimeout);
    this.#producerId ??= await model.request(() => model.newProducerId(), requestTimeout);
    this.#isConnected = true;
    model.producers.set(this, model.scheduler.process);
  }

  async disconnect(): Promise<void> {
    this.#model.producers.delete(this);
    this.#isConnected = false;
    this.#metadata = undefined;
    // kafkajs sends what waits before it closes a connection.
    if (this.#isHeld) await Promise.allSettled(this.#sends);
    this.#connections.clear();
  }

  async send(sent: { readonly topic: string; readonly messages: SentMessage[] }) {
    const sending = this.#send(sent);
    this.#sends.add(sending);
    try {
      return await sending;
    } finally {
      this.#sends.delete(sending);
    }
  }

  /** As kafkajs does it: one more try, with fresh metadata and the same sequence numbers. */
  async #send({ topic, messages }: { readonly topic: string; readonly messages: SentMessage[] }) {
    if (!this.#isConnected) throw new KafkaJSError("The producer is disconnected");
    const partitions = [...new Set(messages.map(({ partition }) => partition))];
    const answers: object[] = [];
    for (const partition of partitions) {
      const own = messages.filter((message) => message.partition === partition);
      const answer = await this.#sendTo(topic, partition, own, partitions.length > 1);
      if (answer !== undefined) answers.push(answer);
    }
    return answers;
  }

  async #sendTo(
    topic: string,
    partition: number,
    messages: readonly SentMessage[],
    areSeveral: boolean,
  ): Promise<object | undefined> {
    const model = this.#model;
    const log = `${topic}/${partition}`;
    const sequence = this.#sequences.get(log) ?? 0;
    let baseOffset: number | undefined;
    try {
      baseOffset = await this.#try(topic, partition, sequence, messages);
    } catch (error) {
      if ((error as { retriable?: boolean }).retriable === false) throw error;
      // https://github.com/tulios/kafkajs/issues/1303
      if (areSeveral && (error as { type?: string }).type === "NOT_LEADER_FOR_PARTITION") {
        return undefined;
      }
      try {
        await this.#pause(80 + model.random.fraction() * 40);
        baseOffset = await this.#try(topic, partition, sequence, messages);
      } catch (second) {
        throw (second as { retriable?: boolean }).retriable === false
          ? second
          : afterRetries(second as Error);
      }
    }
    // kafkajs sends nothing to a partition that its metadata do not have, and says nothing of it.
    if (baseOffset === undefined) return undefined;
    // Only now: after a failure the same numbers are used for whatever is sent next.
    this.#sequences.set(log, sequence + messages.length);
    return { topicName: topic, partition, errorCode: 0, baseOffset: String(baseOffset) };
  }

  async #try(
    topic: string,
    partition: number,
    sequence: number,
    messages: readonly SentMessage[],
  ): Promise<number | undefined> {
    const model = this.#model;
    if (model.faults.down !== undefined) await model.connect(this.#options.connectionTimeout);
    await this.#target(topic);
    try {
      if (this.#metadata === undefined || this.#metadata.expiresAt <= model.scheduler.now) {
        await this.#refresh(this.#targets);
      }
      const leader = this.#metadata?.leaders.get(topic)?.[partition];
      if (leader === undefined) return undefined;
      const producerId = this.#producerId ?? -1;
      return await this.#produce({ topic, partition, leader, producerId, sequence, messages });
    } catch (error) {
      const isRetriable = (error as { retriable?: boolean }).retriable !== false;
      // After a timeout kafkajs believes what it knows.
      if (isRetriable && !(error instanceof KafkaJSRequestTimeoutError)) {
        await this.#refresh(this.#targets);
      }
      throw error;
    }
  }

  /** Sends a request once its connection is not throttled any more: until then it cannot time out. */
  async #produce(request: ProduceRequest): Promise<number> {
    const model = this.#model;
    const connection = this.#connections.get(request.leader) ?? { mutedUntil: 0, heldUntil: 0 };
    this.#connections.set(request.leader, connection);
    await this.#release(connection);
    const { mutedUntil } = connection;
    const produce = (): number => model.produce(request, connection);
    const fate = { loss: model.losses.shift(), mutedUntil };
    try {
      const baseOffset = await model.request(produce, this.#options.requestTimeout, fate);
      connection.heldUntil = connection.mutedUntil;
      return baseOffset;
    } catch (error) {
      if (error instanceof KafkaJSProtocolError) connection.heldUntil = connection.mutedUntil;
      if (error instanceof KafkaJSConnectionError) this.#connections.delete(request.leader);
      throw error;
    }
  }

  get #isHeld(): boolean {
    const { now } = this.#model.scheduler;
    return [...this.#connections.values()].some(({ heldUntil }) => heldUntil > now);
  }

  async #release({ heldUntil }: KafkaConnection): Promise<void> {
    const { now } = this.#model.scheduler;
    if (heldUntil > now) await this.#pause(heldUntil - now);
  }

  /** Asks for the metadata of a topic from now on, unless the cluster knows none that the client may see. */
  async #target(topic: string): Promise<void> {
    if (this.#targets.has(topic) && this.#metadata !== undefined) return;
    const targets = new Set([...this.#targets, topic]);
    try {
      await this.#refresh(targets);
      this.#targets = targets;
    } catch (error) {
      const { type } = error as { type?: string };
      const isOfTopic =
        type === "UNKNOWN_TOPIC_OR_PARTITION" || type === "TOPIC_AUTHORIZATION_FAILED";
      if (!isOfTopic) this.#targets = targets;
      throw error;
    }
  }

  /** Reads the metadata of all topics, several times while one has no leader. One that is missing fails all. */
  async #refresh(topics: ReadonlySet<string>): Promise<void> {
    const model = this.#model;
    const read = (): Leaders => model.leadersOf(topics);
    // Any node is asked to which there is a connection.
    const connections = [...this.#connections.values()];
    const asked = this.#isHeld ? connections[model.random.below(connections.length)] : undefined;
    for (let retries = 0; ; retries += 1) {
      if (asked !== undefined) await this.#release(asked);
      try {
        const leaders = await model.request(read, this.#options.requestTimeout);
        this.#metadata = { leaders, expiresAt: model.scheduler.now + metadataMaxAgeMs };
        return;
      } catch (error) {
        const isPassing = (error as { type?: string }).type === "LEADER_NOT_AVAILABLE";
        if (!isPassing || retries === 3) throw error;
        await this.#pause(100 * 2 ** retries);
      }
    }
  }

  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#model.scheduler.after(ms, resolve);
    });
  }
}
