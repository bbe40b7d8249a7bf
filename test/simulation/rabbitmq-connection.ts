import { EventEmitter } from "node:events";
import type {
  ExchangeType,
  PublishingChannel,
  QueuedMessage,
  QueueKind,
  RabbitMqModel,
  Refusal,
  WaitingQueue,
} from "./rabbitmq.ts";
import type { SimulatedProcess } from "./scheduler.ts";

/** A connection: what amqplib calls `Connection`, and `ChannelModel` as its `model`. */
export class SimulatedConnection extends EventEmitter {
  readonly broker: RabbitMqModel;
  readonly process: SimulatedProcess | undefined;
  readonly model: SimulatedModel;
  readonly serverProperties: { readonly version: string };
  readonly stream = { destroy: (error?: Error) => this.#cutOff(error) };
  readonly channelMax: number;
  /** What amqplib keeps of channels; nothing waits here. */
  readonly channels: readonly never[] = [];
  readonly open = new Set<SimulatedChannel>();
  /** What amqplib calls it. */
  blocked = false;
  isOpen = true;

  constructor(broker: RabbitMqModel) {
    super();
    this.broker = broker;
    this.process = broker.scheduler.process;
    this.channelMax = broker.channelMax;
    this.serverProperties = { version: broker.version };
    this.model = new SimulatedModel(this);
  }

  /** Runs as the process that has the connection, unless that was killed. */
  deliver(ms: number, run: () => void): void {
    this.broker.scheduler.after(ms, run, this.process);
  }

  setBlocked(isBlocked: boolean): void {
    if (this.blocked === isBlocked) return;
    this.blocked = isBlocked;
    this.deliver(0, () => {
      if (isBlocked) this.model.emit("blocked", "low on memory");
      else this.model.emit("unblocked");
      for (const channel of this.open) channel.resume();
    });
  }

  /** The connection breaks. amqplib ends the channels before it names the reason. */
  end(error: Error | undefined): void {
    if (!this.isOpen) return;
    this.forget();
    this.deliver(0, () => {
      for (const channel of this.open) channel.end(new Error("channel closed"));
      if (error !== undefined) this.model.emit("error", error);
      this.model.emit("close", error);
    });
  }

  forget(): void {
    this.isOpen = false;
    this.broker.forget(this);
  }

  #cutOff(error: Error | undefined): void {
    this.end(error ?? new Error("cut off"));
  }
}

class SimulatedModel extends EventEmitter {
  readonly connection: SimulatedConnection;

  constructor(connection: SimulatedConnection) {
    super();
    this.connection = connection;
  }

  createConfirmChannel(): Promise<SimulatedChannel> {
    const { connection } = this;
    const { broker } = connection;
    return new Promise((resolve, reject) => {
      if (!connection.isOpen) throw new Error("Connection closed");
      if (connection.open.size >= connection.channelMax) {
        throw new Error("No channels left to allocate");
      }
      const channel = new SimulatedChannel(connection);
      connection.open.add(channel);
      channel.answer(
        () => {
          if (broker.userChannelsInUse <= broker.userChannels) {
            resolve(channel);
            return;
          }
          const text =
            "NOT_ALLOWED - number of channels opened for user has reached the maximum allowed user limit";
          connection.end(closeError(530, text));
          const ended = new Error("Channel ended, no reply will be forthcoming");
          connection.deliver(0, () => reject(ended));
        },
        (error) => reject(error),
      );
    });
  }

  close(): Promise<void> {
    const { connection } = this;
    return new Promise((resolve) => {
      connection.deliver(1, () => {
        if (connection.broker.faults.isMute === true || !connection.isOpen) return;
        resolve();
        connection.end(undefined);
      });
    });
  }
}

/** How long a channel waits at most until a quorum queue knows it, in ms: `net_ticktime` of Erlang and 5 s. */
const introductionMs = 65_000;

/** What the broker knows of the arguments of a queue. */
interface QueueOptions {
  readonly arguments?: { readonly "x-queue-type"?: QueueKind; readonly "x-max-length"?: number };
}

interface Unconfirmed {
  readonly settle: (error: Error | null) => void;
}

class SimulatedChannel extends EventEmitter {
  readonly connection: SimulatedConnection;
  readonly ch = 1;
  readonly #unconfirmed = new Set<Unconfirmed>();
  readonly #failures = new Set<(error: Error) => void>();
  /** Exchanges that it has written to: the broker does not ask for the right again. */
  readonly #writable = new Set<string>();
  /** Queues that know it. */
  readonly #found = new Set<object>();
  /** Queues for which it is of no use. */
  readonly #useless = new Set<object>();
  /** The broker's limit when it was opened. */
  readonly #maxMessageBytes: number;
  /** What came and was not handled yet. */
  readonly #waiting: (() => void)[] = [];
  /** How often it was the channel's turn while the broker handled nothing of it. */
  #missedTurns = 0;
  /** A queue has to get to know the channel before the broker handles anything more of it. */
  #isIntroducing = false;
  #isOpen = true;
  /** The broker handles what comes on a channel in its order. */
  #busyUntil = 0;

  constructor(connection: SimulatedConnection) {
    super();
    this.connection = connection;
    this.#maxMessageBytes = connection.broker.maxMessageBytes;
  }

  /** Answers a request after a while; never while the broker says nothing. */
  answer(resolve: () => void, reject: (error: Error) => void): void {
    this.#failures.add(reject);
    this.#inTurn(() => {
      if (this.connection.broker.faults.isMute === true) return;
      this.#failures.delete(reject);
      resolve();
    });
  }

  /** As an idle channel does. */
  forgetRights(): void {
    this.#writable.clear();
  }

  resume(): void {
    if (this.#isHeld) return;
    for (; this.#missedTurns > 0; this.#missedTurns -= 1) this.#schedule();
  }

  publish(
    exchange: string,
    routingKey: string,
    content: Buffer,
    { messageId }: { readonly messageId: string },
    confirmed: (error: Error | null) => void,
  ): boolean {
    if (!this.#isOpen) throw new Error("Channel closed");
    const unconfirmed = { settle: confirmed };
    this.#unconfirmed.add(unconfirmed);
    const message = { content, messageId, exchange, routingKey };
    this.#inTurn(() => this.#handle(message, unconfirmed));
    return this.#unconfirmed.size < 100 || this.connection.broker.random.chance(0.9);
  }

  checkExchange(name: string): Promise<void> {
    return this.#ask(() => this.connection.broker.checkExchange(name));
  }

  assertExchange(name: string, type: ExchangeType): Promise<void> {
    return this.#ask(() => this.connection.broker.declareExchange(name, type));
  }

  assertQueue(name: string, { arguments: args = {} }: QueueOptions = {}): Promise<void> {
    const { "x-queue-type": kind = "classic", "x-max-length": maxLength } = args;
    const settings = { kind, ...(maxLength !== undefined && { maxLength }) };
    return this.#ask(() => this.connection.broker.declareQueue(name, settings));
  }

  bindQueue(queue: string, exchange: string, pattern: string): Promise<void> {
    return this.#ask(() => this.connection.broker.bind(queue, exchange, pattern));
  }

  close(): Promise<void> {
    if (!this.#isOpen) return Promise.reject(new Error("Channel closed"));
    return new Promise((resolve, reject) => {
      const done = (): void => {
        resolve();
        this.#leave();
        this.emit("close");
      };
      this.answer(done, reject);
    });
  }

  /** Everything that waits for the broker fails. */
  end(error: Error, reason?: Error): void {
    if (!this.#isOpen) return;
    this.#leave();
    for (const reject of this.#failures) reject(reason ?? error);
    this.#failures.clear();
    for (const { settle } of this.#unconfirmed) settle(error);
    this.#unconfirmed.clear();
    if (reason !== undefined) this.emit("error", reason);
    this.emit("close");
  }

  get #isHeld(): boolean {
    return this.connection.blocked || this.#isIntroducing;
  }

  #leave(): void {
    this.#isOpen = false;
    this.connection.open.delete(this);
  }

  /** Waits until a queue knows the channel. Calls back with false if it does not get to know it in time. */
  #introduce(queue: WaitingQueue, done: (isKnown: boolean) => void): void {
    this.#isIntroducing = true;
    const end = (isKnown: boolean): void => {
      if (!this.#isIntroducing) return;
      this.#isIntroducing = false;
      done(isKnown);
      this.resume();
    };
    queue.waiting.push(() => this.connection.deliver(0, () => end(true)));
    this.connection.deliver(introductionMs, () => end(false));
  }

  #asPublishing(): PublishingChannel {
    const { version, maxMessageBytes } = this.connection.broker;
    const limit = version.startsWith("3.") ? this.#maxMessageBytes : maxMessageBytes;
    const isOpen = (): boolean => this.#isOpen;
    const [writable, found, useless] = [this.#writable, this.#found, this.#useless];
    return { maxMessageBytes: limit, writable, found, useless, isOpen };
  }

  #ask(act: () => Refusal | undefined): Promise<void> {
    if (!this.#isOpen) return Promise.reject(new Error("Channel closed"));
    return new Promise((resolve, reject) => {
      this.answer(() => {
        const refusal = act();
        if (refusal === undefined) {
          resolve();
          return;
        }
        const error = closeError(refusal.code, refusal.text);
        reject(error);
        this.end(new Error("channel closed"), error);
      }, reject);
    });
  }

  /** Has the broker do something after all that came on the channel before. */
  #inTurn(run: () => void): void {
    this.#waiting.push(run);
    this.#schedule();
  }

  #schedule(): void {
    const { connection } = this;
    const { scheduler, random, faults } = connection.broker;
    const ms = random.fraction() * (faults.slowestMs ?? 5);
    this.#busyUntil = Math.max(this.#busyUntil, scheduler.now + ms);
    connection.deliver(this.#busyUntil - scheduler.now, () => {
      if (!this.#isOpen || !connection.isOpen) return;
      if (this.#isHeld) this.#missedTurns += 1;
      else this.#waiting.shift()?.();
    });
  }

  #handle(message: Omit<QueuedMessage, "queue" | "at">, unconfirmed: Unconfirmed): void {
    const { broker } = this.connection;
    // It came to a broker that hangs, or to none.
    if (broker.faults.down !== undefined) return;
    if (broker.faults.isBlocked === true) {
      // Under an alarm it reads nothing more of a connection that publishes.
      this.connection.setBlocked(true);
      this.#waiting.unshift(() => this.#handle(message, unconfirmed));
      this.#missedTurns += 1;
      return;
    }
    const strange = broker.strangerTo(message, this.#found);
    if (strange !== undefined) {
      this.#introduce(strange, (isKnown) => {
        if (!this.#unconfirmed.has(unconfirmed)) return;
        if (isKnown) this.#handle(message, unconfirmed);
        else if (broker.faults.isMute !== true) this.#settle(unconfirmed, "nack");
      });
      return;
    }
    const confirmLater = (): void => {
      this.connection.deliver(1, () => {
        if (this.#unconfirmed.delete(unconfirmed)) unconfirmed.settle(null);
      });
    };
    const routed = broker.route(message, this.#asPublishing(), confirmLater);
    const isMute = broker.faults.isMute === true;
    if ("code" in routed) {
      // The broker handles no more of a channel that it has closed, whether the client knows or not.
      if (isMute) this.#waiting.length = 0;
      else this.end(new Error("channel closed"), closeError(routed.code, routed.text));
      return;
    }
    if (isMute || routed.outcome === "waiting") return;
    if (broker.random.chance(broker.faults.lostConfirms ?? 0)) {
      this.connection.end(reset());
      return;
    }
    if (routed.outcome === "returned") {
      const { exchange, routingKey, messageId } = message;
      const fields = { replyCode: 312, replyText: "NO_ROUTE", exchange, routingKey };
      this.emit("return", { fields, properties: { messageId } });
    }
    this.#settle(unconfirmed, routed.outcome);
  }

  #settle(unconfirmed: Unconfirmed, outcome: string): void {
    this.#unconfirmed.delete(unconfirmed);
    unconfirmed.settle(outcome === "nack" ? new Error("message nacked") : null);
    if (this.#unconfirmed.size < 50) this.emit("drain");
  }
}

/** The socket ends without a reply. */
export function reset(): Error {
  return Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
}

/** What amqplib makes of a reply with which the broker closes a channel or connection. */
export function closeError(code: number, text: string): Error {
  return Object.assign(new Error(`Channel closed by server: ${code} (${text})`), { code });
}
