import type { ChannelModel, ConfirmChannel } from "amqplib";
import { RabbitMqModel } from "../rabbitmq.ts";
import { reset, type SimulatedConnection } from "../rabbitmq-connection.ts";
import { Random } from "../random.ts";
import type { RabbitMqSubject, ReadMessage } from "./play-rabbitmq.ts";
import type { MessageLoss, OperatorStep, SwitchStep } from "./rabbitmq-script.ts";
import { VirtualTime } from "./virtual-time.ts";

/** Within which time the model has handled what was published, in ms. */
const handledMs = 1000;

/** The model as the subject of a script. */
export class ModelRabbitMq implements RabbitMqSubject {
  readonly #time = new VirtualTime();
  readonly #model: RabbitMqModel;

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

  exchangeName(exchange: number): string {
    return `exchange-${exchange}`;
  }

  queueName(queue: number): string {
    return `queue-${queue}`;
  }

  async publishAndLose<T>(
    loss: MessageLoss,
    { channel }: { readonly channel: ConfirmChannel },
    start: () => Promise<T>,
  ): Promise<T> {
    const { connection } = channel as unknown as { readonly connection: SimulatedConnection };
    const model = this.#model;
    const published = start();
    if (loss === "confirms") {
      model.set({ ...model.faults, isMute: true });
      await new Promise<void>((resolve) => {
        this.#time.scheduler.after(handledMs, resolve);
      });
      model.set({ ...model.faults, isMute: false });
    }
    connection.end(reset());
    return published;
  }

  async operate(step: OperatorStep): Promise<void> {
    const model = this.#model;
    switch (step.do) {
      case "delete-queue":
        model.deleteQueue(this.queueName(step.queue));
        break;
      case "delete-exchange":
        model.deleteExchange(this.exchangeName(step.exchange));
        break;
      case "deny":
        model.deniedWrites.add(this.exchangeName(step.exchange));
        model.forgetRights();
        break;
      case "allow":
        model.deniedWrites.delete(this.exchangeName(step.exchange));
        break;
      case "limit-bytes":
        model.maxMessageBytes = step.bytes;
        break;
      case "limit-channels":
        model.channelMax = step.channels;
        break;
      default:
        this.#switch(step.do);
    }
  }

  #switch(what: SwitchStep["do"]): void {
    const model = this.#model;
    const switches: Readonly<Record<typeof what, () => void>> = {
      "refuse-connections": () => {
        model.maxConnections = 0;
      },
      "accept-connections": () => {
        model.maxConnections = Infinity;
      },
      "refuse-channels": () => {
        model.userChannels = 0;
      },
      "accept-channels": () => {
        model.userChannels = Infinity;
      },
      "change-password": () => model.set({ ...model.faults, isForbidden: true }),
      "restore-password": () => model.set({ ...model.faults, isForbidden: false }),
      block: () => model.set({ ...model.faults, isBlocked: true }),
      unblock: () => model.set({ ...model.faults, isBlocked: false }),
      restart: () => model.dropConnections(),
    };
    switches[what]();
  }

  async read(queue: number): Promise<readonly ReadMessage[] | undefined> {
    return this.#model
      .read(this.queueName(queue))
      ?.map((message) => ({ ...message, content: message.content.toString() }));
  }

  async clear(): Promise<void> {
    // Each script has a model of its own.
  }
}
