import { CertwireError } from "../errors/certwire-error.ts";
import type { RetryOptions } from "./back-off.ts";
import type { DeadLetterHook } from "./dead-letter.ts";
import type { DeduplicationStore } from "./deduplication/store.ts";
import type { EventSource } from "./event-source.ts";
import { checkHandlers, type Handlers } from "./handlers.ts";
import type { ConsumerLogger } from "./logger.ts";

/** What a consumer does, and how. */
export interface ConsumerOptions<T = undefined> {
  /** Where the messages come from. */
  readonly source: EventSource;
  /** What happens with them. */
  readonly handlers: Handlers<T>;
  /** Handlers that run at a time, all keys together. Default 16. */
  readonly concurrency?: number;
  /** How handlers that fail are tried again. Default: without limit. */
  readonly retry?: RetryOptions;
  /**
   * Gets the messages that are not events of Certwire, and the events whose handler has used up `retry.limit`.
   * Without it the consumer stops with an error at such a message.
   */
  readonly onDeadLetter?: DeadLetterHook;
  /** Prevents that an event which is delivered twice has its effect twice. Default none. */
  readonly deduplication?: DeduplicationStore<T>;
  /** Stops the consumer gracefully when aborted. Default none. */
  readonly signal?: AbortSignal;
  /** Longest wait of a stop for the handlers that run, in ms. Default 30 000. */
  readonly stopTimeoutMs?: number;
  /** Default: nothing is logged. */
  readonly logger?: ConsumerLogger;
}

/** The retry options with their defaults. Throws CERTWIRE_CONSUMER_OPTIONS. */
export function resolveRetry({
  limit = Number.POSITIVE_INFINITY,
  initialMs = 200,
  maxMs = 30_000,
}: RetryOptions = {}): Required<RetryOptions> {
  assertAtLeast("retry.limit", limit, 0);
  assertAtLeast("retry.initialMs", initialMs, 1);
  assertAtLeast("retry.maxMs", maxMs, 1);
  return { limit, initialMs, maxMs };
}

/** Throws CERTWIRE_CONSUMER_OPTIONS if an option is invalid. */
export function checkOptions<T>(options: ConsumerOptions<T>): void {
  const { handlers, concurrency, stopTimeoutMs, retry } = options;
  checkHandlers(handlers);
  resolveRetry(retry);
  if (concurrency !== undefined) assertAtLeast("concurrency", concurrency, 1);
  if (stopTimeoutMs !== undefined) assertAtLeast("stopTimeoutMs", stopTimeoutMs, 0);
}

/** Throws CERTWIRE_CONSUMER_OPTIONS if a number is below the least that it may be. */
export function assertAtLeast(option: string, value: number, least: number): void {
  if (value >= least) return;
  const text = `${option}: ${value} is not a number of at least ${least}`;
  throw new CertwireError("CERTWIRE_CONSUMER_OPTIONS", text);
}

/** Throws CERTWIRE_CONSUMER_OPTIONS if a text is missing or empty. */
export function assertText(option: string, value: unknown): void {
  if (typeof value === "string" && value !== "") return;
  throw new CertwireError("CERTWIRE_CONSUMER_OPTIONS", `${option}: it must be a text`);
}
