import { setMaxListeners } from "node:events";
import { CertwireError } from "../errors/certwire-error.ts";
import { type ConsumerStats, Dispatcher } from "./dispatcher.ts";
import type { EventSource, Lag, SourceHost } from "./event-source.ts";
import { type ConsumerLogger, silentLogger } from "./logger.ts";
import { type ConsumerOptions, checkOptions, resolveRetry } from "./options.ts";
import { Session } from "./session.ts";

/**
 * Consumes events of Certwire from Kafka or RabbitMQ, at least once: a message is committed or acknowledged only when
 * its handler has resolved. Events with the same `partitionkey` are handled one after the other, in their order.
 *
 * ```ts
 * import { Consumer, kafkaTopic } from "certwire/consumer";
 *
 * const consumer = new Consumer({
 *   source: kafkaTopic({
 *     client: { brokers: ["localhost:9092"] },
 *     topic: "certificates",
 *     groupId: "inventory",
 *   }),
 *   handlers: {
 *     "certificate.issued": async ({ data }) => {
 *       console.log(data.certificate?.serialNumber);
 *     },
 *   },
 * });
 * process.once("SIGTERM", () => consumer.stop());
 * await consumer.run();
 * ```
 */
export class Consumer<T = undefined> {
  readonly #source: EventSource;
  readonly #dispatcher: Dispatcher<T>;
  readonly #log: ConsumerLogger;
  readonly #signal: AbortSignal | undefined;
  readonly #stopTimeoutMs: number;
  readonly #stopping = new AbortController();
  readonly #sessions = new Set<Session>();
  #error: CertwireError | undefined;
  #run: Promise<void> | undefined;

  /** Throws CERTWIRE_CONSUMER_OPTIONS if an option is invalid. */
  constructor(options: ConsumerOptions<T>) {
    checkOptions(options);
    const { source, handlers, concurrency = 16, deduplication, onDeadLetter } = options;
    this.#source = source;
    this.#log = options.logger ?? silentLogger;
    this.#signal = options.signal;
    this.#stopTimeoutMs = options.stopTimeoutMs ?? 30_000;
    // Each batch of a partition listens.
    setMaxListeners(0, this.#stopping.signal);
    this.#dispatcher = new Dispatcher({
      handlers,
      concurrency,
      retry: resolveRetry(options.retry),
      deduplication,
      onDeadLetter,
      log: this.#log,
      failed: (error) => this.#fail(error),
    });
  }

  /**
   * Consumes until `stop` is called or the signal is aborted; may be called once. Rejects with a CertwireError when the
   * broker refuses this consumer at its start, or when a message can be neither handled nor given to `onDeadLetter`.
   * What was handled until then is committed or acknowledged.
   */
  async run(): Promise<void> {
    if (this.#run !== undefined) {
      throw new CertwireError("CERTWIRE_CONSUMER_OPTIONS", "a consumer can run only once");
    }
    this.#run = this.#consume();
    await this.#run;
  }

  /**
   * Stops gracefully: no further handler starts, those that run may finish within `stopTimeoutMs`, and what they
   * handled is committed or acknowledged. Resolves when that is done. The outcome of `run` is not passed on.
   */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#run?.catch(() => undefined);
  }

  /** What was done since the start. */
  get stats(): ConsumerStats {
    return this.#dispatcher.stats;
  }

  /** How far this consumer is behind. Rejects with CERTWIRE_CONSUMER_UNREACHABLE if the broker cannot be asked. */
  async lag(): Promise<readonly Lag[]> {
    return this.#source.lag();
  }

  async #consume(): Promise<void> {
    const stop = (): void => this.#stopping.abort();
    this.#signal?.addEventListener("abort", stop, { once: true });
    if (this.#signal?.aborted) stop();
    try {
      if (!this.#stopping.signal.aborted) await this.#source.run(this.#host());
    } finally {
      this.#signal?.removeEventListener("abort", stop);
      stop();
      await this.#closeSessions();
    }
    if (this.#error !== undefined) throw this.#error;
    this.#log.info(this.stats, "consumer stopped");
  }

  #host(): SourceHost {
    return {
      log: this.#log,
      signal: this.#stopping.signal,
      stopTimeoutMs: this.#stopTimeoutMs,
      openSession: () => this.#openSession(),
      deliver: (message, session) => this.#dispatcher.deliver(message, session),
    };
  }

  #openSession(): Session {
    const session = new Session();
    for (const other of this.#sessions) {
      if (other.closing.aborted && other.open === 0) this.#sessions.delete(other);
    }
    this.#sessions.add(session);
    return session;
  }

  /** Handlers of a lost connection may still run. */
  async #closeSessions(): Promise<void> {
    const closing = [...this.#sessions].map((session) => session.close(this.#stopTimeoutMs));
    await Promise.all(closing);
    this.#sessions.clear();
  }

  #fail(error: CertwireError): void {
    this.#error ??= error;
    this.#log.error({ code: error.code, error: error.message, hint: error.hint }, "consumer stops");
    this.#stopping.abort();
  }
}
