import type { Kafka } from "kafkajs";
import { KafkaModel, type Loss, type TopicRight, type TopicSettings } from "../kafka.ts";
import { simulatedKafka } from "../kafka-client.ts";
import { Random } from "../random.ts";
import type { KafkaSubject, ReadRecord } from "./play-kafka.ts";
import { VirtualTime } from "./virtual-time.ts";

/** How many samples a broker of a script counts together; real ones get it as `quota.window.num`. */
export const quotaSamples = 2;

/** The model as the subject of a script. */
export class ModelKafka implements KafkaSubject {
  readonly nodes: number;
  readonly kafka: Kafka;
  readonly #time = new VirtualTime();
  readonly #model: KafkaModel;

  constructor(nodes: number) {
    this.nodes = nodes;
    this.#model = new KafkaModel(this.#time.scheduler, new Random(1), {
      nodes,
      quotaSamples,
    });
    const Client = simulatedKafka(() => this.#model);
    // Where an answer is lost, no time passes that would make the client read metadata again.
    this.kafka = new Client({ connectionTimeout: 60_000, requestTimeout: 100 }) as Kafka;
  }

  now(): number {
    return this.#time.scheduler.now;
  }

  settle<T>(start: () => Promise<T>) {
    return this.#time.settle(start);
  }

  topicName(topic: number): string {
    return `topic-${topic}`;
  }

  async createTopic(topic: number, partitions: number, settings: TopicSettings): Promise<void> {
    this.#model.createTopic(this.topicName(topic), partitions, settings);
  }

  async deleteTopic(topic: number): Promise<void> {
    this.#model.deleteTopic(this.topicName(topic));
  }

  async grow(topic: number, partitions: number): Promise<void> {
    this.#model.grow(this.topicName(topic), partitions);
  }

  async setMaxMessageBytes(topic: number, bytes: number): Promise<void> {
    this.#model.setMaxMessageBytes(this.topicName(topic), bytes);
  }

  async setRight(topic: number, right: TopicRight, isAllowed: boolean): Promise<void> {
    if (isAllowed) this.#model.allow(this.topicName(topic), right);
    else this.#model.deny(this.topicName(topic), right);
  }

  async setQuota(bytesPerSecond = Infinity): Promise<void> {
    this.#model.bytesPerSecond = bytesPerSecond;
  }

  async stopNode(node: number): Promise<void> {
    this.#model.stopNode(node);
    if (this.nodes === 1) this.#model.faults = { down: "refused" };
  }

  async startNode(node: number): Promise<void> {
    this.#model.startNode(node);
    this.#model.faults = {};
  }

  lose(losses: readonly Loss[]): void {
    this.#model.losses = [...losses];
  }

  async read(topic: number): Promise<readonly ReadRecord[]> {
    return this.#model.read(this.topicName(topic)).map((record) => ({
      ...record,
      value: record.value.toString(),
      headers: Object.entries(record.headers),
    }));
  }
}
