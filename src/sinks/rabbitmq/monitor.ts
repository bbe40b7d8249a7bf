import type { Logger } from "pino";
import { describeCause } from "../../errors/describe-cause.ts";
import { RepeatedLines } from "../../log/repeated-lines.ts";

/** Logs what happens to the connections of one sink, in few lines whatever the broker does. */
export class RabbitMqMonitor {
  readonly #log: Logger;
  readonly #lines: RepeatedLines;
  /** Queues with a delivery limit that were logged. */
  #limited: ReadonlySet<string> = new Set();

  constructor(log: Logger) {
    this.#log = log;
    this.#lines = new RepeatedLines(log);
  }

  connected(host: string, port: number, version: string): void {
    this.#log.debug({ host, port, version }, "connected");
  }

  /** `isEstablished`: false while the sink opens, whose error says the same. */
  connectionLost(error: Error, isEstablished: boolean): void {
    const details = { error: describeCause(error) };
    if (isEstablished) this.#lines.write("warn", details, "connection lost");
    else this.#log.debug(details, "connection lost");
  }

  blocked(reason: string | undefined): void {
    const details = { reason };
    this.#lines.write("warn", details, "the broker has blocked the connection; publishing pauses");
  }

  unblocked(): void {
    this.#lines.write("info", {}, "the broker accepts events again");
  }

  /** `queues`: all that have a delivery limit of their own. Logs those that are new. */
  limited(queues: ReadonlySet<string>): void {
    for (const queue of queues) {
      if (this.#limited.has(queue)) continue;
      this.#log.warn({ queue }, "the queue has a delivery limit of its own");
    }
    this.#limited = queues;
  }

  repairFailed(error: unknown): void {
    const details = { error: describeCause(error) };
    this.#lines.write("error", details, "cannot declare the topology again");
  }

  /** Logs the numbers of what was held back. */
  close(): void {
    this.#lines.close();
  }
}
