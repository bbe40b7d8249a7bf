import { createHash } from "node:crypto";
import type { EventEmitter } from "node:events";
import type { ChannelModel, ConfirmChannel, Message } from "amqplib";
import { isNack } from "../../../src/amqp/amqplib.ts";
import { contentRefusalOf, toRabbitMqFailure } from "../../../src/sinks/rabbitmq/errors.ts";
import { describeFailure } from "./outcome.ts";
import type { MessageLoss, OperatorStep, RabbitMqStep } from "./rabbitmq-script.ts";
import type { Settled } from "./virtual-time.ts";

/** A message as it is read back. */
export interface ReadMessage {
  readonly exchange: string;
  readonly routingKey: string;
  readonly messageId: string;
  readonly content: string;
}

/** A broker that a script is played on: a real one, or the model. */
export interface RabbitMqSubject {
  connect(): Promise<ChannelModel>;
  /** Waits for an answer of the broker. */
  settle<T>(start: () => Promise<T>): Promise<Settled<T> | undefined>;
  operate(step: OperatorStep): Promise<void>;
  /**
   * Starts a publish of so many messages on a channel whose connection breaks: before the broker gets any, or once it has
   * handled all. Resolves with the result of `start`.
   */
  publishAndLose<T>(
    loss: MessageLoss,
    on: { readonly channel: ConfirmChannel; readonly messages: number },
    start: () => Promise<T>,
  ): Promise<T>;
  exchangeName(exchange: number): string;
  queueName(queue: number): string;
  /** What is in a queue that exists; `undefined` without one. */
  read(queue: number): Promise<readonly ReadMessage[] | undefined>;
  /** Deletes what the script has made. */
  clear(): Promise<void>;
}

const none = "-";
const queues = [0, 1, 2];

/** Plays a script on a broker. Returns one line for each step, and one for each message that is read back at the end. */
export async function playRabbitMq(
  script: readonly RabbitMqStep[],
  subject: RabbitMqSubject,
): Promise<string[]> {
  const player = new Player(subject);
  const lines: string[] = [];
  try {
    for (const [index, step] of script.entries()) {
      lines.push(`${index} ${JSON.stringify(step)}: ${await player.play(step, index)}`);
    }
    lines.push(`end: ${await player.end()}`);
    for (const queue of queues) lines.push(...(await readQueue(subject, queue)));
  } finally {
    await player.end();
    await subject.clear();
  }
  return lines;
}

async function readQueue(subject: RabbitMqSubject, queue: number): Promise<string[]> {
  const messages = await subject.read(queue);
  if (messages === undefined) return [`queue ${queue}: missing`];
  return messages.map(({ exchange, routingKey, messageId, content }, at) => {
    const hash = createHash("sha256").update(content).digest("hex").slice(0, 12);
    const place = exchange === subject.exchangeName(0) ? 0 : 1;
    return `queue ${queue}@${at} exchange ${place} ${routingKey} ${messageId} ${content.length} ${hash}`;
  });
}

interface PlayedConnection {
  readonly model: ChannelModel;
  readonly ended: Promise<unknown>;
  error: unknown;
  isOpen: boolean;
  /** True from the first publish under an alarm on: the broker reads nothing of it. */
  isBlocked: boolean;
}

interface PlayedChannel {
  readonly channel: ConfirmChannel;
  readonly connection: PlayedConnection;
  readonly closed: Promise<unknown>;
  readonly returned: Set<unknown>;
  error: unknown;
  isOpen: boolean;
}

class Player {
  readonly #subject: RabbitMqSubject;
  readonly #connections = new Map<number, PlayedConnection>();
  readonly #channels = new Map<number, PlayedChannel>();
  /** Publishes whose connection is blocked. */
  #waiting: (() => Promise<string>)[] = [];
  #isBlocking = false;
  /** What the operator has to undo before the next script. */
  readonly #undo = new Map<string, OperatorStep>();

  constructor(subject: RabbitMqSubject) {
    this.#subject = subject;
  }

  /** What a step comes to; `-` if there is nothing to do. */
  async play(step: RabbitMqStep, index: number): Promise<string> {
    switch (step.do) {
      case "connect":
        return this.#connect(step.connection);
      case "disconnect":
        return this.#disconnect(step.connection);
      case "open":
        return this.#open(step.channel);
      case "close":
        return this.#on(step.channel, ({ channel }) => channel.close());
      case "declare-exchange":
        return this.#on(step.channel, ({ channel }) =>
          channel.assertExchange(this.#subject.exchangeName(step.exchange), step.type, {
            durable: true,
          }),
        );
      case "check-exchange":
        return this.#on(step.channel, ({ channel }) =>
          channel.checkExchange(this.#subject.exchangeName(step.exchange)),
        );
      case "declare-queue":
        return this.#on(step.channel, ({ channel }) => this.#declareQueue(channel, step));
      case "bind":
        return this.#on(step.channel, ({ channel }) =>
          channel.bindQueue(
            this.#subject.queueName(step.queue),
            this.#subject.exchangeName(step.exchange),
            step.pattern,
          ),
        );
      case "publish":
        // A script in which nothing is open any more shows nothing.
        await this.#open(step.channel);
        return this.#publish(step, index);
      default:
        return this.#operate(step);
    }
  }

  /** Undoes what the operator did and closes the connections. Returns what came of the publishes that waited. */
  async end(): Promise<string> {
    const waited = this.#isBlocking ? await this.#operate({ do: "unblock" }) : none;
    for (const step of this.#undo.values()) await this.#subject.operate(step);
    this.#undo.clear();
    for (const number of this.#connections.keys()) await this.#disconnect(number);
    return waited;
  }

  async #connect(number: number): Promise<string> {
    if (this.#connections.get(number)?.isOpen === true) return none;
    const settled = await this.#subject.settle(() => this.#subject.connect());
    if (settled === undefined) return "no answer";
    if ("error" in settled) return describe(settled.error);
    const { value: model } = settled;
    const connection: PlayedConnection = {
      model,
      ended: emitted(model, "close"),
      error: undefined,
      isOpen: true,
      isBlocked: false,
    };
    model.on("error", (error) => {
      connection.error = error;
    });
    model.on("close", () => {
      connection.isOpen = false;
    });
    this.#connections.set(number, connection);
    return "connected";
  }

  async #disconnect(number: number): Promise<string> {
    const connection = this.#connections.get(number);
    if (connection === undefined || !connection.isOpen || connection.isBlocked) return none;
    const { model, ended } = connection;
    return this.#outcome(() => Promise.all([model.close(), ended]), connection);
  }

  /** A channel with an even number is on one connection, one with an odd number on the other. */
  async #open(number: number): Promise<string> {
    const connection = this.#connections.get(number % 2);
    if (connection === undefined || !connection.isOpen || connection.isBlocked) return none;
    if (this.#channels.get(number)?.isOpen === true) return none;
    const opening = async (): Promise<void> => {
      const channel = await connection.model.createConfirmChannel();
      const played: PlayedChannel = {
        channel,
        connection,
        closed: emitted(channel, "close"),
        returned: new Set(),
        error: undefined,
        isOpen: true,
      };
      channel.on("error", (error) => {
        played.error = error;
      });
      channel.on("close", () => {
        played.isOpen = false;
      });
      channel.on("return", ({ fields, properties }: Message) => {
        const { replyCode } = fields as { readonly replyCode?: number };
        if (replyCode === 312) played.returned.add(properties.messageId);
      });
      this.#channels.set(number, played);
    };
    return this.#outcome(opening, connection);
  }

  /** Does something on a channel that is open. */
  async #on(number: number, act: (played: PlayedChannel) => Promise<unknown>): Promise<string> {
    const played = this.#channels.get(number);
    if (played === undefined || !played.isOpen || played.connection.isBlocked) return none;
    return this.#outcome(() => act(played), played.connection);
  }

  #declareQueue(
    channel: ConfirmChannel,
    { queue, kind, maxLength }: RabbitMqStep & { readonly do: "declare-queue" },
  ): Promise<unknown> {
    const limit = maxLength !== undefined && {
      "x-max-length": maxLength,
      "x-overflow": "reject-publish",
    };
    const args = { "x-queue-type": kind, ...limit };
    return channel.assertQueue(this.#subject.queueName(queue), { durable: true, arguments: args });
  }

  async #publish(step: RabbitMqStep & { readonly do: "publish" }, index: number): Promise<string> {
    const played = this.#channels.get(step.channel);
    if (played === undefined || !played.isOpen || played.connection.isBlocked) return none;
    const { connection } = played;
    // The broker does not say which of two connections it reads first once the alarm is over.
    if (this.#waiting.length > 0) return none;
    const { loses, keys } = step;
    if (loses !== undefined && !this.#isBlocking) {
      const send = () => this.#sendAll(played, step, index);
      const on = { channel: played.channel, messages: keys.length };
      return this.#described(() => this.#subject.publishAndLose(loses, on, send));
    }
    const blocked = this.#isBlocking ? emitted(connection.model, "blocked") : undefined;
    const sending = this.#sendAll(played, step, index);
    if (blocked === undefined) return this.#described(() => sending);
    await this.#subject.settle(() => blocked);
    connection.isBlocked = true;
    this.#waiting.push(() => this.#described(() => sending));
    return "blocked";
  }

  async #described(act: () => Promise<string>): Promise<string> {
    const settled = await this.#subject.settle(act);
    if (settled === undefined) return "no answer";
    return "value" in settled ? settled.value : describe(settled.error);
  }

  async #sendAll(
    played: PlayedChannel,
    { exchange, keys, bytes }: RabbitMqStep & { readonly do: "publish" },
    index: number,
  ): Promise<string> {
    const name = this.#subject.exchangeName(exchange);
    const { connection } = played;
    const each = keys.map((key, at) => {
      const messageId = `${index}.${at}`;
      const content = Buffer.from(`${messageId}#`.padEnd(bytes, "."));
      const options = { persistent: true, mandatory: true, messageId };
      return new Promise<string>((resolve) => {
        played.channel.publish(name, key, content, options, (error: unknown) => {
          if (error) resolve(isNack(error) ? "nack" : "lost");
          else resolve(played.returned.has(messageId) ? "returned" : "ack");
        });
      });
    });
    const results = await Promise.all(each);
    if (!results.includes("lost")) return results.join();
    await played.closed;
    // Without a reason of its own the channel has ended with the connection, whose error comes after that.
    if (played.error === undefined) await connection.ended;
    return `${results.join()}: ${describe(played.error ?? connection.error)}`;
  }

  async #operate(step: OperatorStep): Promise<string> {
    if (step.do === "unblock" ? !this.#isBlocking : step.do === "block" && this.#isBlocking) {
      return none;
    }
    // A broker that is blocked reads nothing that could be lost.
    if (step.do === "restart" && this.#isBlocking) return none;
    this.#remember(step);
    const settled = await this.#subject.settle(() => this.#subject.operate(step));
    if (settled !== undefined && "error" in settled) throw settled.error;
    if (step.do === "restart") await this.#allEnded();
    this.#isBlocking = step.do === "block" || (this.#isBlocking && step.do !== "unblock");
    if (step.do !== "unblock") return "done";
    const outcomes: string[] = [];
    for (const waiting of this.#waiting.splice(0)) outcomes.push(await waiting());
    for (const connection of this.#connections.values()) connection.isBlocked = false;
    return ["done", ...outcomes].join("; ");
  }

  async #allEnded(): Promise<void> {
    for (const { ended } of this.#connections.values()) await this.#subject.settle(() => ended);
  }

  #remember(step: OperatorStep): void {
    const undo = undoOf(step);
    if (undo !== undefined) this.#undo.set(JSON.stringify(undo), undo);
  }

  async #outcome(act: () => Promise<unknown>, connection: PlayedConnection): Promise<string> {
    const settled = await this.#subject.settle(act);
    if (settled === undefined) return "no answer";
    return "value" in settled ? "done" : describe(connection.error ?? settled.error);
  }
}

/** Waits for an event; unlike `once` of Node.js also after an error. */
function emitted(emitter: EventEmitter, name: string): Promise<unknown> {
  return new Promise((resolve) => {
    emitter.once(name, resolve);
  });
}

/** What takes back a step that later scripts must not see. */
function undoOf(step: OperatorStep): OperatorStep | undefined {
  switch (step.do) {
    case "deny":
      return { do: "allow", exchange: step.exchange };
    case "limit-bytes":
      return { do: "limit-bytes", bytes: 16_777_216 };
    case "limit-channels":
      return { do: "limit-channels", channels: 2047 };
    case "refuse-connections":
      return { do: "accept-connections" };
    case "refuse-channels":
      return { do: "accept-channels" };
    case "change-password":
      return { do: "restore-password" };
    default:
      return undefined;
  }
}

function describe(error: unknown): string {
  const failure = describeFailure(toRabbitMqFailure(error));
  return contentRefusalOf(error)?.isTooLarge === true ? `${failure}, too large` : failure;
}
