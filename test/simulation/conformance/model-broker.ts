import type { ChannelModel } from "amqplib";
import { RabbitMqModel } from "../rabbitmq.ts";
import { Random } from "../random.ts";
import { VirtualTime } from "./virtual-time.ts";

/** The model of RabbitMQ, as far as the subjects of all scripts use it in the same way. */
export class ModelBroker {
  protected readonly time = new VirtualTime();
  protected readonly model: RabbitMqModel;

  readonly version: string;

  /** `version`: that of the broker with which it is compared. */
  constructor(version: string) {
    this.version = version;
    this.model = new RabbitMqModel(this.time.scheduler, new Random(1), version);
  }

  connect(): Promise<ChannelModel> {
    return this.model.connect({ timeout: 60_000 }) as Promise<ChannelModel>;
  }

  settle<T>(start: () => Promise<T>) {
    return this.time.settle(start);
  }

  queueName(queue: number): string {
    return `queue-${queue}`;
  }

  async clear(): Promise<void> {
    // Each script has a model of its own.
  }
}
