import type { Admin } from "kafkajs";
import type { Logger } from "pino";
import { CertwireError } from "../../errors/certwire-error.ts";
import type { OutboundEvent } from "../../events/outbound-event.ts";
import { logLine } from "../../log/log-line.ts";
import { kibibyte } from "../../units.ts";
import { leastEventBytes } from "../common-options.ts";
import type { DestinationFinding, SinkFailure, SinkLimits } from "../sink.ts";
import { SizeLimit } from "../size-limit.ts";
import { allTopics } from "./destinations.ts";
import { isLeaderless, toKafkaError } from "./errors.ts";
import type { ResolvedKafkaSinkOptions } from "./options.ts";
import { examineTopic, leaderless, readLayout, type TopicState } from "./topic.ts";
import { topicName } from "./topic-name.ts";

/** How long a limit that was learned from a refusal holds before larger events are tried again, in ms. */
const learnedForMs = 3_600_000;

/** The most that one event may cost beside its JSON in a send of its own, in bytes. */
const sendOverhead = kibibyte;

/** A topic of a sink, as it was examined last. */
interface KnownTopic extends TopicState {
  /** True if it was examined since the sink was opened: events in flight may be larger than it accepts. */
  readonly isLate: boolean;
}

/** The topics of one sink: those of its options, and those that values of events make, once they are used. */
export class KafkaTopics {
  readonly #options: ResolvedKafkaSinkOptions;
  readonly #log: Logger;
  /** Names without placeholders. */
  readonly #fixed: readonly string[];
  /** True if there may be more than one topic, so that findings name theirs. */
  readonly #areSeveral: boolean;
  /** How large an event may be, by topic. */
  readonly #sizeLimits = new Map<string, SizeLimit>();
  readonly #examining = new Map<string, Promise<TopicState>>();
  #known = new Map<string, KnownTopic>();
  /** Fixed topics without a leader at the opening that nobody has used since. */
  readonly #leaderless = new Set<string>();
  #admin: Admin | undefined;
  #reported: ReadonlySet<string> = new Set();

  constructor(options: ResolvedKafkaSinkOptions, log: Logger) {
    const all = allTopics(options);
    this.#options = options;
    this.#log = log;
    this.#fixed = all.filter((text) => topicName(text).isFixed);
    this.#areSeveral = all.length > 1 || this.#fixed.length === 0;
  }

  /** Settings of the known topics that put events at risk or make them smaller, and topics without a leader. */
  get findings(): readonly DestinationFinding[] {
    return [...this.#found(), ...this.#smaller()].map(([topic, finding]) =>
      this.#areSeveral ? naming(topic, finding) : finding,
    );
  }

  /** Most partitions of a topic; Infinity if there may be topics that are not known yet. */
  get mostPartitions(): number {
    const isAnyUnknown = this.#fixed.length < allTopics(this.#options).length;
    if (isAnyUnknown || this.#leaderless.size > 0) return Infinity;
    return Math.max(...this.#fixed.map((topic) => this.#known.get(topic)?.partitions ?? 1));
  }

  /**
   * Examines every topic whose name is known, and those that were used before if they are still there. One without a
   * leader is examined again when it is used, unless all are. Rejects with a CertwireError that names the topic.
   */
  async open(admin: Admin): Promise<void> {
    const used = [...this.#known.keys()].filter((topic) => !this.#fixed.includes(topic));
    this.#known = new Map();
    this.#leaderless.clear();
    this.#admin = admin;
    for (const topic of this.#fixed) await this.#examineFixed(admin, topic);
    for (const topic of used) {
      // Whoever uses it next learns what is wrong with it.
      await this.#examine(admin, topic, false).catch(() => undefined);
    }
    this.#report();
  }

  /** Forgets the connection; what is known of the topics stays until the next `open`. */
  close(): void {
    this.#admin = undefined;
    this.#examining.clear();
  }

  /** Partitions of a topic that was examined when the sink was opened. */
  partitionsAtOpen(topic: string): number | undefined {
    const known = this.#known.get(topic);
    return known === undefined || known.isLate ? undefined : known.partitions;
  }

  /** The state of a topic, which is examined when it is used for the first time. Rejects with a CertwireError. */
  async state(topic: string): Promise<TopicState> {
    const known = this.#known.get(topic);
    if (known !== undefined) return known;
    const admin = this.#admin;
    if (admin === undefined)
      throw new CertwireError("CERTWIRE_SINK_UNREACHABLE", "the sink is closed");
    let examining = this.#examining.get(topic);
    if (examining === undefined) {
      examining = this.#examine(admin, topic, true).finally(() => this.#examining.delete(topic));
      this.#examining.set(topic, examining);
    }
    const state = await examining;
    this.#report();
    return state;
  }

  /** The limits for one topic. */
  limitsOf(topic: string | undefined): SinkLimits {
    return this.#sizeLimits.get(topic ?? "")?.limits ?? this.#options.limits;
  }

  /** The broker refused an event alone as too large: the topic's limit has changed, or cannot be read. */
  refused(topic: string, event: OutboundEvent): SinkFailure {
    const refusal = `topic "${topic}" refuses an event of ${event.json.length} bytes as too large`;
    const isFromBefore =
      this.#known.get(topic)?.isLate === true &&
      event.json.length > this.limitsOf(topic).maxEventBytes;
    if (isFromBefore || this.#sizeLimitOf(topic).learnFrom(event)) {
      const cause = new CertwireError("CERTWIRE_SINK_REJECTED", refusal);
      return { kind: "reset", scope: "sink", cause };
    }
    const hint = "Raise max.message.bytes of the topic.";
    return { kind: "config", cause: new CertwireError("CERTWIRE_SINK_CONFIG", refusal, { hint }) };
  }

  /**
   * Reads the known topics again. `changes`: what has changed: with more partitions the same keys map to other partitions,
   * and with another limit events are made to fit differently, so all lanes must be laid out again. `error`: why none of
   * the topics could be read.
   */
  async changes(): Promise<{
    readonly changes: readonly string[];
    readonly error?: CertwireError;
  }> {
    const admin = this.#admin;
    const changes: string[] = [];
    const errors: CertwireError[] = [];
    for (const [topic, before] of this.#known) {
      if (admin === undefined || admin !== this.#admin) return { changes: [] };
      try {
        const change = await this.#changeOf(admin, topic, before);
        if (change !== undefined) changes.push(`topic "${topic}" ${change}`);
      } catch (error) {
        const failure = toKafkaError(error, `cannot examine topic "${topic}"`);
        logLine(this.#log, "partition check failed", { topic, error: failure.message });
        errors.push(failure);
      }
    }
    const [error] = errors.length === this.#known.size ? errors : [];
    return { changes, ...(error && { error }) };
  }

  async #changeOf(admin: Admin, topic: string, before: TopicState): Promise<string | undefined> {
    const { partitions, maxMessageBytes } = await readLayout(admin, topic, before);
    if (partitions !== before.partitions)
      return `now has ${partitions} partitions instead of ${before.partitions}`;
    if (maxMessageBytes !== before.maxMessageBytes)
      return `now has max.message.bytes ${maxMessageBytes ?? "unreadable"}`;
    const isForgotten = this.#sizeLimitOf(topic).forgetAfter(learnedForMs);
    return isForgotten ? "is tried again with events of their whole size" : undefined;
  }

  async #examineFixed(admin: Admin, topic: string): Promise<void> {
    try {
      await this.#examine(admin, topic, false);
    } catch (error) {
      if (!isLeaderless(error)) throw error;
      this.#leaderless.add(topic);
      if (this.#leaderless.size === allTopics(this.#options).length) throw error;
    }
  }

  async #examine(admin: Admin, topic: string, isLate: boolean): Promise<TopicState> {
    try {
      const state = await examineTopic(admin, topic);
      this.#applySizeLimit(topic, state);
      this.#known.set(topic, { ...state, isLate });
      this.#leaderless.delete(topic);
      return state;
    } catch (error) {
      throw toKafkaError(error, `cannot open topic "${topic}"`);
    }
  }

  #applySizeLimit(topic: string, { maxMessageBytes = Infinity }: TopicState): void {
    const accepted = maxMessageBytes - sendOverhead;
    if (accepted < leastEventBytes) throw tooSmall(topic, maxMessageBytes);
    if (!this.#sizeLimitOf(topic).apply(accepted)) return;
    const { maxEventBytes } = this.limitsOf(topic);
    const message = "the topic accepts smaller events only; larger ones are made to fit";
    logLine(this.#log, message, { topic, maxEventBytes });
  }

  #sizeLimitOf(topic: string): SizeLimit {
    const limit = this.#sizeLimits.get(topic) ?? new SizeLimit(this.#options.limits);
    this.#sizeLimits.set(topic, limit);
    return limit;
  }

  #found(): [topic: string, finding: DestinationFinding][] {
    const known = [...this.#known].map(([topic, { findings }]) => ({ topic, findings }));
    const waiting = [...this.#leaderless].map((topic) => ({ topic, findings: [leaderless] }));
    return [...known, ...waiting].flatMap(({ topic, findings }) =>
      findings.map((finding): [string, DestinationFinding] => [topic, finding]),
    );
  }

  /** Topics that take smaller events than the options allow; these are logged when the limit changes. */
  #smaller(): [topic: string, finding: DestinationFinding][] {
    const { maxEventBytes } = this.#options.limits;
    return [...this.#known].flatMap(([topic, { maxMessageBytes = Infinity }]) =>
      maxMessageBytes - sendOverhead < maxEventBytes
        ? [[topic, smaller(maxMessageBytes, maxEventBytes)] as [string, DestinationFinding]]
        : [],
    );
  }

  /** Logs what is new among the findings. */
  #report(): void {
    const found = this.#found().map(([topic, { message, hint }]) => ({ topic, message, hint }));
    const reported = this.#reported;
    const keyOf = (each: { topic: string; message: string }) => `${each.topic} ${each.message}`;
    this.#reported = new Set(found.map(keyOf));
    for (const each of found) {
      const { topic, message, hint } = each;
      if (reported.has(keyOf(each))) continue;
      logLine(this.#log, "the topic has a problem", { topic, finding: message, hint });
    }
  }
}

function naming(topic: string, finding: DestinationFinding): DestinationFinding {
  return { ...finding, message: `topic "${topic}": ${finding.message}` };
}

function smaller(maxMessageBytes: number, maxEventBytes: number): DestinationFinding {
  return {
    message: `max.message.bytes ${maxMessageBytes}: events above ${maxMessageBytes - sendOverhead} bytes lose their largest values, although maxEventBytes is ${maxEventBytes}`,
    hint: `Set max.message.bytes of the topic to ${maxEventBytes + sendOverhead} or more, or lower maxEventBytes.`,
  };
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
