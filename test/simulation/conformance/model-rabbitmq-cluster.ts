import type { ChannelModel } from "amqplib";
import { RabbitMqModel } from "../rabbitmq.ts";
import { Random } from "../random.ts";
import type { RabbitMqClusterSubject } from "./play-rabbitmq-cluster.ts";
import type { ClusterStep } from "./rabbitmq-cluster-script.ts";
import { VirtualTime } from "./virtual-time.ts";

/** The model as the subject of a script. */
export class ModelRabbitMqCluster implements RabbitMqClusterSubject {
  readonly exchange = "exchange";
  readonly #time = new VirtualTime();
  readonly #model: RabbitMqModel;
  readonly #queues = new Map<string, ClusterStep & { readonly do: "declare" }>();
  readonly #stopped = new Set<number>();

  /** `version`: that of the broker with which it is compared. */
  constructor(version: string) {
    this.#model = new RabbitMqModel(this.#time.scheduler, new Random(1), version);
  }

  connect(): Promise<ChannelModel> {
    return this.#model.connect({ timeout: 60_000 }) as Promise<ChannelModel>;
  }

  settle<T>(start: () => Promise<T>) {
    return this.#time.settle(start);
  }

  queueName(queue: number): string {
    return `queue-${queue}`;
  }

  async declare(step: ClusterStep & { readonly do: "declare" }): Promise<void> {
    const name = this.queueName(step.queue);
    this.#queues.set(name, step);
    this.#model.declareQueue(name, { kind: step.kind });
    this.#model.bind(name, this.exchange, name);
  }

  async stopNode(node: number): Promise<void> {
    this.#stopped.add(node);
    this.#apply();
  }

  async startNode(node: number): Promise<void> {
    this.#stopped.delete(node);
    this.#apply();
  }

  #apply(): void {
    for (const [name, { kind, node }] of this.#queues) {
      const isDown = kind === "classic" && this.#stopped.has(node);
      const isWithoutMajority = kind === "quorum" && this.#stopped.size > 1;
      this.#model.setQueue(name, { isDown, isWithoutMajority });
    }
  }

  async read(queue: number): Promise<readonly string[]> {
    return (this.#model.read(this.queueName(queue)) ?? []).map(({ messageId }) => messageId);
  }

  async clear(): Promise<void> {
    // Each script has a model of its own.
  }
}
