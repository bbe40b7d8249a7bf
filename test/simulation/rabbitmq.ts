import { closeError, reset, SimulatedConnection } from "./rabbitmq-connection.ts";
import type { Random } from "./random.ts";
import type { Scheduler, SimulatedProcess } from "./scheduler.ts";

/** A message in a queue. */
export interface QueuedMessage {
  readonly queue: string;
  readonly content: Buffer;
  readonly messageId: string;
  readonly exchange: string;
  readonly routingKey: string;
  /** When it was stored, in ms of virtual time. */
  readonly at: number;
}

export type ExchangeType = "direct" | "fanout" | "topic";

export type QueueKind = "classic" | "quorum" | "stream";

/** What a queue is declared with. */
export interface QueueSettings {
  readonly kind: QueueKind;
  /** Messages that it holds before it refuses more (`reject-publish`). Default no limit. */
  readonly maxLength?: number;
}

/** A queue that may have to wait. */
export interface WaitingQueue {
  /** What it will do once it has a majority. */
  readonly waiting: (() => void)[];
}

interface Queue extends QueueSettings, WaitingQueue {
  readonly messages: QueuedMessage[];
  /** Nobody can use it: its node is down. */
  isDown: boolean;
  /** Most of its members are down: it stores and confirms nothing until they are back. */
  isWithoutMajority: boolean;
  /** Its leader is down, and the members that are left can elect no other. */
  isLeaderless: boolean;
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
  readonly #exchanges = new Map<string, ExchangeType>();
  readonly #queues = new Map<string, Queue>();
  #bindings: Binding[] = [];
  readonly #connections = new Set<SimulatedConnection>();
  /** Every message that was ever stored, also of queues that were deleted since. */
  readonly stored: QueuedMessage[] = [];
  faults: RabbitMqFaults = {};
  /** Exchanges that the user may not write to. */
  readonly deniedWrites = new Set<string>();
  /** Most channels of a connection that is made from now on. */
  channelMax = 2047;
  /** Most channels of the user. */
  userChannels = Infinity;
  /** Most connections. */
  maxConnections = Infinity;
  /** Largest message; before RabbitMQ 4 of channels that are opened from now on. */
  maxMessageBytes = 16 * 2 ** 20;

  readonly version: string;

  constructor(scheduler: Scheduler, random: Random, version: string) {
    this.scheduler = scheduler;
    this.random = random;
    this.version = version;
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Channels of all connections. */
  get userChannelsInUse(): number {
    return [...this.#connections].reduce((sum, { open }) => sum + open.size, 0);
  }

  declareExchange(name: string, type: ExchangeType = "topic"): Refusal | undefined {
    const existing = this.#exchanges.get(name) ?? type;
    this.#exchanges.set(name, existing);
    return existing === type ? undefined : inequivalent("type", "exchange", name);
  }

  checkExchange(name: string): Refusal | undefined {
    return this.#exchanges.has(name) ? undefined : missing("exchange", name);
  }

  deleteExchange(name: string): void {
    this.#exchanges.delete(name);
    this.#bindings = this.#bindings.filter(({ exchange }) => exchange !== name);
  }

  declareQueue(name: string, settings: QueueSettings = { kind: "classic" }): Refusal | undefined {
    const { kind, maxLength } = this.#queues.get(name) ?? settings;
    if (kind !== settings.kind) return inequivalent("x-queue-type", "queue", name);
    if (maxLength !== settings.maxLength) return inequivalent("x-max-length", "queue", name);
    if (!this.#queues.has(name)) {
      const state = { isDown: false, isWithoutMajority: false, isLeaderless: false, isFull: false };
      this.#queues.set(name, { ...settings, ...state, messages: [], waiting: [] });
    }
    return undefined;
  }

  deleteQueue(name: string): void {
    this.#queues.delete(name);
    this.#bindings = this.#bindings.filter(({ queue }) => queue !== name);
  }

  /** What is in a queue; `undefined` without one. */
  read(name: string): readonly QueuedMessage[] | undefined {
    return this.#queues.get(name)?.messages;
  }

  bind(queue: string, exchange: string, pattern: string): Refusal | undefined {
    if (!this.#queues.has(queue)) return missing("queue", queue);
    if (!this.#exchanges.has(exchange)) return missing("exchange", exchange);
    this.#bindings.push({ queue, exchange, pattern });
    return undefined;
  }

  unbind(queue: string, exchange: string): void {
    this.#bindings = this.#bindings.filter(
      (each) => each.queue !== queue || each.exchange !== exchange,
    );
  }

  setQueue(name: string, state: Partial<Queue>): void {
    const queue = this.#queues.get(name);
    if (queue === undefined) return;
    Object.assign(queue, state);
    if (!queue.isWithoutMajority) for (const act of queue.waiting.splice(0)) act();
  }

  /** Changes what is wrong; connections end, or learn that they are blocked. */
  set(faults: RabbitMqFaults): void {
    const wasBlocked = this.faults.isBlocked === true;
    this.faults = faults;
    if (faults.down === "refused") this.dropConnections();
    const isOver = wasBlocked && faults.isBlocked !== true;
    if (isOver) for (const connection of this.#connections) connection.setBlocked(false);
  }

  /** Every connection ends at once. */
  dropConnections(): void {
    for (const connection of this.#connections) connection.end(reset());
  }

  /** Channels that were idle for a while ask for the right to write again. */
  forgetRights(): void {
    for (const { open } of this.#connections) for (const channel of open) channel.forgetRights();
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
        } else if (this.connections >= this.maxConnections) {
          const text = "NOT_ALLOWED - access to vhost '/' refused: connection limit is reached";
          fail(closeError(530, text));
        } else {
          const connection = new SimulatedConnection(this);
          this.#connections.add(connection);
          resolve(connection.model);
        }
      });
    });
  }

  /**
   * The queue of a message that has to get to know its channel first, and cannot while it has no majority; `undefined`
   * without one. In RabbitMQ 3 a queue whose leader is down refuses at once.
   */
  strangerTo(message: Omit<QueuedMessage, "queue" | "at">, found: ReadonlySet<object>) {
    const isStrange = (queue: Queue): boolean =>
      queue.isWithoutMajority &&
      !found.has(queue) &&
      !(queue.isLeaderless && this.version.startsWith("3."));
    const strange = this.#queuesOf(message).find(({ queue }) => isStrange(queue));
    return strange?.queue satisfies WaitingQueue | undefined;
  }

  /** The queues that are bound for a message. */
  #queuesOf({ exchange, routingKey }: Pick<QueuedMessage, "exchange" | "routingKey">) {
    const type = this.#exchanges.get(exchange);
    if (type === undefined) return [];
    const names = this.#bindings
      .filter((each) => each.exchange === exchange && takes(type, each.pattern, routingKey))
      .map(({ queue }) => queue);
    // RabbitMQ 3 does not route to a queue whose node is down; RabbitMQ 4 refuses for it.
    const isLeftOut = (queue: Queue): boolean => queue.isDown && this.version.startsWith("3.");
    return [...new Set(names)].flatMap((name) => {
      const queue = this.#queues.get(name);
      return queue === undefined || isLeftOut(queue) ? [] : [{ name, queue }];
    });
  }

  /**
   * What the broker does with a message: stores it, returns it, refuses it, or closes the channel. `confirm` is called when
   * a queue stores it later.
   */
  route(
    message: Omit<QueuedMessage, "queue" | "at">,
    channel: PublishingChannel,
    confirm: () => void,
  ): Routed {
    const { maxMessageBytes, writable } = channel;
    const { exchange, content } = message;
    if (content.length > maxMessageBytes) {
      const text = `PRECONDITION_FAILED - message size ${content.length} is larger than configured max size ${maxMessageBytes}`;
      return { code: 406, text };
    }
    const isDenied = this.faults.refusesWrites === true || this.deniedWrites.has(exchange);
    if (isDenied && !writable.has(exchange)) {
      const text = `ACCESS_REFUSED - write access to exchange '${exchange}' refused`;
      return { code: 403, text };
    }
    writable.add(exchange);
    if (!this.#exchanges.has(exchange)) return missing("exchange", exchange);
    const queues = this.#queuesOf(message);
    if (queues.length === 0) return { outcome: "returned" };
    const accepting = queues.filter(({ queue }) => !this.#refuses(queue, channel));
    const isRefused = accepting.length < queues.length;
    const isWaiting = accepting.some(waits);
    let open = accepting.filter(waits).length;
    for (const { name, queue } of accepting) {
      const store = (): void => {
        const stored = { ...message, queue: name, at: this.scheduler.now };
        queue.messages.push(stored);
        this.stored.push(stored);
      };
      channel.found.add(queue);
      // Without a leader only the channel has it.
      const { isLeaderless } = queue;
      if (queue.isWithoutMajority) {
        queue.waiting.push(() => {
          if (isLeaderless && !channel.isOpen()) return;
          store();
          open -= 1;
          if (open === 0 && !isRefused) confirm();
        });
      } else store();
    }
    if (isRefused) return { outcome: "nack" };
    return { outcome: isWaiting ? "waiting" : "confirmed" };
  }

  /**
   * True if a queue refuses messages. In RabbitMQ 3 one without a leader that does not know the channel refuses all that
   * comes on it from then on: the node of the leader may stay down.
   */
  #refuses(queue: Queue, { found, useless }: PublishingChannel): boolean {
    const { isDown, isFull, isLeaderless, messages, maxLength = Infinity } = queue;
    if (isLeaderless && !found.has(queue) && this.version.startsWith("3.")) useless.add(queue);
    if (useless.has(queue)) return true;
    return isDown || isFull || messages.length >= maxLength;
  }
}

function waits({ queue }: { readonly queue: Queue }): boolean {
  return queue.isWithoutMajority;
}

/** A channel on which messages come. */
export interface PublishingChannel {
  /** Largest message. */
  readonly maxMessageBytes: number;
  /** Exchanges that it has written to: the broker does not ask for the right again. */
  readonly writable: Set<string>;
  /** Queues that know it. */
  readonly found: Set<object>;
  /** Queues that refuse all that comes on it. */
  readonly useless: Set<object>;
  readonly isOpen: () => boolean;
}

/** Why a broker closes a channel. */
export interface Refusal {
  readonly code: number;
  readonly text: string;
}

function missing(what: string, name: string): Refusal {
  return { code: 404, text: `NOT_FOUND - no ${what} '${name}' in vhost '/'` };
}

function inequivalent(argument: string, what: string, name: string): Refusal {
  const text = `PRECONDITION_FAILED - inequivalent arg '${argument}' for ${what} '${name}' in vhost '/'`;
  return { code: 406, text };
}

function takes(type: ExchangeType, pattern: string, key: string): boolean {
  if (type === "fanout") return true;
  return type === "direct" ? pattern === key : matches(pattern, key);
}

type Routed = { readonly outcome: "confirmed" | "returned" | "nack" | "waiting" } | Refusal;

/** A topic pattern: `*` is one word, `#` any number, also none. */
function matches(pattern: string, key: string): boolean {
  return pattern === "#" || matchesWords(wordsOf(pattern), wordsOf(key));
}

function wordsOf(text: string): readonly string[] {
  return text === "" ? [] : text.split(".");
}

function matchesWords(
  [first, ...pattern]: readonly string[],
  [word, ...words]: readonly string[],
): boolean {
  if (first === undefined) return word === undefined;
  if (first === "#" && matchesWords(pattern, word === undefined ? [] : [word, ...words]))
    return true;
  if (word === undefined || (first !== "#" && first !== "*" && first !== word)) return false;
  return matchesWords(first === "#" ? [first, ...pattern] : pattern, words);
}
