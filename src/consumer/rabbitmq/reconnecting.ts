import type { ChannelModel } from "amqplib";
import type { CertwireError } from "../../errors/certwire-error.ts";
import { unlessAborted } from "../../waiting.ts";
import { backOffMs, pause } from "../back-off.ts";
import type { SourceHost } from "../event-source.ts";
import {
  closeOwn,
  isModel,
  type OpenConnection,
  openConnection,
  type RabbitMqConnectionOption,
  toConsumerError,
  withConnection,
} from "./connection.ts";
import { NotAStreamError } from "./stream-offset.ts";
import { consumeOn, type Subscription } from "./subscription.ts";

const reconnect = { limit: Number.POSITIVE_INFINITY, initialMs: 500, maxMs: 5000 };

/** Makes the subscription for a new connection. */
type Subscribe = (model: ChannelModel) => Promise<Subscription>;

/** A consumer of a queue or stream that connects again after a lost connection. */
export class ReconnectingConsumer {
  readonly #option: RabbitMqConnectionOption;
  #connection: OpenConnection | undefined;
  #wasEstablished = false;
  /** Why the queue cannot be consumed at all; `undefined` while nothing says so. */
  #invalid: unknown;

  constructor(option: RabbitMqConnectionOption) {
    this.#option = option;
  }

  /**
   * Consumes until the host is stopped. Rejects with a CertwireError when the broker refuses the consumer before it
   * accepted it for the first time, when a queue is in the place of a stream, when a message cannot be one of such a
   * queue, and when the user's own connection is lost.
   */
  async run(host: SourceHost, subscribe: Subscribe): Promise<void> {
    let failures = 0;
    this.#invalid = undefined;
    const established = (): void => {
      failures = 0;
      this.#wasEstablished = true;
    };
    while (!host.signal.aborted) {
      try {
        await this.#consume(host, subscribe, established);
      } catch (cause) {
        if (host.signal.aborted && cause === host.signal.reason) return;
        const error = toConsumerError(cause, "cannot consume");
        if (this.#isFinal(error)) throw error;
        failures += 1;
        const delayMs = backOffMs(failures, reconnect);
        const { code, message, hint } = error;
        host.log.warn({ code, error: message, hint, delayMs }, "lost the connection");
        await pause(delayMs, host.signal);
      }
    }
  }

  /** Does some work on the connection in use, or on a new one. Rejects with a CertwireError. */
  async ask<T>(what: string, work: (connection: OpenConnection) => Promise<T>): Promise<T> {
    try {
      if (this.#connection !== undefined) return await work(this.#connection);
      return await withConnection(this.#option, work);
    } catch (error) {
      throw toConsumerError(error, what);
    }
  }

  async #consume(host: SourceHost, subscribe: Subscribe, established: () => void): Promise<void> {
    const connection = await openConnection(this.#option, host.signal);
    const { model } = connection;
    this.#connection = connection;
    try {
      const subscription = await unlessAborted(subscribe(model), host.signal);
      await consumeOn(model, host, subscription, {
        established: () => {
          established();
          host.log.info({ queue: subscription.queue }, "consuming");
        },
        invalid: (error) => {
          this.#invalid = error;
        },
      });
    } finally {
      this.#connection = undefined;
      await closeOwn(connection);
    }
  }

  #isFinal(error: CertwireError): boolean {
    if (this.#invalid !== undefined || error instanceof NotAStreamError) return true;
    const { code } = error;
    if (code === "CERTWIRE_CONSUMER_UNREACHABLE") return isModel(this.#option);
    return code !== "CERTWIRE_CONSUMER_REFUSED" || !this.#wasEstablished;
  }
}
