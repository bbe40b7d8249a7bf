import { setTimeout as delay } from "node:timers/promises";
import { type ChannelModel, type ConfirmChannel, connect } from "amqplib";
import type { Logger } from "pino";
import { CertwireError } from "../../errors/certwire-error.ts";
import { describeCause } from "../../errors/describe-cause.ts";
import { loadTls } from "../tls-options.ts";
import { cutOff } from "./amqplib.ts";
import type { ResolvedRabbitMqSinkOptions } from "./options.ts";
import { assertTopology } from "./topology.ts";

/** Longest wait for an orderly close, in ms; a dead broker does not answer. */
const closeTimeoutMs = 2000;

/**
 * One connection for all lanes, made when a lane needs it. After a failure the next host of the list is tried.
 * amqplib's own recovery stays off: the lanes must know which confirms were lost.
 */
export class RabbitMqConnection {
  readonly #options: ResolvedRabbitMqSinkOptions;
  readonly #log: Logger;
  #model: ChannelModel | undefined;
  #connecting: Promise<ChannelModel> | undefined;
  #preparing: Promise<void> | undefined;
  #nextHost = 0;
  #isClosed = false;
  /** True while the broker accepts nothing because of its memory or disk alarm. */
  isBlocked = false;
  /** Why the connection ended; `undefined` while there is one. */
  lastError: Error | undefined;

  constructor(options: ResolvedRabbitMqSinkOptions, log: Logger) {
    this.#options = options;
    this.#log = log;
  }

  /** Opens a confirm channel, connecting first where needed. */
  async openChannel(): Promise<ConfirmChannel> {
    const model = await this.connect();
    this.#preparing ??= this.#prepare(model);
    try {
      await this.#preparing;
    } catch (error) {
      this.#preparing = undefined;
      throw error;
    }
    const channel = await model.createConfirmChannel();
    // Without a listener an error event would end the process; its owner listens too.
    channel.on("error", () => undefined);
    return channel;
  }

  /** After the exchange turned out to be missing: the next channel checks or declares it again. */
  prepareAgain(): void {
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
    this.#isClosed = true;
    const model = this.#model;
    this.#forget(model, undefined);
    if (model === undefined) return;
    const timeout = delay(closeTimeoutMs, undefined, { ref: false });
    await Promise.race([model.close().catch(() => undefined), timeout]);
    cutOff(model.connection, new Error("closed"));
  }

  /** Connects if there is no connection; tries every host once. */
  async connect(): Promise<ChannelModel> {
    if (this.#model) return this.#model;
    this.#connecting ??= this.#tryHosts().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #tryHosts(): Promise<ChannelModel> {
    for (let tries = this.#options.hosts.length; tries > 1; tries -= 1) {
      const model = await this.#connectToNextHost().catch(() => undefined);
      if (model) return model;
    }
    return this.#connectToNextHost();
  }

  async #connectToNextHost(): Promise<ChannelModel> {
    const { hosts, vhost, username, password, heartbeatSeconds, tls } = this.#options;
    const { host, port } = hosts[this.#nextHost % hosts.length] ?? { host: "", port: 0 };
    this.#nextHost += 1;
    const model = await connect(
      {
        protocol: tls ? "amqps" : "amqp",
        hostname: host,
        port,
        username,
        password,
        vhost: encodeURIComponent(vhost),
        heartbeat: heartbeatSeconds,
      },
      {
        timeout: this.#options.connectTimeoutMs,
        noDelay: true,
        keepAlive: true,
        clientProperties: { connection_name: `certwire ${this.#options.name}` },
        ...(tls && loadTls(tls)),
      },
    );
    this.#watch(model);
    if (this.#isClosed) {
      const error = new CertwireError("CERTWIRE_SINK_UNREACHABLE", "closed while connecting");
      cutOff(model.connection, error);
      throw error;
    }
    this.#log.debug({ host, port }, "connected");
    this.#model = model;
    this.#preparing = undefined;
    return model;
  }

  #watch(model: ChannelModel): void {
    this.isBlocked = false;
    this.lastError = undefined;
    model.on("error", (error) => {
      this.lastError = error;
    });
    model.on("close", (error) => this.#forget(model, this.lastError ?? error));
    model.on("blocked", (text) => {
      this.isBlocked = true;
      this.#log.warn({ reason: text }, "the broker has blocked the connection; publishing pauses");
    });
    model.on("unblocked", () => {
      this.isBlocked = false;
      this.#log.info("the broker accepts events again");
    });
  }

  /** Declares the topology, or checks that the exchange exists if there is none. */
  async #prepare(model: ChannelModel): Promise<void> {
    const { exchange, topology } = this.#options;
    const channel = await model.createConfirmChannel();
    channel.on("error", () => undefined);
    if (topology) await assertTopology(channel, exchange, topology);
    else await channel.checkExchange(exchange);
    await channel.close();
  }

  #forget(model: ChannelModel | undefined, error: Error | undefined): void {
    if (model === undefined || model !== this.#model) return;
    this.#model = undefined;
    this.isBlocked = false;
    this.lastError = error;
    if (error) this.#log.warn({ error: describeCause(error) }, "connection lost");
  }
}
