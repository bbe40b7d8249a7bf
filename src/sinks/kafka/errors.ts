import { CertwireError } from "../../errors/certwire-error.ts";
import { TokenError, type TokenErrorKind } from "../../kafka/token-error.ts";
import {
  auth,
  broken,
  classOfCode,
  config,
  ErrorClassifier,
  type FailureClass,
  hintedBy,
} from "../failure-class.ts";
import { tlsFaultOf } from "../tls-errors.ts";
import { kafkaErrors, tooLarge } from "./error-table.ts";
import { withColons } from "./ipv6.ts";

const byType: ReadonlyMap<unknown, FailureClass> = new Map(
  kafkaErrors.map(({ type, meaning }) => [type, meaning]),
);

/** What kafkajs throws when the metadata of any topic that it asks for has an error. */
const metadataTypes: ReadonlySet<unknown> = new Set([
  "UNKNOWN_TOPIC_OR_PARTITION",
  "LEADER_NOT_AVAILABLE",
  "TOPIC_AUTHORIZATION_FAILED",
  "LISTENER_NOT_FOUND",
]);

/** A broker closes the connection without an answer when the two sides disagree about TLS or passwords. */
const hungUp: FailureClass = {
  ...broken,
  hint: "The broker closed the connection. If it always does, the port requires TLS (kafkas:// in the URL), no TLS (kafka://), or a password (sasl).",
};

const noSuchHost: FailureClass = {
  ...broken,
  hint: "The name of the host cannot be resolved here. If it is not in the URL, a broker advertises it: check advertised.listeners of the brokers, or the name service.",
};

const errorNames: Readonly<Record<string, FailureClass>> = {
  KafkaJSSASLAuthenticationError: auth,
  KafkaJSNotImplemented: config,
  KafkaJSConnectionClosedError: hungUp,
};

const byTokenError: Readonly<Record<TokenErrorKind, FailureClass>> = {
  unreachable: broken,
  refused: auth,
  config,
};

/** Fields that some errors of kafkajs and Node.js have. */
interface KafkaError extends Error {
  readonly type?: unknown;
  readonly code?: unknown;
  /** `host:port` of a connection. */
  readonly broker?: unknown;
}

const classifier = new ErrorClassifier(
  (error) => classOf(error as KafkaError),
  "kafka publish failed",
);

/** Classifies what kafkajs threw during a publish, to a topic if that was known. */
export function toKafkaFailure(error: unknown, topic?: string) {
  const message = topic === undefined ? undefined : `cannot publish to topic "${topic}"`;
  return classifier.toFailure(namingItsBroker(error), message);
}

/** The CertwireError for what kafkajs threw; `message` says what failed. */
export function toKafkaError(error: unknown, message: string): CertwireError {
  return classifier.toError(namingItsBroker(error), message);
}

/** True when the broker refused a request because the events in it are too large together, or one alone is. */
export function isTooLarge(error: unknown): boolean {
  return classOf(innermost(error)) === tooLarge;
}

/** True when the fault may be that of any topic whose metadata were asked for together. */
export function isOfMetadata(error: unknown): boolean {
  return metadataTypes.has(innermost(error).type);
}

/** True when a topic exists but cannot be used now, since a partition of it has no leader. */
export function isLeaderless(error: unknown): boolean {
  const reason = error instanceof CertwireError ? error.cause : error;
  return innermost(reason).type === "LEADER_NOT_AVAILABLE";
}

function classOf(error: KafkaError): FailureClass {
  const byProtocol = byType.get(error.type);
  if (byProtocol) return byProtocol;
  if (error instanceof CertwireError) return classOfCode(error);
  if (error instanceof TokenError) return hintedBy(byTokenError[error.kind], error.hint);
  if (error.code === "ECONNRESET") return hungUp;
  if (isUnresolved(error)) return noSuchHost;
  return tlsFaultOf(error.code) ?? errorNames[error.name] ?? broken;
}

function isUnresolved({ code, message }: KafkaError): boolean {
  return code === "ENOTFOUND" || code === "EAI_AGAIN" || /\b(ENOTFOUND|EAI_AGAIN)\b/.test(message);
}

/** The error that decides. Its message names the broker, which kafkajs has in a field of its own only. */
function namingItsBroker(error: unknown): Error {
  const inner = innermost(error);
  const { broker, message, name, type, code } = inner;
  if (typeof broker !== "string") return inner;
  const text = message.includes(broker) ? message : `${message} (${broker})`;
  return Object.assign(new Error(withColons(text)), { name, type, code });
}

/** kafkajs wraps the last error of its own retries in `cause`. */
function innermost(error: unknown): KafkaError {
  let inner: KafkaError = error instanceof Error ? error : new Error(String(error));
  for (let depth = 0; depth < 8; depth += 1) {
    // An error of our own says all there is; its cause is only the reason.
    const isOwn = inner instanceof CertwireError || inner instanceof TokenError;
    if (isOwn || !(inner.cause instanceof Error)) break;
    inner = inner.cause;
  }
  return inner;
}
