import type { Admin, Kafka } from "kafkajs";
import type { Logger } from "pino";
import { CertwireError } from "../../errors/certwire-error.ts";
import type { OutboundEvent } from "../../events/outbound-event.ts";
import { publishOn } from "../broker-lane.ts";
import type { PublishOutcome, Sink, SinkLimits } from "../sink.ts";
import { createKafka, disconnect } from "./client.ts";
import { toKafkaError } from "./errors.ts";
import { KafkaLane } from "./lane.ts";
import type { ResolvedKafkaSinkOptions } from "./options.ts";
import { partitionOf } from "./partitioner.ts";
import { countPartitions, warnOfUnsafeTopic } from "./topic.ts";

/** Publishes to one Kafka topic over strict lanes; a partition belongs to the lane with its number modulo `lanes`. */
export class KafkaSink implements Sink {
  readonly kind = "kafka";
  readonly name: string;
  readonly limits: SinkLimits;
  readonly #options: ResolvedKafkaSinkOptions;
  readonly #log: Logger;
  #lanes: KafkaLane[] = [];
  #partitions = 0;
  #changed: CertwireError | undefined;
  #admin: Admin | undefined;
  #watch: NodeJS.Timeout | undefined;

  constructor(options: ResolvedKafkaSinkOptions, log: Logger) {
    this.name = options.name;
    this.limits = options.limits;
    this.#options = options;
    this.#log = log;
  }

  get lanes(): number {
    return this.#lanes.length;
  }

  async open(signal?: AbortSignal): Promise<void> {
    await this.close();
    let admin: Admin | undefined;
    try {
      const kafka = createKafka(this.#options, this.#log);
      admin = kafka.admin();
      await admin.connect();
      this.#partitions = await countPartitions(admin, this.#options.topic);
      await warnOfUnsafeTopic(admin, this.#options.topic, this.#log);
      signal?.throwIfAborted();
      this.#admin = admin;
      this.#lanes = this.#createLanes(kafka);
    } catch (error) {
      if (admin) await disconnect(admin);
      throw toKafkaError(error, `cannot open topic "${this.#options.topic}"`);
    }
    const intervalMs = this.#options.partitionCheckSeconds * 1000;
    this.#watch = setInterval(() => void this.#checkPartitions(), intervalMs);
    this.#watch.unref();
  }

  laneOf(event: OutboundEvent): number {
    return partitionOf(event.partitionKey, this.#partitions) % this.#lanes.length;
  }

  async publish(
    lane: number,
    batch: readonly OutboundEvent[],
    signal: AbortSignal,
  ): Promise<PublishOutcome> {
    if (this.#changed) {
      return { acknowledged: 0, failure: { kind: "reset", scope: "sink", cause: this.#changed } };
    }
    return publishOn(this.#lanes[lane], batch, signal);
  }

  async close(): Promise<void> {
    clearInterval(this.#watch);
    const [admin, lanes] = [this.#admin, this.#lanes];
    this.#admin = undefined;
    this.#lanes = [];
    this.#changed = undefined;
    await Promise.all([...lanes.map((lane) => lane.close()), admin && disconnect(admin)]);
  }

  #createLanes(kafka: Kafka): KafkaLane[] {
    const count = Math.min(this.#partitions, this.#options.maxLanes);
    return Array.from(
      { length: count },
      () => new KafkaLane(kafka, this.#options, this.#partitions),
    );
  }

  /** With more partitions the same keys map to other partitions, so all lanes must be laid out again. */
  async #checkPartitions(): Promise<void> {
    const admin = this.#admin;
    if (admin === undefined) return;
    try {
      const count = await countPartitions(admin, this.#options.topic);
      if (count === this.#partitions || admin !== this.#admin) return;
      this.#changed = new CertwireError(
        "CERTWIRE_SINK_CONFIG",
        `topic "${this.#options.topic}" now has ${count} partitions instead of ${this.#partitions}`,
      );
    } catch (error) {
      this.#log.debug(
        { error: toKafkaError(error, "cannot count partitions").message },
        "partition check failed",
      );
    }
  }
}
