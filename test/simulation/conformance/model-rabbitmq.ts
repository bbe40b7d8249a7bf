import type { ConfirmChannel } from "amqplib";
import { reset, type SimulatedConnection } from "../rabbitmq-connection.ts";
import { ModelBroker } from "./model-broker.ts";
import type { RabbitMqSubject, ReadMessage } from "./play-rabbitmq.ts";
import type { MessageLoss, OperatorStep, SwitchStep } from "./rabbitmq-script.ts";

/** Within which time the model has handled what was published, in ms. */
const handledMs = 1000;

/** The model as the subject of a script. */
export class ModelRabbitMq extends ModelBroker implements RabbitMqSubject {
  exchangeName(exchange: number): string {
    return `exchange-${exchange}`;
  }

  async publishAndLose<T>(
    loss: MessageLoss,
    { channel }: { readonly channel: ConfirmChannel },
    start: () => Promise<T>,
  ): Promise<T> {
    const { connection } = channel as unknown as { readonly connection: SimulatedConnection };
    const model = this.model;
    const published = start();
    if (loss === "confirms") {
      model.set({ ...model.faults, isMute: true });
      await new Promise<void>((resolve) => {
        this.time.scheduler.after(handledMs, resolve);
      });
      model.set({ ...model.faults, isMute: false });
    }
    connection.end(reset());
    return published;
  }

  async operate(step: OperatorStep): Promise<void> {
    const model = this.model;
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
    const model = this.model;
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
    return this.model
      .read(this.queueName(queue))
      ?.map((message) => ({ ...message, content: message.content.toString() }));
  }
}
