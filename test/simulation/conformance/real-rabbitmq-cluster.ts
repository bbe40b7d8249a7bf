import { type Channel, type ChannelModel, connect } from "amqplib";
import { connectAmqp } from "../../../src/amqp/connect.ts";
import { patienceMs, settled, until } from "../../support/until.ts";
import type { RabbitMqClusterSubject } from "./play-rabbitmq-cluster.ts";
import type { ClusterStep } from "./rabbitmq-cluster-script.ts";
import type { GuardedRabbitMq } from "./real-rabbitmq.ts";
import type { Settled } from "./virtual-time.ts";

/** Scripts that were played in this process, for the names of what they make. */
let scripts = 0;

const waiting = { mayThrow: true, everyMs: 100 };

/** Three real nodes, which scripts share, as the subject of one. */
export class RealRabbitMqCluster implements RabbitMqClusterSubject {
  readonly exchange: string;
  readonly #cluster: GuardedRabbitMq;
  readonly #queues = new Map<string, ClusterStep & { readonly do: "declare" }>();

  constructor(cluster: GuardedRabbitMq) {
    scripts += 1;
    this.#cluster = cluster;
    this.exchange = `conformance-cluster-${scripts}`;
  }

  connect(): Promise<ChannelModel> {
    return connectAmqp(this.#cluster.proxied, { name: "conformance", timeoutMs: patienceMs });
  }

  async settle<T>(start: () => Promise<T>): Promise<Settled<T>> {
    return settled(start(), "the broker has answered").then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
  }

  queueName(queue: number): string {
    return `${this.exchange}-queue-${queue}`;
  }

  async declare(step: ClusterStep & { readonly do: "declare" }): Promise<void> {
    const { kind, node } = step;
    const name = this.queueName(step.queue);
    await this.#onNode(node, async (channel) => {
      await channel.assertQueue(name, { durable: true, arguments: { "x-queue-type": kind } });
      await channel.bindQueue(name, this.exchange, name);
    });
    this.#queues.set(name, step);
  }

  async stopNode(node: number): Promise<void> {
    // What a node knows of its quorum queues it writes to disk only every two seconds.
    await this.#cluster.ctl(node, "eval", "[dets:sync(Table) || Table <- dets:all()].");
    await this.#cluster.kill9(node);
    const isMissed = async (): Promise<boolean> =>
      !(await this.#cluster.ctl(1, "eval", "nodes().")).includes(`r${node}@`);
    await until(isMissed, `the first node misses node ${node}`, waiting);
    if (!this.#cluster.version.startsWith("3.")) return;
    // Until it has noticed everything, RabbitMQ 3 refuses messages for the queues of the node; from then on they are not there.
    for (const [name, queue] of this.#queues) {
      if (queue.kind !== "classic" || queue.node !== node) continue;
      const program = `rabbit_amqqueue:lookup(rabbit_misc:r(<<"/">>, queue, <<"${name}">>))`;
      const isGone = async (): Promise<boolean> =>
        (await this.#cluster.ctl(1, "eval", `${program}.`)).includes("not_found");
      await until(isGone, `the first node misses queue ${name}`, waiting);
    }
  }

  async startNode(node: number): Promise<void> {
    await this.#cluster.restart(node);
    const isKnown = async (): Promise<boolean> =>
      (await this.#cluster.ctl(1, "eval", "mnesia:system_info(running_db_nodes).")).includes(
        `r${node}@`,
      );
    await until(isKnown, `the first node knows node ${node}`, waiting);
    await until(() => this.#areUsable(node), `the queues of node ${node} can be used`, waiting);
  }

  /** Whether each classic queue of a node can be asked for its length. */
  async #areUsable(node: number): Promise<boolean> {
    for (const [name, queue] of this.#queues) {
      if (queue.kind !== "classic" || queue.node !== node) continue;
      await this.#onNode(1, (channel) => channel.checkQueue(name));
    }
    return true;
  }

  async read(queue: number): Promise<readonly string[]> {
    const ids: string[] = [];
    await this.#onNode(1, async (channel) => {
      for (;;) {
        const message = await channel.get(this.queueName(queue), { noAck: true });
        if (message === false) return;
        ids.push(String(message.properties.messageId));
      }
    });
    return ids;
  }

  async clear(): Promise<void> {
    await this.#onNode(1, async (channel) => {
      for (const name of this.#queues.keys()) await channel.deleteQueue(name);
      await channel.deleteExchange(this.exchange);
    });
  }

  /** Does something as the operator, over a channel to a node. */
  async #onNode<T>(node: number, act: (channel: Channel) => Promise<T>): Promise<T> {
    const connection = await connect(this.#cluster.urls[node - 1] ?? "");
    try {
      const channel = await connection.createChannel();
      // Where an answer is that a queue is down, the channel ends too.
      channel.on("error", () => undefined);
      return await act(channel);
    } finally {
      await connection.close();
    }
  }
}
