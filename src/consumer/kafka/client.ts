import type { KafkaConfig, LogEntry } from "kafkajs";
import { CertwireError } from "../../errors/certwire-error.ts";
import { describeCause } from "../../errors/describe-cause.ts";
import { patchRequestQueue } from "../../kafka/request-queue.ts";
import { TokenError } from "../../kafka/token-error.ts";
import { registerZstd } from "../../kafka/zstd.ts";
import type { ConsumerLogger } from "../logger.ts";
import { isClient, type KafkaClient } from "./options.ts";

/** The user's own client, or a new one; kafkajs is loaded only then. */
export async function openClient(
  client: KafkaClient | KafkaConfig,
  log: ConsumerLogger,
): Promise<KafkaClient> {
  if (isClient(client)) return client;
  const { Kafka, logLevel, CompressionCodecs } = (await import("kafkajs")).default;
  patchRequestQueue();
  registerZstd(CompressionCodecs);
  return new Kafka({
    clientId: "certwire-consumer",
    connectionTimeout: 10_000,
    // kafkajs reports each failure as an error, too, so its own lines are only for debugging.
    logLevel: logLevel.WARN,
    logCreator: () => (entry) => forward(log, entry),
    ...client,
  });
}

function forward(log: ConsumerLogger, { namespace, log: { message, error } }: LogEntry): void {
  log.debug({ kafkajs: namespace, ...(typeof error === "string" && { error }) }, message);
}

/** Fields of kafkajs's errors. */
interface KafkaError {
  readonly name?: unknown;
  readonly type?: unknown;
  readonly cause?: unknown;
}

/** Refusals that last until someone acts, as types of the protocol. */
const refusals: ReadonlySet<unknown> = new Set([
  "UNKNOWN_TOPIC_OR_PARTITION",
  "INVALID_TOPIC_EXCEPTION",
  "TOPIC_AUTHORIZATION_FAILED",
  "GROUP_AUTHORIZATION_FAILED",
  "CLUSTER_AUTHORIZATION_FAILED",
  "SASL_AUTHENTICATION_FAILED",
  "UNSUPPORTED_SASL_MECHANISM",
  "INVALID_GROUP_ID",
  "INVALID_SESSION_TIMEOUT",
  "INCONSISTENT_GROUP_PROTOCOL",
]);

/** The CertwireError for what kafkajs threw; `what` says what failed. */
export function toConsumerError(error: unknown, what: string): CertwireError {
  if (error instanceof CertwireError) return error;
  if (isUnreadable(error)) {
    const text = `${what}: ${describeCause(error)}`;
    const hint = codecHint;
    return new CertwireError("CERTWIRE_CONSUMER_REFUSED", text, { cause: error, hint });
  }
  const token = chainOf(error).find((each) => each instanceof TokenError);
  const isRefused = token ? token.kind !== "unreachable" : chainOf(error).some(isRefusal);
  const code = isRefused ? "CERTWIRE_CONSUMER_REFUSED" : "CERTWIRE_CONSUMER_UNREACHABLE";
  const hint = token && { hint: token.hint };
  return new CertwireError(code, `${what}: ${describeCause(error)}`, { cause: error, ...hint });
}

const codecHint =
  "gzip can be read everywhere, and zstd on Node.js 22.15 or later. For another codec hand in a client of kafkajs that has it in its CompressionCodecs, or change compression.type of the topic.";

/** True when kafkajs has no codec for what it has fetched. */
function isUnreadable(error: unknown): boolean {
  return chainOf(error).some(
    (each) => (Object(each) as KafkaError).name === "KafkaJSNotImplemented",
  );
}

function isRefusal(error: unknown): boolean {
  const { name, type } = Object(error) as KafkaError;
  return refusals.has(type) || name === "KafkaJSSASLAuthenticationError";
}

/** An error and its causes. */
function chainOf(error: unknown): unknown[] {
  const chain: unknown[] = [];
  for (let next = error; next !== undefined && chain.length < 8; ) {
    chain.push(next);
    next = (Object(next) as KafkaError).cause;
  }
  return chain;
}
