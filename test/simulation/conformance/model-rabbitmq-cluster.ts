import { ModelBroker } from "./model-broker.ts";
import type { RabbitMqClusterSubject } from "./play-rabbitmq-cluster.ts";
import { QueueLeaders } from "./queue-leaders.ts";
import type { ClusterStep } from "./rabbitmq-cluster-script.ts";

/** The model as the subject of a script. */
export class ModelRabbitMqCluster extends ModelBroker implements RabbitMqClusterSubject {
  readonly exchange = "exchange";
  readonly #leaders = new QueueLeaders();
  readonly #queues = new Map<number, ClusterStep & { readonly do: "declare" }>();

  async declare(step: ClusterStep & { readonly do: "declare" }): Promise<void> {
    const { queue, kind, node } = step;
    const name = this.queueName(queue);
    this.#queues.set(queue, step);
    if (kind === "quorum") this.#leaders.declared(queue, node);
    this.model.declareQueue(name, { kind });
    this.model.bind(name, this.exchange, name);
  }

  async stopNode(node: number): Promise<void> {
    this.#leaders.stop(node);
    this.#apply();
  }

  async startNode(node: number): Promise<void> {
    this.#leaders.start(node);
    this.#apply();
  }

  #apply(): void {
    const { stopped, hasMajority } = this.#leaders;
    for (const [queue, { kind, node }] of this.#queues) {
      const isDown = kind === "classic" && stopped.has(node);
      const isWithoutMajority = kind === "quorum" && !hasMajority;
      const isLeaderless = this.#leaders.of(queue) === "lost";
      this.model.setQueue(this.queueName(queue), { isDown, isWithoutMajority, isLeaderless });
    }
  }

  async read(queue: number): Promise<readonly string[]> {
    return (this.model.read(this.queueName(queue)) ?? []).map(({ messageId }) => messageId);
  }
}
