import type { Logger } from "pino";
import { describeCause } from "../../errors/describe-cause.ts";
import { logLine } from "../../log/log-line.ts";
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
    logLine(this.#log, "connected", { host, port, version });
  }

  /** `isEstablished`: false while the sink opens, whose error says the same. */
  connectionLost(error: Error, isEstablished: boolean): void {
    const details = { error: describeCause(error) };
    if (isEstablished) this.#lines.write("connection lost", details);
    else logLine(this.#log, "connection lost", details, "debug");
  }

  blocked(reason: string | undefined): void {
    this.#lines.write("the broker has blocked the connection; publishing pauses", { reason });
  }

  unblocked(): void {
    this.#lines.write("the broker accepts events again", {});
  }

  /** `queues`: all that have a delivery limit of their own. Logs those that are new. */
  limited(queues: ReadonlySet<string>): void {
    for (const queue of queues) {
      if (this.#limited.has(queue)) continue;
      logLine(this.#log, "the queue has a delivery limit of its own", { queue });
    }
    this.#limited = queues;
  }

  repairFailed(error: unknown): void {
    this.#lines.write("cannot declare the topology again", { error: describeCause(error) });
  }

  /** Logs the numbers of what was held back. */
  close(): void {
    this.#lines.close();
  }
}
