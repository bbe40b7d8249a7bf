import type { Admin, Kafka } from "kafkajs";
import type { Logger } from "pino";
import { clock, type Timer } from "../../clock.ts";
import { CertwireError } from "../../errors/certwire-error.ts";
import type { Destination } from "../../events/destination.ts";
import type { OutboundEvent } from "../../events/outbound-event.ts";
import { publishOn } from "../broker-lane.ts";
import type { DestinationFinding, PublishOutcome, Sink, SinkFailure, SinkLimits } from "../sink.ts";
import { createKafka, disconnect, type KafkaSasl, saslOf } from "./client.ts";
import { kafkaDestinations } from "./destinations.ts";
import { toKafkaError, toKafkaFailure } from "./errors.ts";
import { KafkaLane } from "./lane.ts";
import type { ResolvedKafkaSinkOptions } from "./options.ts";
import { partitionOf } from "./partitioner.ts";
import { KafkaTopics } from "./topics.ts";

/**
 * Publishes to topics of one Kafka cluster over strict lanes. A partition belongs to the lane with its number modulo
 * `lanes`. Of a topic that was not known when the sink was opened, a key belongs to a lane, whatever its partition.
 */
export class KafkaSink implements Sink {
  readonly kind = "kafka";
  readonly name: string;
  readonly #options: ResolvedKafkaSinkOptions;
  readonly #log: Logger;
  readonly #topics: KafkaTopics;
  readonly #sasl: KafkaSasl | undefined;
  /** Topic of an event that names none. */
  readonly #ownTopic: (event: OutboundEvent) => string | undefined;
  #lanes: KafkaLane[] = [];
  #changed: CertwireError | undefined;
  #admin: Admin | undefined;
  #watch: Timer | undefined;
  #isChecking = false;
  #connectionFailure: SinkFailure | undefined;

  constructor(options: ResolvedKafkaSinkOptions, log: Logger) {
    this.name = options.name;
    this.#options = options;
    this.#log = log;
    this.#topics = new KafkaTopics(options, log);
    this.#sasl = options.sasl && saslOf(options.sasl, log);
    const { fallback } = kafkaDestinations(options);
    this.#ownTopic = ({ kind }) => fallback({ kind }).topic;
  }

  get lanes(): number {
    return this.#lanes.length;
  }

  get limits(): SinkLimits {
    return this.#topics.limitsOf(this.#options.topic);
  }

  get findings(): readonly DestinationFinding[] {
    return this.#topics.findings;
  }

  get connectionFailure(): SinkFailure | undefined {
    return this.#connectionFailure;
  }

  /** A check of the topics connects again where it has to. */
  reconnect(): void {
    void this.#checkTopics();
  }

  maxEventBytesAt({ topic }: Destination): number {
    return this.#topics.limitsOf(topic).maxEventBytes;
  }

  async open(signal?: AbortSignal): Promise<void> {
    await this.close();
    let admin: Admin | undefined;
    let lanes: KafkaLane[] = [];
    try {
      const kafka = createKafka(this.#options, this.#log, this.#sasl);
      admin = kafka.admin();
      await this.#withinTime(admin);
      await this.#topics.open(admin);
      lanes = this.#createLanes(kafka);
      await lanes[0]?.open();
      signal?.throwIfAborted();
      this.#admin = admin;
      this.#lanes = lanes;
    } catch (error) {
      this.#topics.close();
      await Promise.all([...lanes.map((lane) => lane.close()), admin && disconnect(admin)]);
      throw toKafkaError(error, `cannot open topic "${this.#options.topic}"`);
    }
    const intervalMs = this.#options.partitionCheckSeconds * 1000;
    this.#watch = clock.setInterval(() => void this.#checkTopics(), intervalMs);
    this.#watch.unref();
  }

  laneOf(event: OutboundEvent): number {
    const partitions = this.#topics.partitionsAtOpen(this.#topicOf(event)) ?? this.#lanes.length;
    return partitionOf(event.partitionKey, partitions) % this.#lanes.length;
  }

  async publish(
    lane: number,
    batch: readonly OutboundEvent[],
    signal: AbortSignal,
  ): Promise<PublishOutcome> {
    if (this.#changed) {
      return { acknowledged: 0, failure: { kind: "reset", scope: "sink", cause: this.#changed } };
    }
    const outcome = await publishOn(this.#lanes[lane], batch, signal);
    if (outcome.acknowledged > 0) this.#connectionFailure = undefined;
    return outcome;
  }

  async close(): Promise<void> {
    clock.clear(this.#watch);
    const [admin, lanes] = [this.#admin, this.#lanes];
    this.#admin = undefined;
    this.#lanes = [];
    this.#changed = undefined;
    this.#connectionFailure = undefined;
    this.#topics.close();
    await Promise.all([...lanes.map((lane) => lane.close()), admin && disconnect(admin)]);
  }

  #topicOf(event: OutboundEvent): string {
    return event.destination?.topic ?? this.#ownTopic(event) ?? this.#options.topic;
  }

  #createLanes(kafka: Kafka): KafkaLane[] {
    const host = {
      kafka,
      options: this.#options,
      topicOf: (event: OutboundEvent) => this.#topicOf(event),
      stateOf: (topic: string) => this.#topics.state(topic),
      refused: (event: OutboundEvent) => this.#topics.refused(this.#topicOf(event), event),
    };
    const count = Math.min(this.#topics.mostPartitions, this.#options.maxLanes);
    return Array.from({ length: count }, () => new KafkaLane(host));
  }

  /** A port that accepts connections and never answers would hold kafkajs up for much longer. */
  async #withinTime(admin: Admin): Promise<void> {
    const connecting = admin.connect();
    const { brokers, connectTimeoutMs } = this.#options;
    const timeoutMs = connectTimeoutMs * (brokers.length + 1);
    const timeout = clock.delay(timeoutMs, { ref: false }).then(() => "timeout" as const);
    if ((await Promise.race([connecting, timeout])) !== "timeout") return;
    // kafkajs goes on trying, and may still succeed; whatever it opens then is closed.
    const disconnectLater = () => disconnect(admin);
    connecting.then(disconnectLater, disconnectLater);
    throw new CertwireError(
      "CERTWIRE_SINK_UNREACHABLE",
      `no answer from ${brokers.join(", ")} within ${timeoutMs} ms`,
      {
        hint: "Something accepts connections there but does not answer as a Kafka broker does. Check the port, and whether it requires TLS (kafkas://).",
      },
    );
  }

  /** Does nothing while the check before is still under way, as with many topics or a slow broker. */
  async #checkTopics(): Promise<void> {
    if (this.#isChecking) return;
    this.#isChecking = true;
    const admin = this.#admin;
    const { changes, error } = await this.#topics.changes();
    this.#isChecking = false;
    if (admin !== this.#admin) return;
    this.#connectionFailure = error && toKafkaFailure(error);
    const [change] = changes;
    if (change === undefined) return;
    this.#changed = new CertwireError("CERTWIRE_SINK_CONFIG", change);
  }
}
