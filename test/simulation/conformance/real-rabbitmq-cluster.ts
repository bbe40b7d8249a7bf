import { until } from "../../support/until.ts";
import type { RabbitMqClusterSubject } from "./play-rabbitmq-cluster.ts";
import { QueueLeaders } from "./queue-leaders.ts";
import type { ClusterStep } from "./rabbitmq-cluster-script.ts";
import { RealBroker } from "./real-broker.ts";

const waiting = { mayThrow: true, everyMs: 100 };

/** Three real nodes, which scripts share, as the subject of one. */
export class RealRabbitMqCluster extends RealBroker implements RabbitMqClusterSubject {
  readonly #leaders = new QueueLeaders();
  readonly #queues = new Map<string, ClusterStep & { readonly do: "declare" }>();

  get exchange(): string {
    return `${this.prefix}-cluster`;
  }

  async declare(step: ClusterStep & { readonly do: "declare" }): Promise<void> {
    const { kind, node } = step;
    const name = this.queueName(step.queue);
    await this.onNode(node, async (channel) => {
      await channel.assertQueue(name, { durable: true, arguments: { "x-queue-type": kind } });
      await channel.bindQueue(name, this.exchange, name);
    });
    this.#queues.set(name, step);
    if (kind === "quorum") this.#leaders.declared(step.queue, node);
  }

  async stopNode(node: number): Promise<void> {
    // What a node knows of its quorum queues it writes to disk only every two seconds.
    await this.cluster.ctl(node, "eval", "[dets:sync(Table) || Table <- dets:all()].");
    await this.cluster.kill9(node);
    const isMissed = async (): Promise<boolean> =>
      !(await this.evaluate("nodes()")).includes(`r${node}@`);
    await until(isMissed, `the first node misses node ${node}`, waiting);
    this.#leaders.stop(node);
    await this.#haveLeaders();
    if (!this.cluster.version.startsWith("3.")) return;
    // Until it has noticed everything, RabbitMQ 3 refuses messages for the queues of the node; from then on they are not there.
    for (const [name, queue] of this.#queues) {
      if (queue.kind !== "classic" || queue.node !== node) continue;
      const isGone = async (): Promise<boolean> =>
        (await this.evaluate(lookup(name))).includes("not_found");
      await until(isGone, `the first node misses queue ${name}`, waiting);
    }
  }

  async startNode(node: number): Promise<void> {
    await this.cluster.restart(node);
    const isKnown = async (): Promise<boolean> =>
      (await this.evaluate("mnesia:system_info(running_db_nodes)")).includes(`r${node}@`);
    await until(isKnown, `the first node knows node ${node}`, waiting);
    this.#leaders.start(node);
    await this.#haveLeaders();
    await until(() => this.#areUsable(node), `the queues of node ${node} can be used`, waiting);
  }

  /** Whether each classic queue of a node can be asked for its length. */
  async #areUsable(node: number): Promise<boolean> {
    for (const [name, queue] of this.#queues) {
      if (queue.kind !== "classic" || queue.node !== node) continue;
      await this.onNode(1, (channel) => channel.checkQueue(name));
    }
    return true;
  }

  async read(queue: number): Promise<readonly string[]> {
    const ids: string[] = [];
    await this.onNode(1, async (channel) => {
      for (;;) {
        const message = await channel.get(this.queueName(queue), { noAck: true });
        if (message === false) return;
        ids.push(String(message.properties.messageId));
      }
    });
    return ids;
  }

  async clear(): Promise<void> {
    await this.onNode(1, async (channel) => {
      for (const name of this.#queues.keys()) await channel.deleteQueue(name);
      await channel.deleteExchange(this.exchange);
    });
  }

  /** Where there is a majority, each quorum queue comes to have a leader that runs. */
  async #haveLeaders(): Promise<void> {
    if (!this.#leaders.hasMajority) return;
    const { stopped } = this.#leaders;
    for (const [name, { kind }] of this.#queues) {
      if (kind !== "quorum") continue;
      const program = `{ok, Q} = ${lookup(name)}, {_, Node} = amqqueue:get_pid(Q), Node`;
      const isLed = async (): Promise<boolean> => {
        const leader = await this.evaluate(program);
        return ![...stopped].some((node) => leader.includes(`r${node}@`));
      };
      await until(isLed, `queue ${name} has a leader`, waiting);
    }
  }
}

/** Finds a queue, in Erlang. */
function lookup(queue: string): string {
  return `rabbit_amqqueue:lookup(rabbit_misc:r(<<"/">>, queue, <<"${queue}">>))`;
}
