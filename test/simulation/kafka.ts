import {
  KafkaJSConnectionError,
  KafkaJSError,
  KafkaJSNumberOfRetriesExceeded,
  KafkaJSProtocolError,
  KafkaJSRequestTimeoutError,
} from "kafkajs";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";

/** A record in a partition's log. */
export interface KafkaRecord {
  readonly key: string;
  readonly value: Buffer;
  /** When it was stored, in ms of virtual time. */
  readonly at: number;
  readonly offset: number;
  readonly topic: string;
  readonly partition: number;
}

/** What the broker remembers of an idempotent producer in one partition. */
interface ProducerState {
  next: number;
  /** The newest five batches, which the broker recognizes when they come again. */
  readonly batches: { readonly sequence: number; readonly count: number; readonly base: number }[];
}

interface Partition {
  records: KafkaRecord[];
  readonly producers: Map<number, ProducerState>;
  /** Node that leads it; `undefined` during an election. */
  leader: number | undefined;
  /** Replicas in sync, of three. */
  inSync: number;
}

interface Topic {
  readonly partitions: Partition[];
  maxMessageBytes: number;
  readonly minInSync: number;
}

/** What is wrong with the cluster. */
export interface KafkaFaults {
  /** Nothing listens, or what listens says nothing. */
  down?: "refused" | "silent";
  /** Share of the requests whose answer is lost although the broker has done what they ask for. */
  lostAnswers?: number;
  /** Share of the requests that are lost on the way. */
  lostRequests?: number;
  /** The client may not write. */
  isForbidden?: boolean;
  /** Records are refused for their time. */
  refusesTimes?: boolean;
  /** Longest time of an answer, in ms. Default 5. */
  slowestMs?: number;
}

const errors = {
  MESSAGE_TOO_LARGE: { code: 10, retriable: false },
  UNKNOWN_TOPIC_OR_PARTITION: { code: 3, retriable: true },
  LEADER_NOT_AVAILABLE: { code: 5, retriable: true },
  NOT_LEADER_FOR_PARTITION: { code: 6, retriable: true },
  NOT_ENOUGH_REPLICAS: { code: 19, retriable: true },
  TOPIC_AUTHORIZATION_FAILED: { code: 29, retriable: false },
  INVALID_TIMESTAMP: { code: 32, retriable: false },
  OUT_OF_ORDER_SEQUENCE_NUMBER: { code: 45, retriable: false },
} as const;

function protocolError(type: keyof typeof errors): Error {
  const { code, retriable } = errors[type];
  const error = { name: type, message: type, type, code, retriable };
  return new (KafkaJSProtocolError as unknown as new (e: object) => Error)(error);
}

/** A Kafka cluster of three nodes, with the topics that the simulation makes. */
export class KafkaModel {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly #topics = new Map<string, Topic>();
  /** Every record that was ever stored for good, also of topics that were deleted since. */
  readonly stored: KafkaRecord[] = [];
  faults: KafkaFaults = {};
  #producers = 1;
  /** Connections that clients have open. */
  connections = 0;

  constructor(scheduler: Scheduler, random: Random) {
    this.scheduler = scheduler;
    this.random = random;
  }

  createTopic(name: string, partitions: number): void {
    const topic = { partitions: [], maxMessageBytes: 1_048_588, minInSync: 2 };
    this.#topics.set(name, topic);
    this.grow(name, partitions);
  }

  hasTopic(name: string): boolean {
    return this.#topics.has(name);
  }

  deleteTopic(name: string): void {
    this.#topics.delete(name);
  }

  /** Adds partitions, up to a number. */
  grow(name: string, partitions: number): void {
    const topic = this.#topics.get(name);
    if (topic === undefined) return;
    while (topic.partitions.length < partitions) {
      const leader = this.random.below(3);
      topic.partitions.push({ records: [], producers: new Map(), leader, inSync: 3 });
    }
  }

  partitions(name: string): number {
    return this.#topics.get(name)?.partitions.length ?? 0;
  }

  setMaxMessageBytes(name: string, bytes: number): void {
    const topic = this.#topics.get(name);
    if (topic !== undefined) topic.maxMessageBytes = bytes;
  }

  /** Leaders of some partitions move; for a while they have none. */
  moveLeaders(name: string, electionMs: number): void {
    for (const partition of this.#topics.get(name)?.partitions ?? []) {
      if (this.random.chance(0.5)) continue;
      partition.leader = undefined;
      const elect = (): void => {
        partition.leader = this.random.below(3);
      };
      this.scheduler.after(this.random.fraction() * electionMs, elect, undefined);
    }
  }

  setInSync(name: string, inSync: number): void {
    for (const partition of this.#topics.get(name)?.partitions ?? []) partition.inSync = inSync;
  }

  newProducerId(): number {
    return this.#producers++;
  }

  /** Lets a request take its time, and be lost; `act` is what the broker does. */
  request<T>(act: () => T, timeoutMs: number): Promise<T> {
    const { faults, random, scheduler } = this;
    const isSilent = faults.down === "silent" || random.chance(faults.lostRequests ?? 0);
    return new Promise<T>((resolve, reject) => {
      const silent = (): void => reject(timedOut());
      const takesMs = random.fraction() * (faults.slowestMs ?? 5);
      if (isSilent || takesMs > timeoutMs) {
        scheduler.after(timeoutMs, silent);
        if (isSilent) return;
      }
      const { process } = scheduler;
      // The broker acts whatever becomes of the client.
      scheduler.after(
        takesMs / 2,
        () => {
          if (this.faults.down !== undefined) {
            scheduler.after(1, () => reject(connectionError("ECONNRESET")), process);
            return;
          }
          let settle: () => void;
          try {
            const answer = act();
            settle = () => resolve(answer);
          } catch (error) {
            settle = () => reject(error);
          }
          const isLost = random.chance(this.faults.lostAnswers ?? 0);
          if (isLost) scheduler.after(timeoutMs, silent, process);
          else scheduler.after(takesMs / 2, settle, process);
        },
        undefined,
      );
    });
  }

  /** Connects; a port where nothing listens refuses at once, a silent one never answers. */
  connect(timeoutMs: number): Promise<void> {
    const { scheduler, random } = this;
    return new Promise((resolve, reject) => {
      const { down } = this.faults;
      if (down === "silent") {
        scheduler.after(timeoutMs, () => reject(connectionError("ETIMEDOUT")));
        return;
      }
      const refuse = (): void => reject(connectionError("ECONNREFUSED"));
      // kafkajs tries three times more, with pauses.
      scheduler.after(down === "refused" ? 1500 : random.fraction() * 5, down ? refuse : resolve);
    });
  }

  describe(name: string): { readonly partitions: number; readonly maxMessageBytes: number } {
    const topic = this.#topics.get(name);
    if (topic === undefined) throw protocolError("UNKNOWN_TOPIC_OR_PARTITION");
    if (topic.partitions.some(({ leader }) => leader === undefined)) {
      throw protocolError("LEADER_NOT_AVAILABLE");
    }
    return { partitions: topic.partitions.length, maxMessageBytes: topic.maxMessageBytes };
  }

  /** What a leader does with one batch of records. Returns the base offset. */
  produce(request: ProduceRequest): number {
    const topic = this.#topics.get(request.topic);
    if (topic === undefined) throw protocolError("UNKNOWN_TOPIC_OR_PARTITION");
    const partition = topic.partitions[request.partition];
    if (partition === undefined) throw protocolError("UNKNOWN_TOPIC_OR_PARTITION");
    if (this.faults.isForbidden === true) throw protocolError("TOPIC_AUTHORIZATION_FAILED");
    if (partition.leader === undefined) throw protocolError("LEADER_NOT_AVAILABLE");
    if (partition.leader !== request.leader) throw protocolError("NOT_LEADER_FOR_PARTITION");
    const bytes = request.messages.reduce((sum, { value }) => sum + value.length + 70, 61);
    if (bytes > topic.maxMessageBytes) throw protocolError("MESSAGE_TOO_LARGE");
    if (this.faults.refusesTimes === true) throw protocolError("INVALID_TIMESTAMP");
    if (partition.inSync < topic.minInSync) throw protocolError("NOT_ENOUGH_REPLICAS");
    return this.#store(partition, request);
  }

  /** The leader that a client finds in fresh metadata. */
  leaderOf(topic: string, partition: number): number | undefined {
    return this.#topics.get(topic)?.partitions[partition]?.leader;
  }

  #store(partition: Partition, request: ProduceRequest): number {
    const { producerId, sequence, messages } = request;
    let state = partition.producers.get(producerId);
    if (state === undefined) {
      if (sequence !== 0) throw protocolError("OUT_OF_ORDER_SEQUENCE_NUMBER");
      state = { next: 0, batches: [] };
      partition.producers.set(producerId, state);
    }
    const again = state.batches.find((batch) => batch.sequence === sequence);
    // A broker compares numbers, not content.
    if (again !== undefined) return again.base;
    if (sequence !== state.next) throw protocolError("OUT_OF_ORDER_SEQUENCE_NUMBER");
    const base = partition.records.length;
    for (const [index, { key, value }] of messages.entries()) {
      const { topic, partition: number } = request;
      const offset = base + index;
      const record = { key, value, at: this.scheduler.now, offset, topic, partition: number };
      partition.records.push(record);
      this.stored.push(record);
    }
    state.next += messages.length;
    state.batches.push({ sequence, count: messages.length, base });
    if (state.batches.length > 5) state.batches.shift();
    return base;
  }
}

interface SentMessage {
  readonly key: string;
  readonly value: Buffer;
  readonly partition: number;
}

interface ProduceRequest {
  readonly topic: string;
  readonly partition: number;
  readonly leader: number;
  readonly producerId: number;
  readonly sequence: number;
  readonly messages: readonly SentMessage[];
}

function connectionError(code: string): Error {
  const options = { broker: "kafka:9092", code };
  const Connection = KafkaJSConnectionError as unknown as new (m: string, o: object) => Error;
  return Object.assign(new Connection(`Connection error: ${code}`, options), { code });
}

function timedOut(): Error {
  const Timeout = KafkaJSRequestTimeoutError as unknown as new (m: string, o: object) => Error;
  return new Timeout("Request Produce timed out", { broker: "kafka:9092" });
}

function afterRetries(error: Error): Error {
  const Exceeded = KafkaJSNumberOfRetriesExceeded as unknown as new (e: Error, o: object) => Error;
  return Object.assign(new Exceeded(error, { retryCount: 1, retryTime: 100 }), { cause: error });
}

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

class SimulatedProducer {
  readonly #model: KafkaModel;
  readonly #options: ClientOptions;
  readonly #sequences = new Map<string, number>();
  /** Leaders by the metadata that were read last. */
  readonly #leaders = new Map<string, number | undefined>();
  #producerId: number | undefined;
  #isConnected = false;

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
    model.connections += 1;
  }

  async disconnect(): Promise<void> {
    if (this.#isConnected) this.#model.connections -= 1;
    this.#isConnected = false;
    await Promise.resolve();
  }

  /** As kafkajs does it: one more try, with fresh metadata and the same sequence numbers. */
  async send({ topic, messages }: { readonly topic: string; readonly messages: SentMessage[] }) {
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
    let baseOffset: number;
    try {
      baseOffset = await this.#try(topic, partition, sequence, messages);
    } catch (error) {
      if ((error as { retriable?: boolean }).retriable === false) throw error;
      // https://github.com/tulios/kafkajs/issues/1303
      if (areSeveral && (error as { type?: string }).type === "NOT_LEADER_FOR_PARTITION") {
        return undefined;
      }
      await new Promise<void>((resolve) => {
        model.scheduler.after(80 + model.random.fraction() * 40, resolve);
      });
      this.#leaders.delete(log);
      try {
        baseOffset = await this.#try(topic, partition, sequence, messages);
      } catch (second) {
        throw (second as { retriable?: boolean }).retriable === false
          ? second
          : afterRetries(second as Error);
      }
    }
    // Only now: after a failure the same numbers are used for whatever is sent next.
    this.#sequences.set(log, sequence + messages.length);
    return { topicName: topic, partition, errorCode: 0, baseOffset: String(baseOffset) };
  }

  async #try(
    topic: string,
    partition: number,
    sequence: number,
    messages: readonly SentMessage[],
  ): Promise<number> {
    const model = this.#model;
    const { connectionTimeout, requestTimeout } = this.#options;
    if (model.faults.down !== undefined) await model.connect(connectionTimeout);
    const log = `${topic}/${partition}`;
    let leader = this.#leaders.get(log);
    if (leader === undefined) {
      leader = await model.request(() => {
        model.describe(topic);
        return model.leaderOf(topic, partition);
      }, requestTimeout);
      this.#leaders.set(log, leader);
    }
    const request = {
      topic,
      partition,
      leader: leader ?? -1,
      producerId: this.#producerId ?? -1,
      sequence,
      messages,
    };
    return model.request(() => model.produce(request), requestTimeout);
  }
}
