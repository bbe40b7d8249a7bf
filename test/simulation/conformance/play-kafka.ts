import { createHash } from "node:crypto";
import type { Kafka, Producer } from "kafkajs";
import { connectProducer, disconnect } from "../../../src/sinks/kafka/client.ts";
import { isTooLarge, toKafkaFailure } from "../../../src/sinks/kafka/errors.ts";
import { examineTopic } from "../../../src/sinks/kafka/topic.ts";
import type { Loss, TopicRight, TopicSettings } from "../kafka.ts";
import { bytesOfBatch } from "../kafka-batch.ts";
import type { KafkaStep, ProducerStep } from "./kafka-script.ts";
import { describeFailure } from "./outcome.ts";
import type { Settled } from "./virtual-time.ts";

/** A record as it is read back. */
export interface ReadRecord {
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly value: string;
  readonly headers: readonly (readonly [string, string])[];
}

/** A cluster that a script is played on: a real one, or the model. */
export interface KafkaSubject {
  readonly nodes: number;
  /** What the sink's client is made of. */
  readonly kafka: Kafka;
  /** The clock of the brokers, in ms. */
  now(): number;
  /** Waits for an answer of the cluster. */
  settle<T>(start: () => Promise<T>): Promise<Settled<T> | undefined>;
  createTopic(topic: number, partitions: number, settings: TopicSettings): Promise<void>;
  deleteTopic(topic: number): Promise<void>;
  grow(topic: number, partitions: number): Promise<void>;
  setMaxMessageBytes(topic: number, bytes: number): Promise<void>;
  setRight(topic: number, right: TopicRight, isAllowed: boolean): Promise<void>;
  /** Bytes that the user may send in a second; `undefined`: any. */
  setQuota(bytesPerSecond: number | undefined): Promise<void>;
  stopNode(node: number): Promise<void>;
  startNode(node: number): Promise<void>;
  /** What becomes of the next requests to store records, in place of what was to become of them. */
  lose(losses: readonly Loss[]): void;
  topicName(topic: number): string;
  read(topic: number): Promise<readonly ReadRecord[]>;
}

const none = "-";

/** For how many seconds a broker counts what a user sends together, at most, with the settings of the scripts. */
const countedSeconds = 3;

/** Plays a script on a cluster. Returns one line for each step, and one for each record that is read back at the end. */
export async function playKafka(
  script: readonly KafkaStep[],
  subject: KafkaSubject,
): Promise<string[]> {
  const player = new Player(subject);
  const lines: string[] = [];
  try {
    for (const [index, step] of script.entries()) {
      lines.push(`${index} ${JSON.stringify(step)}: ${await player.play(step, index)}`);
    }
    lines.push(...(await player.read()));
  } finally {
    await player.close();
  }
  return lines;
}

interface TopicNow {
  readonly partitions: number;
  readonly maxMessageBytes: number;
}

class Player {
  readonly #subject: KafkaSubject;
  readonly #topics = new Map<number, TopicNow>();
  readonly #producers = new Map<number, Producer>();
  readonly #denied = new Set<string>();
  #bytesPerSecond: number | undefined;
  /** When the next send of a producer can be answered at the earliest by the quota, by the clock of the brokers. */
  readonly #heldUntil = new Map<number, number>();
  /** The node that is down; a cluster of three works without one. */
  #stopped: number | undefined;

  constructor(subject: KafkaSubject) {
    this.#subject = subject;
  }

  /** What a step comes to; `-` if there is nothing to do. */
  async play(step: KafkaStep, index: number): Promise<string> {
    // Another connection is not held up by what was sent on the one before.
    if (step.do !== "send" && "producer" in step) this.#heldUntil.delete(step.producer);
    switch (step.do) {
      case "connect":
        return this.#connect(step.producer);
      case "disconnect":
        return this.#disconnect(step.producer);
      case "replace":
        await this.#disconnect(step.producer);
        this.#producers.delete(step.producer);
        return this.#connect(step.producer);
      case "send":
        return this.#send(step, index);
      case "examine":
        return this.#examine(step.topic);
      case "quota":
        return this.#setQuota(step.bytesPerSecond);
      default:
        return (await this.#control(step)) ? "done" : none;
    }
  }

  /** Everything in the topics that are left. */
  async read(): Promise<string[]> {
    const subject = this.#subject;
    if (this.#stopped !== undefined) await subject.startNode(this.#stopped);
    for (const denied of this.#denied) {
      const [topic, right] = JSON.parse(denied) as [number, TopicRight];
      await subject.setRight(topic, right, true);
    }
    await this.#setQuota(undefined);
    const lines: string[] = [];
    for (const topic of [...this.#topics.keys()].toSorted((a, b) => a - b)) {
      for (const { partition, offset, key, value, headers } of await subject.read(topic)) {
        const hash = createHash("sha256").update(value).digest("hex").slice(0, 12);
        const content = `${key} ${value.split("#")[0]} ${value.length} ${hash}`;
        lines.push(`topic ${topic}/${partition}@${offset} ${content} ${JSON.stringify(headers)}`);
      }
    }
    return lines;
  }

  async close(): Promise<void> {
    const producers = [...this.#producers.values()];
    await this.#subject.settle(() => Promise.all(producers.map((each) => disconnect(each))));
    for (const topic of this.#topics.keys()) await this.#subject.deleteTopic(topic);
  }

  /** Changes the cluster. False if there is nothing to change. */
  async #control(
    step: Exclude<KafkaStep, ProducerStep | { readonly do: "send" | "examine" | "quota" }>,
  ): Promise<boolean> {
    const subject = this.#subject;
    if ("node" in step) return this.#setNode(step);
    const { topic } = step;
    const now = this.#topics.get(topic);
    if (step.do === "create" ? now !== undefined : now === undefined && step.do !== "allow") {
      return false;
    }
    // Each node of a cluster has to know of what changes the topics.
    const isComplete = this.#stopped === undefined;
    switch (step.do) {
      case "create":
        return isComplete && (await this.#create(step));
      case "delete":
        if (!isComplete) return false;
        await subject.deleteTopic(topic);
        this.#topics.delete(topic);
        return true;
      case "grow":
      case "limit":
        return isComplete && now !== undefined && (await this.#change(step, now));
      case "deny":
      case "allow":
        return this.#setRight(topic, step.right, step.do === "allow");
      default:
        return false;
    }
  }

  async #create(step: KafkaStep & { readonly do: "create" }): Promise<boolean> {
    const { topic, partitions, maxMessageBytes, maxDifferenceMs } = step;
    const minInSync = Math.min(step.minInSync, this.#subject.nodes);
    const settings = { maxMessageBytes, minInSync, maxDifferenceMs };
    await this.#subject.createTopic(topic, partitions, settings);
    this.#topics.set(topic, { partitions, maxMessageBytes });
    return true;
  }

  async #change(
    step: { readonly do: "grow"; readonly topic: number } | (KafkaStep & { readonly do: "limit" }),
    now: TopicNow,
  ): Promise<boolean> {
    const { topic } = step;
    if (step.do === "grow") {
      const partitions = now.partitions + 1;
      await this.#subject.grow(topic, partitions);
      this.#topics.set(topic, { ...now, partitions });
    } else {
      await this.#subject.setMaxMessageBytes(topic, step.bytes);
      this.#topics.set(topic, { ...now, maxMessageBytes: step.bytes });
    }
    return true;
  }

  async #setRight(topic: number, right: TopicRight, isAllowed: boolean): Promise<boolean> {
    const name = JSON.stringify([topic, right]);
    if (this.#denied.has(name) !== isAllowed) return false;
    if (isAllowed) this.#denied.delete(name);
    else this.#denied.add(name);
    await this.#subject.setRight(topic, right, isAllowed);
    return true;
  }

  async #setQuota(bytesPerSecond: number | undefined): Promise<string> {
    if (bytesPerSecond === this.#bytesPerSecond) return none;
    this.#bytesPerSecond = bytesPerSecond;
    await this.#subject.setQuota(bytesPerSecond);
    return "done";
  }

  async #setNode({ do: what, node }: { readonly do: string; readonly node: number }) {
    const isStop = what === "stop-node";
    if (node > this.#subject.nodes) return false;
    if (isStop ? this.#stopped !== undefined : this.#stopped !== node) return false;
    this.#stopped = isStop ? node : undefined;
    await (isStop ? this.#subject.stopNode(node) : this.#subject.startNode(node));
    return true;
  }

  async #connect(number: number): Promise<string> {
    const producer = this.#producers.get(number);
    // kafkajs keeps the producer's ID when it connects again.
    const connect = (): Promise<Producer> =>
      producer === undefined
        ? connectProducer(this.#subject.kafka)
        : producer.connect().then(() => producer);
    return this.#outcome(connect, (connected) => {
      this.#producers.set(number, connected);
      return "connected";
    });
  }

  async #disconnect(number: number): Promise<string> {
    const producer = this.#producers.get(number);
    if (producer === undefined) return none;
    return this.#outcome(
      () => disconnect(producer),
      () => "disconnected",
    );
  }

  async #send(step: KafkaStep & { readonly do: "send" }, index: number): Promise<string> {
    const producer = this.#producers.get(step.producer);
    if (producer === undefined) return none;
    const topic = this.#subject.topicName(step.topic);
    const messages = this.#messagesOf(step, index);
    // With an answer the client would lose that it is throttled, and wait for a broker that reads nothing.
    const loses = this.#bytesPerSecond === undefined ? (step.loses ?? []) : [];
    this.#subject.lose(loses);
    const sentAt = this.#subject.now();
    const heldUntil = this.#heldUntil.get(step.producer);
    this.#heldUntil.delete(step.producer);
    return this.#outcome(
      () => producer.send({ topic, acks: -1, timeout: 60_000, messages }),
      (answers) => {
        const stored = answers.map(({ partition, errorCode, baseOffset }) => [
          partition,
          errorCode,
          baseOffset,
        ]);
        if (stored.length === 0) return "[]";
        if (loses.length === 0) this.#hold(step.producer, bytesOfBatch(messages), sentAt);
        if (heldUntil === undefined) return JSON.stringify(stored);
        const earlyMs = heldUntil - this.#subject.now();
        if (earlyMs > 0)
          throw new Error(`step ${index} ends ${earlyMs} ms before the quota lets it`);
        return `${JSON.stringify(stored)} throttled`;
      },
      topic,
    );
  }

  /** Notes until when the quota holds up what a producer sends next, at least. */
  #hold(producer: number, bytes: number, sentAt: number): void {
    if (this.#bytesPerSecond === undefined) return;
    const seconds = bytes / this.#bytesPerSecond - countedSeconds;
    if (seconds > 0) this.#heldUntil.set(producer, sentAt + seconds * 1000);
  }

  #messagesOf(step: KafkaStep & { readonly do: "send" }, index: number) {
    const { count, size, partition, aheadMs } = step;
    const isAlone = "aboveLimit" in size;
    const timestamp = aheadMs === undefined ? undefined : String(this.#subject.now() + aheadMs);
    return Array.from({ length: isAlone ? 1 : count }, (_, at) => {
      const key = `key-${index % 3}`;
      const headers = { "content-type": "text/plain", step: String(index) };
      const value = `${index}.${at}#`;
      const bytes = isAlone
        ? this.#bytesFor(step.topic, size.aboveLimit, { key, headers })
        : size.bytes;
      const padded = Buffer.from(value.padEnd(bytes, "."));
      return { key, value: padded, headers, partition, ...(timestamp && { timestamp }) };
    });
  }

  /** Bytes of the value with which one record is so much above the limit of a topic. */
  #bytesFor(
    topic: number,
    aboveLimit: number,
    record: { readonly key: string; readonly headers: Readonly<Record<string, string>> },
  ): number {
    const wanted = Math.min(this.#topics.get(topic)?.maxMessageBytes ?? 1000, 8000) + aboveLimit;
    let bytes = wanted;
    while (bytesOfBatch([{ ...record, value: Buffer.alloc(bytes) }]) > wanted) bytes -= 1;
    return bytes;
  }

  async #examine(topic: number): Promise<string> {
    const admin = this.#subject.kafka.admin();
    const name = this.#subject.topicName(topic);
    const examine = async () => {
      await admin.connect();
      try {
        return await examineTopic(admin, name);
      } finally {
        await disconnect(admin);
      }
    };
    return this.#outcome(
      examine,
      ({ partitions, maxMessageBytes }) => JSON.stringify({ partitions, maxMessageBytes }),
      name,
    );
  }

  async #outcome<T>(
    act: () => Promise<T>,
    describe: (value: T) => string,
    topic?: string,
  ): Promise<string> {
    const settled = await this.#subject.settle(act);
    if (settled === undefined) return "no answer";
    if ("value" in settled) return describe(settled.value);
    const { error } = settled;
    const failure = describeFailure(toKafkaFailure(error, topic));
    return isTooLarge(error) ? `${failure}, too large` : failure;
  }
}
