import { EventEmitter } from "node:events";
import type { Random } from "./random.ts";
import type { Scheduler, SimulatedProcess } from "./scheduler.ts";

/** A message in a queue. */
export interface QueuedMessage {
  readonly queue: string;
  readonly content: Buffer;
  readonly messageId: string;
  /** When it was stored, in ms of virtual time. */
  readonly at: number;
}

interface Queue {
  /** Nobody can use it: its node or its members are down. */
  isDown: boolean;
  /** It refuses what is published. */
  isFull: boolean;
}

interface Binding {
  readonly exchange: string;
  readonly queue: string;
  readonly pattern: string;
}

/** What is wrong with the broker. */
export interface RabbitMqFaults {
  down?: "refused" | "silent";
  /** It accepts nothing, because of an alarm. */
  isBlocked?: boolean;
  /** It accepts no user. */
  isForbidden?: boolean;
  /** The user may not write to the exchange. */
  refusesWrites?: boolean;
  /** Share of the confirms that are lost with their connection. */
  lostConfirms?: number;
  /** Longest time of an answer, in ms. Default 5. */
  slowestMs?: number;
  /** Answers and confirms stop, while the connection stays. */
  isMute?: boolean;
}

/** A RabbitMQ node with topic exchanges, as far as a publisher sees it. */
export class RabbitMqModel {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly #exchanges = new Set<string>();
  readonly #queues = new Map<string, Queue>();
  #bindings: Binding[] = [];
  readonly #connections = new Set<SimulatedConnection>();
  /** Every message that was ever stored, also of queues that were deleted since. */
  readonly stored: QueuedMessage[] = [];
  faults: RabbitMqFaults = {};
  channelMax = 2047;
  maxMessageBytes = 16 * 2 ** 20;
  version = "4.0.5";

  constructor(scheduler: Scheduler, random: Random) {
    this.scheduler = scheduler;
    this.random = random;
  }

  get connections(): number {
    return this.#connections.size;
  }

  declareExchange(name: string): void {
    this.#exchanges.add(name);
  }

  hasExchange(name: string): boolean {
    return this.#exchanges.has(name);
  }

  deleteExchange(name: string): void {
    this.#exchanges.delete(name);
    this.#bindings = this.#bindings.filter(({ exchange }) => exchange !== name);
  }

  declareQueue(name: string): void {
    if (!this.#queues.has(name)) this.#queues.set(name, { isDown: false, isFull: false });
  }

  deleteQueue(name: string): void {
    this.#queues.delete(name);
    this.#bindings = this.#bindings.filter(({ queue }) => queue !== name);
  }

  bind(queue: string, exchange: string, pattern: string): void {
    this.unbind(queue, exchange);
    this.#bindings.push({ queue, exchange, pattern });
  }

  unbind(queue: string, exchange: string): void {
    this.#bindings = this.#bindings.filter(
      (each) => each.queue !== queue || each.exchange !== exchange,
    );
  }

  setQueue(name: string, state: Partial<Queue>): void {
    const queue = this.#queues.get(name);
    if (queue !== undefined) Object.assign(queue, state);
  }

  /** Changes what is wrong; connections end, or learn that they are blocked. */
  set(faults: RabbitMqFaults): void {
    const wasBlocked = this.faults.isBlocked === true;
    this.faults = faults;
    if (faults.down === "refused") this.dropConnections();
    const isBlocked = faults.isBlocked === true;
    if (isBlocked === wasBlocked) return;
    for (const connection of this.#connections) connection.setBlocked(isBlocked);
  }

  /** Every connection ends at once. */
  dropConnections(): void {
    for (const connection of this.#connections) connection.end(reset());
  }

  /** The connections of a process that was killed end. */
  killed(process: SimulatedProcess): void {
    for (const each of this.#connections) if (each.process === process) each.forget();
  }

  forget(connection: SimulatedConnection): void {
    this.#connections.delete(connection);
  }

  connect(options: { readonly timeout: number; readonly signal?: AbortSignal }): Promise<unknown> {
    const { scheduler, random } = this;
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => reject(error);
      const { signal } = options;
      signal?.addEventListener("abort", () => fail(new Error("aborted")), { once: true });
      if (this.faults.down === "silent") {
        scheduler.after(options.timeout, () => fail(new Error("connect ETIMEDOUT")));
        return;
      }
      scheduler.after(1 + random.fraction() * (this.faults.slowestMs ?? 5), () => {
        if (signal?.aborted) return;
        if (this.faults.down !== undefined) {
          fail(Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" }));
        } else if (this.faults.isForbidden === true) {
          fail(Object.assign(new Error("403 ACCESS_REFUSED - Login was refused"), { code: 403 }));
        } else {
          const connection = new SimulatedConnection(this);
          this.#connections.add(connection);
          resolve(connection.model);
          if (this.faults.isBlocked === true) connection.setBlocked(true);
        }
      });
    });
  }

  /** What the broker does with a message: stores it, returns it, refuses it, or closes the channel. */
  route(
    exchange: string,
    routingKey: string,
    message: Omit<QueuedMessage, "queue" | "at">,
  ): Routed {
    if (!this.#exchanges.has(exchange)) {
      return { close: 404, text: `NOT_FOUND - no exchange '${exchange}' in vhost '/'` };
    }
    if (this.faults.refusesWrites === true) {
      return {
        close: 403,
        text: `ACCESS_REFUSED - write access to exchange '${exchange}' refused`,
      };
    }
    if (message.content.length > this.maxMessageBytes) {
      const text = `PRECONDITION_FAILED - message size ${message.content.length} is larger than configured max size ${this.maxMessageBytes}`;
      return { close: 406, text };
    }
    const names = this.#bindings
      .filter((each) => each.exchange === exchange && matches(each.pattern, routingKey))
      .map(({ queue }) => queue);
    const queues = [...new Set(names)].filter((name) => this.#queues.get(name)?.isDown === false);
    if (queues.length === 0) return { outcome: "returned" };
    if (queues.some((name) => this.#queues.get(name)?.isFull === true)) return { outcome: "nack" };
    for (const queue of queues) {
      this.stored.push({ ...message, queue, at: this.scheduler.now });
    }
    return { outcome: "confirmed" };
  }
}

type Routed =
  | { readonly outcome: "confirmed" | "returned" | "nack" }
  | { readonly close: number; readonly text: string };

/** A topic pattern: `*` is one word, `#` any number. */
function matches(pattern: string, key: string): boolean {
  if (pattern === "#") return true;
  const text = pattern
    .split(".")
    .map((word) => (word === "*" ? "[^.]+" : word === "#" ? ".*" : word))
    .join(String.raw`\.`);
  return new RegExp(`^${text}$`).test(key);
}

function reset(): Error {
  return Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
}

/** A connection: what amqplib calls `Connection`, and `ChannelModel` as its `model`. */
class SimulatedConnection extends EventEmitter {
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
    this.deliver(0, () => {
      this.blocked = isBlocked;
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
      if (connection.open.size >= broker.channelMax) {
        throw new Error("No channels left to allocate");
      }
      const channel = new SimulatedChannel(connection);
      connection.open.add(channel);
      channel.answer(
        () => resolve(channel),
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

interface Unconfirmed {
  readonly settle: (error: Error | null) => void;
}

class SimulatedChannel extends EventEmitter {
  readonly connection: SimulatedConnection;
  readonly ch = 1;
  readonly #unconfirmed = new Set<Unconfirmed>();
  readonly #failures = new Set<(error: Error) => void>();
  #waiting: (() => void)[] = [];
  #isOpen = true;
  /** The broker handles what comes on a channel in its order. */
  #busyUntil = 0;

  constructor(connection: SimulatedConnection) {
    super();
    this.connection = connection;
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

  resume(): void {
    if (this.connection.blocked) return;
    for (const each of this.#waiting.splice(0)) this.#inTurn(each);
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
    this.#inTurn(() => this.#handle(exchange, routingKey, { content, messageId }, unconfirmed));
    return this.#unconfirmed.size < 100 || this.connection.broker.random.chance(0.9);
  }

  checkExchange(name: string): Promise<void> {
    return this.#ask(() =>
      this.connection.broker.hasExchange(name)
        ? undefined
        : { code: 404, text: `NOT_FOUND - no exchange '${name}' in vhost '/'` },
    );
  }

  assertExchange(name: string): Promise<void> {
    return this.#ask(() => this.connection.broker.declareExchange(name));
  }

  assertQueue(name: string): Promise<void> {
    return this.#ask(() => this.connection.broker.declareQueue(name));
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

  #leave(): void {
    this.#isOpen = false;
    this.connection.open.delete(this);
  }

  #ask(
    act: () => { readonly code: number; readonly text: string } | undefined | void,
  ): Promise<void> {
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

  #inTurn(run: () => void): void {
    const { connection } = this;
    if (connection.blocked) {
      this.#waiting.push(run);
      return;
    }
    const { scheduler, random, faults } = connection.broker;
    const ms = random.fraction() * (faults.slowestMs ?? 5);
    this.#busyUntil = Math.max(this.#busyUntil, scheduler.now + ms);
    connection.deliver(this.#busyUntil - scheduler.now, () => {
      if (this.#isOpen && connection.isOpen) run();
    });
  }

  #handle(
    exchange: string,
    routingKey: string,
    message: { readonly content: Buffer; readonly messageId: string },
    unconfirmed: Unconfirmed,
  ): void {
    const { broker } = this.connection;
    // It came to a broker that hangs, or to none.
    if (broker.faults.down !== undefined) return;
    const routed = broker.route(exchange, routingKey, message);
    if ("close" in routed) {
      this.end(new Error("channel closed"), closeError(routed.close, routed.text));
      return;
    }
    if (broker.faults.isMute === true) return;
    if (broker.random.chance(broker.faults.lostConfirms ?? 0)) {
      this.connection.end(reset());
      return;
    }
    if (routed.outcome === "returned") {
      const fields = { replyCode: 312, replyText: "NO_ROUTE", exchange, routingKey };
      this.emit("return", { fields, properties: { messageId: message.messageId } });
    }
    this.#unconfirmed.delete(unconfirmed);
    unconfirmed.settle(routed.outcome === "nack" ? new Error("message nacked") : null);
    if (this.#unconfirmed.size < 50) this.emit("drain");
  }
}

function closeError(code: number, text: string): Error {
  return Object.assign(new Error(`Channel closed by server: ${code} (${text})`), { code });
}
