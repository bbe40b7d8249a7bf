import { bytesOfBatch, type SentMessage } from "./kafka-batch.ts";
import {
  connectionError,
  type ProtocolErrorType,
  protocolError,
  timedOut,
} from "./kafka-errors.ts";
import { CountedBytes, type KafkaConnection } from "./kafka-quota.ts";
import type { Random } from "./random.ts";
import type { Scheduler, SimulatedProcess } from "./scheduler.ts";

/** A record in a partition's log. */
export interface KafkaRecord {
  readonly key: string;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string>>;
  /** When it was stored, in ms of virtual time. */
  readonly at: number;
  readonly offset: number;
  readonly topic: string;
  readonly partition: number;
}

/** A batch that a broker has stored. */
interface SentBatch {
  readonly sequence: number;
  readonly count: number;
  readonly base: number;
}

/** What the broker remembers of an idempotent producer in one partition. */
interface ProducerState {
  next: number;
  /** The newest five batches, which the broker recognizes when they come again. */
  readonly batches: SentBatch[];
}

interface Partition {
  records: KafkaRecord[];
  readonly producers: Map<number, ProducerState>;
  /** Node that leads it; `undefined` during an election. */
  leader: number | undefined;
  /** Replicas in sync, of three. */
  inSync: number;
  /** It has not noticed that there are too few, and stores one more batch. */
  isLate: boolean;
}

/** Settings of a topic. */
export interface TopicSettings {
  readonly maxMessageBytes: number;
  readonly minInSync: number;
  /** How far the time of a record may be from that of the broker, in ms. */
  readonly maxDifferenceMs: number;
}

interface Topic extends TopicSettings {
  readonly partitions: Partition[];
  maxMessageBytes: number;
}

/**
 * How a request of a producer comes to nothing: the request or its answer is lost, alone or with the connection, or the
 * answer comes when nobody waits for it any more.
 */
export type Loss = "request" | "request-cut" | "answer" | "answer-cut" | "answer-late";

/** A right on a topic. */
export type TopicRight = "Describe" | "Write";

/** What is wrong with the cluster. */
export interface KafkaFaults {
  /** Nothing listens, or what listens says nothing. */
  down?: "refused" | "silent";
  /** Share of the requests whose answer is lost although the broker has done what they ask for. */
  lostAnswers?: number;
  /** Share of the requests that are lost on the way. */
  lostRequests?: number;
  /** Records are refused for their time. */
  refusesTimes?: boolean;
  /** Longest time of an answer, in ms. Default 5. */
  slowestMs?: number;
}
/** The leaders of the partitions of topics. */
export type Leaders = ReadonlyMap<string, readonly number[]>;

/** A Kafka cluster, with the topics that the simulation makes. */
export class KafkaModel {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly #topics = new Map<string, Topic>();
  /** Rights that the client lacks, as `right topic`. */
  readonly #denied = new Set<string>();
  /** Nodes that run. */
  readonly #up: Set<number>;
  /** Every record that was ever stored for good, also of topics that were deleted since. */
  readonly stored: KafkaRecord[] = [];
  faults: KafkaFaults = {};
  /** What becomes of the next requests to store records; the others are lost as `faults` says. */
  losses: Loss[] = [];
  #producers = 1;
  /** How many bytes the client may send to each node in a second. */
  bytesPerSecond = Infinity;
  /** Until when a connection is throttled, in ms of virtual time. */
  throttledUntil = 0;
  /** For how long a connection was throttled at most, in ms. */
  longestThrottleMs = 0;
  readonly #counted = new Map<number, CountedBytes>();
  readonly #quotaSamples: number;
  /** Producers that are connected, and the processes that they are of. */
  readonly producers = new Map<object, SimulatedProcess | undefined>();

  /**
   * `nodes`: how many brokers there are; each partition has a replica on each. Default 3. `quotaSamples`: in how many
   * samples they count what a client sends. Default that of Kafka, 11.
   */
  constructor(scheduler: Scheduler, random: Random, { nodes = 3, quotaSamples = 11 } = {}) {
    this.scheduler = scheduler;
    this.random = random;
    this.#quotaSamples = quotaSamples;
    this.#up = new Set(Array.from({ length: nodes }, (_, node) => node + 1));
  }

  /** The producers of a process that was killed end. */
  killed(process: SimulatedProcess): void {
    for (const [producer, owner] of this.producers) {
      if (owner === process) this.producers.delete(producer);
    }
  }

  /** A node ends: its partitions have other leaders, where there are others. */
  stopNode(node: number): void {
    this.#up.delete(node);
    this.#elect();
  }

  startNode(node: number): void {
    this.#up.add(node);
    this.#elect();
  }

  #elect(): void {
    for (const { partitions } of this.#topics.values()) {
      for (const partition of partitions) {
        partition.inSync = this.#up.size;
        if (!this.#up.has(partition.leader ?? 0)) partition.leader = this.#anyNode();
      }
    }
  }

  #anyNode(): number | undefined {
    return [...this.#up][this.random.below(this.#up.size)];
  }

  createTopic(name: string, partitions: number, settings: Partial<TopicSettings> = {}): void {
    const byDefault = { maxMessageBytes: 1_048_588, minInSync: 2, maxDifferenceMs: Infinity };
    this.#topics.set(name, { partitions: [], ...byDefault, ...settings });
    this.grow(name, partitions);
  }

  deny(name: string, right: TopicRight): void {
    this.#denied.add(`${right} ${name}`);
  }

  allow(name: string, right: TopicRight): void {
    this.#denied.delete(`${right} ${name}`);
  }

  /** What is in a topic, in the order of its partitions. */
  read(name: string): readonly KafkaRecord[] {
    return this.#topics.get(name)?.partitions.flatMap(({ records }) => records) ?? [];
  }

  deleteTopic(name: string): void {
    this.#topics.delete(name);
  }

  /** Adds partitions, up to a number. */
  grow(name: string, partitions: number): void {
    const topic = this.#topics.get(name);
    if (topic === undefined) return;
    while (topic.partitions.length < partitions) {
      const leader = this.#anyNode();
      const inSync = this.#up.size;
      const state = { leader, inSync, isLate: false };
      topic.partitions.push({ records: [], producers: new Map(), ...state });
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
        partition.leader = this.#anyNode();
      };
      this.scheduler.after(this.random.fraction() * electionMs, elect, undefined);
    }
  }

  /** `isLate`: each leader stores one more batch before it notices. */
  setInSync(name: string, inSync: number, isLate = false): void {
    for (const partition of this.#topics.get(name)?.partitions ?? []) {
      Object.assign(partition, { inSync, isLate });
    }
  }

  newProducerId(): number {
    return this.#producers++;
  }

  /**
   * Lets a request take its time, and be lost; `act` is what the broker does, which reads nothing of the connection until
   * `mutedUntil`.
   */
  request<T>(
    act: () => T,
    timeoutMs: number,
    {
      loss = this.#drawLoss(),
      mutedUntil = 0,
    }: { loss?: Loss | undefined; mutedUntil?: number } = {},
  ): Promise<T> {
    const { faults, random, scheduler } = this;
    const isSilent = faults.down === "silent" || loss === "request";
    return new Promise<T>((resolve, reject) => {
      const silent = (): void => reject(timedOut());
      const takesMs = random.fraction() * (faults.slowestMs ?? 5);
      const unreadMs = Math.max(0, mutedUntil - scheduler.now);
      if (isSilent || unreadMs + takesMs > timeoutMs) {
        scheduler.after(timeoutMs, silent);
        if (isSilent) return;
      }
      const { process } = scheduler;
      const cut = (): void => {
        scheduler.after(1, () => reject(connectionError("ECONNRESET")), process);
      };
      // The broker acts whatever becomes of the client.
      scheduler.after(
        unreadMs + takesMs / 2,
        () => {
          if (this.faults.down !== undefined || loss === "request-cut") {
            cut();
            return;
          }
          let settle: () => void;
          try {
            const answer = act();
            settle = () => resolve(answer);
          } catch (error) {
            settle = () => reject(error);
          }
          if (loss === undefined) scheduler.after(takesMs / 2, settle, process);
          else if (loss === "answer-cut") cut();
          else scheduler.after(timeoutMs, silent, process);
        },
        undefined,
      );
    });
  }

  /** Half of what is lost is lost with its connection. */
  #drawLoss(): Loss | undefined {
    const { faults, random } = this;
    const isRequest = random.chance(faults.lostRequests ?? 0);
    if (!isRequest && !random.chance(faults.lostAnswers ?? 0)) return undefined;
    const what = isRequest ? "request" : "answer";
    return random.chance(0.5) ? `${what}-cut` : what;
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
    const fault = this.#faultOf(name);
    const topic = this.#topics.get(name);
    if (topic === undefined || fault !== undefined) {
      throw protocolError(fault ?? "UNKNOWN_TOPIC_OR_PARTITION");
    }
    return { partitions: topic.partitions.length, maxMessageBytes: topic.maxMessageBytes };
  }

  /**
   * What a leader does with one batch of records, in the order in which Kafka checks it. Returns the base offset. A quota
   * counts each request, whatever becomes of it.
   */
  produce(request: ProduceRequest, connection: KafkaConnection): number {
    if (this.bytesPerSecond !== Infinity) this.#throttle(request, connection);
    if (this.#denied.has(`Write ${request.topic}`)) {
      throw protocolError("TOPIC_AUTHORIZATION_FAILED");
    }
    const topic = this.#topics.get(request.topic);
    const partition = topic?.partitions[request.partition];
    if (topic === undefined || partition === undefined) {
      throw protocolError("UNKNOWN_TOPIC_OR_PARTITION");
    }
    if (partition.leader === undefined) throw protocolError("LEADER_NOT_AVAILABLE");
    if (partition.leader !== request.leader) throw protocolError("NOT_LEADER_FOR_PARTITION");
    const lacksReplicas = partition.inSync < topic.minInSync;
    if (lacksReplicas && !partition.isLate) throw protocolError("NOT_ENOUGH_REPLICAS");
    if (bytesOfBatch(request.messages) > topic.maxMessageBytes) {
      throw protocolError("MESSAGE_TOO_LARGE");
    }
    if (this.faults.refusesTimes === true || this.#hasWrongTime(request.messages, topic)) {
      throw protocolError("INVALID_TIMESTAMP");
    }
    const base = this.#store(partition, request);
    if (!lacksReplicas) return base;
    partition.isLate = false;
    throw protocolError("NOT_ENOUGH_REPLICAS_AFTER_APPEND");
  }

  #throttle({ leader, messages }: ProduceRequest, connection: KafkaConnection): void {
    let counted = this.#counted.get(leader);
    if (counted === undefined) {
      counted = new CountedBytes(this.#quotaSamples);
      this.#counted.set(leader, counted);
    }
    const { now } = this.scheduler;
    const throttleMs = counted.count(bytesOfBatch(messages), this.bytesPerSecond, now);
    connection.mutedUntil = now + throttleMs;
    this.throttledUntil = Math.max(this.throttledUntil, connection.mutedUntil);
    this.longestThrottleMs = Math.max(this.longestThrottleMs, throttleMs);
  }

  #hasWrongTime(messages: readonly SentMessage[], { maxDifferenceMs }: Topic): boolean {
    const now = this.scheduler.now;
    return messages.some(
      ({ timestamp }) =>
        timestamp !== undefined && Math.abs(Number(timestamp) - now) > maxDifferenceMs,
    );
  }

  /**
   * The leaders of the partitions of topics, as a client finds them in fresh metadata. Throws what kafkajs makes of the
   * first fault in the answer: Kafka names the missing topics first, and the forbidden ones after all others.
   */
  leadersOf(names: ReadonlySet<string>): Leaders {
    const faults = [...names].flatMap((name) => this.#faultOf(name) ?? []);
    for (const type of [
      "UNKNOWN_TOPIC_OR_PARTITION",
      "TOPIC_AUTHORIZATION_FAILED",
      "LEADER_NOT_AVAILABLE",
    ] as const) {
      if (faults.includes(type)) throw protocolError(type);
    }
    const leadersOf = (name: string): number[] =>
      this.#topics.get(name)?.partitions.map(({ leader }) => leader ?? -1) ?? [];
    return new Map([...names].map((name) => [name, leadersOf(name)]));
  }

  /** Why a client cannot have the metadata of a topic. */
  #faultOf(name: string): ProtocolErrorType | undefined {
    if (this.#denied.has(`Describe ${name}`)) return "TOPIC_AUTHORIZATION_FAILED";
    const topic = this.#topics.get(name);
    if (topic === undefined) return "UNKNOWN_TOPIC_OR_PARTITION";
    const hasLeaders = topic.partitions.every(({ leader }) => leader !== undefined);
    return hasLeaders ? undefined : "LEADER_NOT_AVAILABLE";
  }

  #store(partition: Partition, request: ProduceRequest): number {
    const { producerId, sequence, messages } = request;
    // The first batch of a producer that the partition does not know may have any number.
    const state = partition.producers.get(producerId) ?? { next: sequence, batches: [] };
    // A broker compares numbers, not content.
    const isSame = (batch: SentBatch): boolean =>
      batch.sequence === sequence && batch.count === messages.length;
    const again = state.batches.find(isSame);
    if (again !== undefined) return again.base;
    if (sequence !== state.next) throw protocolError("OUT_OF_ORDER_SEQUENCE_NUMBER");
    partition.producers.set(producerId, state);
    const base = partition.records.length;
    const at = this.scheduler.now;
    for (const [index, { key, value, headers }] of messages.entries()) {
      const { topic, partition: number } = request;
      const offset = base + index;
      const record = { key, value, headers, at, offset, topic, partition: number };
      partition.records.push(record);
      this.stored.push(record);
    }
    state.next += messages.length;
    state.batches.push({ sequence, count: messages.length, base });
    if (state.batches.length > 5) state.batches.shift();
    return base;
  }
}

/** A request to store records. */
export interface ProduceRequest {
  readonly topic: string;
  readonly partition: number;
  readonly leader: number;
  readonly producerId: number;
  readonly sequence: number;
  readonly messages: readonly SentMessage[];
}
