import { patienceMs } from "./until.ts";

/** Far above what a broker takes for an answer on the slowest machine, but less than a test waits. */
const answerMs = patienceMs / 2;

const limits = {
  kafka: { connectTimeoutMs: answerMs, requestTimeoutMs: answerMs },
  amqp: { connectTimeoutMs: answerMs, confirmTimeoutMs: answerMs, heartbeatSeconds: 60 },
};

/** An entry of `sinks` in a configuration, or what a test adds a name to. */
export interface UrlEntry {
  readonly url: string;
  readonly [key: string]: unknown;
}

/**
 * The entry with limits that only a silent broker exceeds, unless it has its own. With those of a user a broker on a
 * busy machine may answer too late, and what it has stored is sent again.
 */
export function patientEntry<E extends UrlEntry>(entry: E): E {
  if (/^kafkas?:/.test(entry.url)) return { ...limits.kafka, ...entry };
  return /^amqps?:/.test(entry.url) ? { ...limits.amqp, ...entry } : entry;
}
