import { setTimeout as delay } from "node:timers/promises";
import type { Admin, Kafka } from "kafkajs";
import type { Logger } from "pino";
import { CertwireError } from "../../errors/certwire-error.ts";
import type { OutboundEvent } from "../../events/outbound-event.ts";
import { publishOn } from "../broker-lane.ts";
import { leastEventBytes } from "../common-options.ts";
import type { DestinationFinding, PublishOutcome, Sink, SinkFailure, SinkLimits } from "../sink.ts";
import { SizeLimit } from "../size-limit.ts";
import { createKafka, disconnect } from "./client.ts";
import { toKafkaError } from "./errors.ts";
import { KafkaLane, sendOverhead } from "./lane.ts";
import type { ResolvedKafkaSinkOptions } from "./options.ts";
import { partitionOf } from "./partitioner.ts";
import { examineTopic, readLayout, type TopicState } from "./topic.ts";

/** How long a limit that was learned from a refusal holds before larger events are tried again, in ms. */
const learnedForMs = 3_600_000;

/** Publishes to one Kafka topic over strict lanes; a partition belongs to the lane with its number modulo `lanes`. */
export class KafkaSink implements Sink {
  readonly kind = "kafka";
  readonly name: string;
  findings: readonly DestinationFinding[] = [];
  readonly #options: ResolvedKafkaSinkOptions;
  readonly #log: Logger;
  readonly #sizeLimit: SizeLimit;
  #lanes: KafkaLane[] = [];
  #topic: TopicState = { partitions: 0, findings: [] };
  #changed: CertwireError | undefined;
  #admin: Admin | undefined;
  #watch: NodeJS.Timeout | undefined;

  constructor(options: ResolvedKafkaSinkOptions, log: Logger) {
    this.name = options.name;
    this.#options = options;
    this.#log = log;
    this.#sizeLimit = new SizeLimit(options.limits);
  }

  get lanes(): number {
    return this.#lanes.length;
  }

  get limits(): SinkLimits {
    return this.#sizeLimit.limits;
  }

  async open(signal?: AbortSignal): Promise<void> {
    await this.close();
    let admin: Admin | undefined;
    let lanes: KafkaLane[] = [];
    try {
      const kafka = createKafka(this.#options, this.#log);
      admin = kafka.admin();
      await this.#withinTime(admin);
      this.#use(await examineTopic(admin, this.#options.topic));
      lanes = this.#createLanes(kafka);
      await lanes[0]?.open();
      signal?.throwIfAborted();
      this.#admin = admin;
      this.#lanes = lanes;
    } catch (error) {
      await Promise.all([...lanes.map((lane) => lane.close()), admin && disconnect(admin)]);
      throw toKafkaError(error, `cannot open topic "${this.#options.topic}"`);
    }
    const intervalMs = this.#options.partitionCheckSeconds * 1000;
    this.#watch = setInterval(() => void this.#checkTopic(), intervalMs);
    this.#watch.unref();
  }

  laneOf(event: OutboundEvent): number {
    return partitionOf(event.partitionKey, this.#topic.partitions) % this.#lanes.length;
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
    const { partitions, maxMessageBytes = Infinity } = this.#topic;
    const host = {
      kafka,
      options: this.#options,
      partitions,
      maxSendBytes: maxMessageBytes,
      refused: (event: OutboundEvent) => this.#refused(event),
    };
    const count = Math.min(partitions, this.#options.maxLanes);
    return Array.from({ length: count }, () => new KafkaLane(host));
  }

  /** A port that accepts connections and never answers would hold kafkajs up for much longer. */
  async #withinTime(admin: Admin): Promise<void> {
    const connecting = admin.connect();
    const { brokers, connectTimeoutMs } = this.#options;
    const timeoutMs = connectTimeoutMs * (brokers.length + 1);
    const timeout = delay(timeoutMs, "timeout" as const, { ref: false });
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

  /** Takes over what the topic is like now: its partitions, and the size of an event that it accepts. */
  #use(topic: TopicState): void {
    this.#topic = topic;
    const { maxMessageBytes = Infinity } = topic;
    const accepted = maxMessageBytes - sendOverhead;
    if (accepted < leastEventBytes) throw tooSmall(this.#options.topic, maxMessageBytes);
    if (this.#sizeLimit.apply(accepted)) {
      this.#log.warn(
        { topic: this.#options.topic, maxEventBytes: this.limits.maxEventBytes },
        "the topic accepts smaller events only; larger ones are made to fit",
      );
    }
    this.#report(topic.findings);
  }

  /** Logs what is new among the findings. */
  #report(findings: readonly DestinationFinding[]): void {
    const known = new Set(this.findings.map(({ message }) => message));
    this.findings = findings;
    for (const { message, hint } of findings) {
      if (!known.has(message)) this.#log.warn({ topic: this.#options.topic, hint }, message);
    }
  }

  /** The broker refused an event alone as too large: the topic's limit has changed, or cannot be read. */
  #refused(event: OutboundEvent): SinkFailure {
    const { topic } = this.#options;
    const refusal = `topic "${topic}" refuses an event of ${event.json.length} bytes as too large`;
    if (this.#sizeLimit.learnFrom(event)) {
      const cause = new CertwireError("CERTWIRE_SINK_REJECTED", refusal);
      return { kind: "reset", scope: "sink", cause };
    }
    const hint = "Raise max.message.bytes of the topic.";
    return { kind: "config", cause: new CertwireError("CERTWIRE_SINK_CONFIG", refusal, { hint }) };
  }

  /**
   * With more partitions the same keys map to other partitions, and with another limit events are made to fit
   * differently, so all lanes must be laid out again.
   */
  async #checkTopic(): Promise<void> {
    const admin = this.#admin;
    if (admin === undefined) return;
    try {
      const before = this.#topic;
      const layout = await readLayout(admin, this.#options.topic, before);
      if (admin !== this.#admin) return;
      const { partitions, maxMessageBytes } = layout;
      if (partitions !== before.partitions) {
        this.#change(`now has ${partitions} partitions instead of ${before.partitions}`);
      } else if (maxMessageBytes !== before.maxMessageBytes) {
        this.#change(`now has max.message.bytes ${maxMessageBytes ?? "unreadable"}`);
      } else if (this.#sizeLimit.forgetAfter(learnedForMs)) {
        this.#change("is tried again with events of their whole size");
      }
    } catch (error) {
      this.#log.debug(
        { error: toKafkaError(error, "cannot examine the topic").message },
        "partition check failed",
      );
    }
  }

  #change(what: string): void {
    const message = `topic "${this.#options.topic}" ${what}`;
    this.#changed = new CertwireError("CERTWIRE_SINK_CONFIG", message);
  }
}

function tooSmall(topic: string, maxMessageBytes: number): CertwireError {
  return new CertwireError(
    "CERTWIRE_SINK_CONFIG",
    `max.message.bytes ${maxMessageBytes} of topic "${topic}" is too small: an event can be made as small as ${leastEventBytes} bytes`,
    {
      hint: `Set max.message.bytes to ${leastEventBytes + sendOverhead} or more; the default is 1048588.`,
    },
  );
}
