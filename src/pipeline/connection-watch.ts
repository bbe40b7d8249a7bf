import { clock, type Timer } from "../clock.ts";
import type { Sink } from "../sinks/sink.ts";
import type { PipelineMonitor } from "./monitor.ts";
import { Retry, type RetryPolicy } from "./retry.ts";

/** What a watch needs of its pipeline. */
export interface ConnectionWatchOptions {
  readonly sink: Sink;
  readonly monitor: PipelineMonitor;
  /** Delays between attempts to connect. */
  readonly retry: RetryPolicy;
  /** `closed`: the sink is not open now. `busy`: events are in flight, for which the lanes connect. */
  readonly phase: () => "closed" | "busy" | "idle";
  /** How often the connection of the sink is checked, in ms. The check itself sends nothing. */
  readonly checkMs: number;
}

/** Sees that the connection of an open sink is lost or back, which without an event nothing else would find out. */
export class ConnectionWatch {
  readonly #options: ConnectionWatchOptions;
  readonly #retry: Retry;
  /** When the sink may connect again, by `Clock.now`. */
  #nextAt = 0;
  #timer: Timer | undefined;

  constructor(options: ConnectionWatchOptions) {
    this.#options = options;
    this.#retry = new Retry(options.retry);
  }

  start(): void {
    this.#timer = clock.setInterval(() => this.#check(), this.#options.checkMs);
  }

  stop(): void {
    clock.clear(this.#timer);
  }

  #check(): void {
    const { sink, monitor } = this.#options;
    const phase = this.#options.phase();
    if (phase === "closed") return;
    const failure = sink.connectionFailure;
    if (failure === undefined) {
      this.#retry.succeeded();
      this.#nextAt = 0;
      monitor.connectionWorks();
      return;
    }
    const now = clock.now();
    if (now < this.#nextAt) return;
    const delayMs = this.#retry.nextDelayMs();
    this.#nextAt = now + delayMs;
    monitor.connectionFailed(failure, this.#retry.failures, delayMs);
    if (phase === "idle") sink.reconnect?.();
  }
}
