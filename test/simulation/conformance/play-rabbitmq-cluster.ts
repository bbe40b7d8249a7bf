import type { ChannelModel, ConfirmChannel, Message } from "amqplib";
import { isNack } from "../../../src/amqp/amqplib.ts";
import { QueueLeaders } from "./queue-leaders.ts";
import type { ClusterStep } from "./rabbitmq-cluster-script.ts";
import type { Settled } from "./virtual-time.ts";

/** A cluster that a script is played on: a real one, or the model. */
export interface RabbitMqClusterSubject {
  /** Connects to the first node. */
  connect(): Promise<ChannelModel>;
  /** Waits for an answer of the broker. */
  settle<T>(start: () => Promise<T>): Promise<Settled<T> | undefined>;
  /** Declares a queue on a node, and binds it to the exchange for its name. */
  declare(step: ClusterStep & { readonly do: "declare" }): Promise<void>;
  /** Ends a node at once; the others have noticed. */
  stopNode(node: number): Promise<void>;
  /** Starts a node; its queues can be used. */
  startNode(node: number): Promise<void>;
  readonly exchange: string;
  queueName(queue: number): string;
  /** The ids of the messages in a queue. */
  read(queue: number): Promise<readonly string[]>;
  clear(): Promise<void>;
}

const none = "-";
const queues = [0, 1, 2];

/** Plays a script on a cluster. Returns one line for each step, and one for each queue that is read back at the end. */
export async function playRabbitMqCluster(
  script: readonly ClusterStep[],
  subject: RabbitMqClusterSubject,
): Promise<string[]> {
  const player = new Player(subject);
  const lines: string[] = [];
  try {
    await player.open();
    for (const [index, step] of script.entries()) {
      lines.push(`${index} ${JSON.stringify(step)}: ${await player.play(step, index)}`);
    }
    lines.push(`end: ${await player.startAll()}`);
    for (const queue of queues) lines.push(`queue ${queue}: ${(await subject.read(queue)).join()}`);
  } finally {
    await player.close();
    await subject.clear();
  }
  return lines;
}

class Player {
  readonly #subject: RabbitMqClusterSubject;
  readonly #leaders = new QueueLeaders();
  readonly #returned = new Set<unknown>();
  #connection: ChannelModel | undefined;
  #channel: ConfirmChannel | undefined;
  /** Queues that know the channel. */
  readonly #known = new Set<number>();
  /** Queues that may refuse all that the channel sends from now on. */
  readonly #refusing = new Set<number>();
  /** Messages in quorum queues that had no majority when they were published. */
  #waiting: { readonly id: string; readonly outcome: Promise<string>; isEarly: boolean }[] = [];

  constructor(subject: RabbitMqClusterSubject) {
    this.#subject = subject;
  }

  async open(): Promise<void> {
    await this.#settled(async () => {
      this.#connection = await this.#subject.connect();
      await this.#openChannel();
      await this.#channel?.assertExchange(this.#subject.exchange, "direct", { durable: true });
    });
  }

  async #openChannel(): Promise<void> {
    this.#known.clear();
    this.#refusing.clear();
    this.#channel = await this.#connection?.createConfirmChannel();
    this.#channel?.on("return", ({ properties }: Message) => {
      this.#returned.add(properties.messageId);
    });
  }

  async close(): Promise<void> {
    await this.#subject.settle(async () => this.#connection?.close());
  }

  /** What a step comes to; `-` if there is nothing to do. */
  async play(step: ClusterStep, index: number): Promise<string> {
    switch (step.do) {
      case "declare":
        if (step.kind === "quorum") this.#leaders.declared(step.queue, step.node);
        await this.#settled(() => this.#subject.declare(step));
        return "done";
      case "publish":
        return this.#publish(step.queues, index);
      case "open":
        await this.#settled(() => this.#openChannel());
        return "done";
      case "stop-node":
        if (this.#leaders.stopped.has(step.node)) return none;
        this.#leaders.stop(step.node);
        await this.#subject.stopNode(step.node);
        return "done";
      default:
        return this.#start(step.node);
    }
  }

  /** Starts the nodes that are down. Returns what came of the messages that waited for them. */
  async startAll(): Promise<string> {
    const outcomes: string[] = [];
    for (const node of this.#leaders.stopped) outcomes.push(await this.#start(node));
    return outcomes.join("; ") || none;
  }

  async #start(node: number): Promise<string> {
    if (!this.#leaders.stopped.has(node)) return none;
    this.#leaders.start(node);
    const early = this.#waiting.filter(({ isEarly }) => isEarly).map(({ id }) => id);
    await this.#subject.startNode(node);
    const outcomes: string[] = [];
    for (const { id, outcome } of this.#leaders.hasMajority ? this.#waiting.splice(0) : []) {
      outcomes.push(`${id} ${await this.#settled(() => outcome)}`);
    }
    return [early.length === 0 ? "done" : `done, too early: ${early.join()}`, ...outcomes].join(
      "; ",
    );
  }

  async #publish(targets: readonly number[], index: number): Promise<string> {
    const sent = this.#usable(targets).map((queue, at) => {
      const id = `${index}.${at}`;
      const outcome = this.#send(this.#subject.queueName(queue), id);
      return { id, outcome, mayWait: this.#mayWait(queue) };
    });
    if (sent.length === 0) return none;
    const outcomes: string[] = [];
    for (const { id, outcome, mayWait } of sent) {
      if (!mayWait) {
        outcomes.push((await this.#settled(() => outcome)) ?? "no answer");
        continue;
      }
      const waiting = { id, outcome, isEarly: false };
      const note = async (): Promise<void> => {
        await outcome;
        waiting.isEarly = true;
      };
      void note();
      this.#waiting.push(waiting);
      outcomes.push("waits");
    }
    return outcomes.join();
  }

  /**
   * The queues whose outcome can be known. Without a majority one that does not know the channel refuses it, which may
   * take long, and holds up all that is sent after. If it has no leader either, RabbitMQ 3 refuses all from then on,
   * until the node of the leader is back, and nobody knows which node that is once it has changed.
   */
  #usable(targets: readonly number[]): readonly number[] {
    const [stranger] = targets.filter((queue) => this.#isStrange(queue));
    const usable = targets.filter((queue) => !this.#isStrange(queue) && !this.#refusing.has(queue));
    for (const queue of usable) this.#known.add(queue);
    if (stranger === undefined) return usable;
    if (typeof this.#leaders.of(stranger) !== "number") this.#refusing.add(stranger);
    return [...usable, stranger];
  }

  #isStrange(queue: number): boolean {
    return this.#lacksMajority(queue) && !this.#known.has(queue);
  }

  #lacksMajority(queue: number): boolean {
    return this.#leaders.of(queue) !== undefined && !this.#leaders.hasMajority;
  }

  /** True if a message is confirmed only once there is a majority again. */
  #mayWait(queue: number): boolean {
    return this.#lacksMajority(queue) && this.#known.has(queue);
  }

  #send(routingKey: string, messageId: string): Promise<string> {
    return new Promise((resolve) => {
      const options = { persistent: true, mandatory: true, messageId };
      const content = Buffer.from(messageId);
      this.#channel?.publish(this.#subject.exchange, routingKey, content, options, (error) => {
        if (error) resolve(isNack(error) ? "nack" : "lost");
        else resolve(this.#returned.has(messageId) ? "returned" : "ack");
      });
    });
  }

  async #settled<T>(start: () => Promise<T>): Promise<T | undefined> {
    const settled = await this.#subject.settle(start);
    if (settled !== undefined && "error" in settled) throw settled.error;
    return settled?.value;
  }
}
