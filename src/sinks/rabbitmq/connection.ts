import type { ChannelModel, ConfirmChannel } from "amqplib";
import { channelMaxOf, cutOff, isBlockedByBroker } from "../../amqp/amqplib.ts";
import { closeOrderly } from "../../amqp/close.ts";
import { connectAmqp } from "../../amqp/connect.ts";
import { clock } from "../../clock.ts";
import { CertwireError } from "../../errors/certwire-error.ts";
import { formatHost, type HostPort } from "../server-url.ts";
import type { DestinationFinding } from "../sink.ts";
import { loadTls } from "../tls-options.ts";
import { fixedExchanges } from "./destinations.ts";
import { toRabbitMqError } from "./errors.ts";
import type { RabbitMqMonitor } from "./monitor.ts";
import type { ResolvedRabbitMqSinkOptions } from "./options.ts";
import { assertTopology } from "./topology.ts";
import { majorVersion } from "./version.ts";

/** Least time between a preparation and a repair of the topology, in ms. */
const repairIntervalMs = 60_000;
/** Longest wait for an orderly close, in ms; a dead broker does not answer. */
const closeTimeoutMs = 2000;
/**
 * Longest wait, in ms, for the broker's answers while a channel opens (including the topology) or closes. Heartbeats do
 * not count as answers, and time while the broker blocks the connection does not count. RabbitMQ itself waits up to 60 s
 * for the other nodes before it refuses to declare a quorum queue, and its refusal says more than the end of our patience.
 */
const answerTimeoutMs = 180_000;

/**
 * One connection for all lanes, made when a lane needs it. After a failure the next host of the list is tried.
 * amqplib's own recovery stays off: the lanes must know which confirms were lost.
 */
export class RabbitMqConnection {
  readonly #options: ResolvedRabbitMqSinkOptions;
  readonly #monitor: RabbitMqMonitor;
  #model: ChannelModel | undefined;
  #connecting: Promise<ChannelModel> | undefined;
  #preparing: Promise<ConfirmChannel> | undefined;
  #preparations = 0;
  /** True when the topology was declared on this connection, and an event found no queue since. */
  #isRepair = false;
  #lastPreparation = Number.NEGATIVE_INFINITY;
  #nextHost = 0;
  /** Aborted when the sink closes the connection. */
  readonly #closing = new AbortController();
  /** True once the sink is open: until then its `open` reports why the connection ended. */
  isEstablished = false;
  /** True while the broker accepts nothing because of its memory or disk alarm. */
  isBlocked = false;
  /** Queues of the topology that have a delivery limit which nobody asked for. */
  #limited: ReadonlySet<string> = new Set();
  /** The broker's version, such as `4.0.5`; empty before the first connection. */
  #version = "";
  /** Why the last attempt to declare the topology again failed; `undefined` if it succeeded. */
  repairError: unknown;
  /** Why the connection ended; `undefined` while there is one. */
  lastError: Error | undefined;
  /** Why the last attempt to connect failed; `undefined` if it succeeded. */
  #attemptError: unknown;
  readonly #onUnblocked = new Set<() => void>();

  constructor(options: ResolvedRabbitMqSinkOptions, monitor: RabbitMqMonitor) {
    this.#options = options;
    this.#monitor = monitor;
  }

  /** Why it is not connected; `undefined` while it is, and before the first attempt has ended. */
  get failure(): unknown {
    return this.#model === undefined ? (this.#attemptError ?? this.lastError) : undefined;
  }

  /** Most channels that the broker allows on this connection; 0 without a connection. */
  get channelMax(): number {
    return this.#model === undefined ? 0 : channelMaxOf(this.#model.connection);
  }

  /**
   * True while exchange and queues are declared: for a moment the exchange is there without its bindings, and what
   * comes then would be returned.
   */
  get isPreparing(): boolean {
    return this.#preparations > 0;
  }

  /**
   * Calls back when the broker no longer blocks the connection, when a preparation has ended, and when the connection has,
   * whose channels then refuse what waits. Returns what ends that.
   */
  onUnblocked(callback: () => void): () => void {
    this.#onUnblocked.add(callback);
    return () => void this.#onUnblocked.delete(callback);
  }

  /** What is at risk with the queues of the topology, as they were declared last. */
  get findings(): DestinationFinding[] {
    const limits = [...this.#limited].map((queue) => ({
      message: `queue "${queue}" has a delivery limit: the broker removes events that are returned more often`,
      hint: "Set deliveryLimit and deadLetterExchange in topology, or declare the queue again once it is empty.",
    }));
    return [...limits, ...this.#streamFindings()];
  }

  /** Events that one channel may publish before it is replaced by another (`RabbitMqLane`). */
  get maxEventsOfChannel(): number {
    return this.#isBefore4() ? 1000 : Number.POSITIVE_INFINITY;
  }

  #streamFindings(): DestinationFinding[] {
    const stream = this.#options.topology?.stream;
    if (stream === undefined || !this.#isBefore4()) return [];
    const { exchange, routes } = this.#options;
    const isOneExchange = routes.every((route) => route.exchange === exchange);
    if (stream.bindingKey === "#" && isOneExchange) return [];
    const message = `stream "${stream.name}" does not take every event: RabbitMQ ${this.#version} can lose events that it has confirmed when the stream's leader changes`;
    const hint = isOneExchange
      ? "Use RabbitMQ 4, bind the stream with the key #, or use a quorum queue."
      : "Use RabbitMQ 4, a quorum queue, or a sink of its own for each exchange.";
    return [{ message, hint }];
  }

  #isBefore4(): boolean {
    return (majorVersion(this.#version) ?? 4) < 4;
  }

  /** Opens a confirm channel, connecting first where needed. */
  async openChannel(): Promise<ConfirmChannel> {
    const model = await this.connect();
    try {
      return await this.#answered(model, this.#open(model));
    } catch (error) {
      // When the connection ended, amqplib's error only says that the channel did.
      throw this.#model === model ? error : (this.lastError ?? error);
    }
  }

  /** Closes a channel, however it ends: a connection that does not answer is ended. Never rejects. */
  async closeChannel(channel: ConfirmChannel): Promise<void> {
    const closing = closeOrderly(channel);
    const model = this.#model;
    await (model?.connection === channel.connection
      ? this.#answered(model, closing)
      : closing
    ).catch(() => undefined);
  }

  async #open(model: ChannelModel): Promise<ConfirmChannel> {
    return this.#prepareOnce(model, await createChannel(model));
  }

  /** Waits for the broker. If it stays silent, its connection is cut off, which ends the wait. */
  async #answered<T>(model: ChannelModel, answer: Promise<T>): Promise<T> {
    const silent = (): void => {
      if (isBlockedByBroker(model.connection)) {
        timer.refresh();
        return;
      }
      const message = `the broker did not answer within ${answerTimeoutMs / 1000} s`;
      cutOff(model.connection, new CertwireError("CERTWIRE_SINK_UNREACHABLE", message));
    };
    const timer = clock.setTimeout(silent, answerTimeoutMs);
    try {
      return await answer;
    } finally {
      clock.clear(timer);
    }
  }

  /** After the exchange turned out to be missing: the next channel checks or declares it again. */
  prepareAgain(): void {
    this.#isRepair = false;
    this.repairError = undefined;
    this.#preparing = undefined;
  }

  /**
   * After an event found no queue: the next channel declares the topology again, since a queue may have been deleted.
   * Does nothing when there is no topology, or it was declared within the last minute.
   */
  repairTopology(): void {
    const now = clock.now();
    if (this.#options.topology === undefined) return;
    if (now - this.#lastPreparation < repairIntervalMs) return;
    this.#lastPreparation = now;
    this.#isRepair = true;
    this.#preparing = undefined;
  }

  /**
   * Ends the connection of a channel at once, without a handshake, since the broker no longer answers. All
   * other channels of that connection end too; a connection made since then stays open.
   */
  destroy({ connection }: ConfirmChannel, error: Error): void {
    if (this.#model?.connection === connection) this.#forget(this.#model, error);
    cutOff(connection, error);
  }

  async close(): Promise<void> {
    const model = this.#model;
    const { isBlocked } = this;
    this.#forget(model, undefined);
    this.#closing.abort();
    if (model === undefined) return;
    // A broker that blocks the connection reads nothing, so it would not answer.
    if (!isBlocked) await closeOrderly(model, closeTimeoutMs).catch(() => undefined);
    cutOff(model.connection, new Error("closed"));
  }

  /** Connects if there is no connection; tries every host once. */
  async connect(): Promise<ChannelModel> {
    if (this.#model) return this.#model;
    this.#connecting ??= this.#tryHosts()
      .catch((error: unknown) => {
        this.#attemptError = error;
        throw error;
      })
      .finally(() => {
        this.#connecting = undefined;
      });
    return this.#connecting;
  }

  /** Rejects with the first error that someone must act upon, or else with the last one. */
  async #tryHosts(): Promise<ChannelModel> {
    const errors: CertwireError[] = [];
    while (errors.length < this.#options.hosts.length && !this.#closing.signal.aborted) {
      const host = this.#takeHost();
      try {
        return await this.#connectTo(host);
      } catch (error) {
        errors.push(toRabbitMqError(error, `cannot connect to ${formatHost(host)}`));
      }
    }
    throw (
      errors.find(({ code }) => code !== "CERTWIRE_SINK_UNREACHABLE") ?? errors.at(-1) ?? closed()
    );
  }

  #takeHost(): HostPort {
    const { hosts } = this.#options;
    const host = hosts[this.#nextHost % hosts.length] ?? { host: "", port: 0 };
    this.#nextHost += 1;
    return host;
  }

  async #connectTo({ host, port }: HostPort): Promise<ChannelModel> {
    const { name, vhost, username, password, heartbeatSeconds, connectTimeoutMs, tls } =
      this.#options;
    const { signal } = this.#closing;
    const model = await connectAmqp(
      {
        protocol: tls ? "amqps" : "amqp",
        hostname: host,
        port,
        username,
        password: password(),
        vhost: encodeURIComponent(vhost),
        heartbeat: heartbeatSeconds,
      },
      { name: `certwire ${name}`, timeoutMs: connectTimeoutMs, tls: tls && loadTls(tls), signal },
    );
    this.#watch(model);
    if (signal.aborted) {
      cutOff(model.connection, closed());
      throw closed();
    }
    this.#version = versionOf(model);
    this.#monitor.connected(host, port, this.#version);
    this.#model = model;
    this.#attemptError = undefined;
    this.prepareAgain();
    return model;
  }

  #watch(model: ChannelModel): void {
    this.isBlocked = false;
    this.lastError = undefined;
    if (isBlockedByBroker(model.connection)) this.#blocked();
    model.on("error", (error) => {
      this.lastError = error;
    });
    model.on("close", (error) => {
      this.#forget(model, this.lastError ?? error);
      this.#unblocked();
    });
    model.on("blocked", (reason) => this.#blocked(reason));
    model.on("unblocked", () => {
      this.isBlocked = false;
      this.#monitor.unblocked();
      this.#unblocked();
    });
  }

  #unblocked(): void {
    for (const callback of this.#onUnblocked) callback();
  }

  #blocked(reason?: string): void {
    this.isBlocked = true;
    this.#monitor.blocked(reason);
  }

  /** The first channel of a connection prepares the exchange; the others wait for that. */
  async #prepareOnce(model: ChannelModel, channel: ConfirmChannel): Promise<ConfirmChannel> {
    const isFirst = this.#preparing === undefined;
    this.#preparing ??= this.#isRepair
      ? this.#repair(model, channel)
      : this.#prepare(model, channel);
    const preparing = this.#preparing;
    try {
      const prepared = await preparing;
      return isFirst ? prepared : channel;
    } catch (error) {
      if (this.#preparing === preparing) this.#preparing = undefined;
      await closeOrderly(channel).catch(() => undefined);
      throw error;
    }
  }

  /**
   * Declares the topology again. Where that fails, such as without the right to, the channel is of use all the same:
   * other lanes, and other events of the batch, may have their queues.
   */
  async #repair(model: ChannelModel, channel: ConfirmChannel): Promise<ConfirmChannel> {
    try {
      const prepared = await this.#prepare(model, channel);
      this.repairError = undefined;
      return prepared;
    } catch (error) {
      if (this.#model !== model) throw error;
      this.repairError = error;
      this.#monitor.repairFailed(error);
      await closeOrderly(channel).catch(() => undefined);
      return createChannel(model);
    }
  }

  /** Declares the topology, and checks that the exchanges exist which it does not declare. */
  async #prepare(model: ChannelModel, channel: ConfirmChannel): Promise<ConfirmChannel> {
    const { exchange, topology } = this.#options;
    this.#preparations += 1;
    this.#lastPreparation = clock.now();
    try {
      for (const name of fixedExchanges(this.#options)) {
        if (topology === undefined || name !== exchange) await channel.checkExchange(name);
      }
      if (topology === undefined) return channel;
      const limited = new Set<string>();
      const prepared = await assertTopology(channel, topology, {
        exchange,
        version: versionOf(model),
        limited: (queue) => limited.add(queue),
        openChannel: () => createChannel(model),
      });
      this.#limited = limited;
      this.#monitor.limited(limited);
      return prepared;
    } finally {
      this.#preparations -= 1;
      this.#unblocked();
    }
  }

  #forget(model: ChannelModel | undefined, error: Error | undefined): void {
    if (model === undefined || model !== this.#model) return;
    this.#model = undefined;
    this.isBlocked = false;
    this.lastError = error;
    if (error !== undefined) this.#monitor.connectionLost(error, this.isEstablished);
  }
}

async function createChannel(model: ChannelModel): Promise<ConfirmChannel> {
  const channel = await model.createConfirmChannel();
  // Without a listener an error event would end the process; its owner listens too.
  channel.on("error", () => undefined);
  return channel;
}

function versionOf({ connection }: ChannelModel): string {
  return connection.serverProperties.version;
}

function closed(): CertwireError {
  return new CertwireError("CERTWIRE_SINK_UNREACHABLE", "closed while connecting");
}
