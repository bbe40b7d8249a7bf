import { CertwireError } from "../../errors/certwire-error.ts";
import {
  auth,
  broken,
  classOfCode,
  config,
  ErrorClassifier,
  type FailureClass,
} from "../failure-class.ts";
import { tlsFaultOf } from "../tls-errors.ts";

const busy: FailureClass = { kind: "retry-identical", code: "CERTWIRE_SINK_UNREACHABLE" };
const poison: FailureClass = { kind: "poison", code: "CERTWIRE_SINK_REJECTED" };

/**
 * Error types of the Kafka protocol. Everything else, including types of later brokers, is `reset`: a new
 * producer with a new producer ID, and the same events again.
 */
export const kafkaErrorClasses: Readonly<Record<string, FailureClass>> = {
  LEADER_NOT_AVAILABLE: busy,
  NOT_LEADER_FOR_PARTITION: busy,
  REPLICA_NOT_AVAILABLE: busy,
  NOT_ENOUGH_REPLICAS: busy,
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: busy,
  KAFKA_STORAGE_ERROR: busy,
  FENCED_LEADER_EPOCH: busy,
  UNKNOWN_LEADER_EPOCH: busy,
  CORRUPT_MESSAGE: busy,
  OUT_OF_ORDER_SEQUENCE_NUMBER: broken,
  DUPLICATE_SEQUENCE_NUMBER: broken,
  INVALID_PRODUCER_EPOCH: broken,
  UNKNOWN_PRODUCER_ID: broken,
  REQUEST_TIMED_OUT: broken,
  NETWORK_EXCEPTION: broken,
  MESSAGE_TOO_LARGE: poison,
  RECORD_LIST_TOO_LARGE: poison,
  INVALID_RECORD: poison,
  INVALID_TIMESTAMP: poison,
  UNKNOWN_TOPIC_OR_PARTITION: config,
  INVALID_TOPIC_EXCEPTION: config,
  INVALID_REQUIRED_ACKS: config,
  UNSUPPORTED_FOR_MESSAGE_FORMAT: config,
  UNSUPPORTED_COMPRESSION_TYPE: config,
  POLICY_VIOLATION: config,
  UNSUPPORTED_VERSION: config,
  TOPIC_AUTHORIZATION_FAILED: auth,
  GROUP_AUTHORIZATION_FAILED: auth,
  CLUSTER_AUTHORIZATION_FAILED: auth,
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: auth,
  SASL_AUTHENTICATION_FAILED: auth,
  UNSUPPORTED_SASL_MECHANISM: auth,
  ILLEGAL_SASL_STATE: auth,
  SECURITY_DISABLED: auth,
};

/**
 * A broker closes the connection without an answer when one side uses TLS and the other does not, or when it
 * requires a password and the client sends none.
 */
const hungUp: FailureClass = {
  ...broken,
  hint: "The broker closed the connection. If it always does, the port requires TLS (kafkas:// in the URL), no TLS (kafka://), or a password (sasl).",
};

const errorNames: Readonly<Record<string, FailureClass>> = {
  KafkaJSSASLAuthenticationError: auth,
  KafkaJSNotImplemented: config,
  KafkaJSConnectionClosedError: hungUp,
};

const classifier = new ErrorClassifier(
  (error) => classOf(innermost(error)),
  "kafka publish failed",
);

/** Classifies what kafkajs threw during a publish. */
export const toKafkaFailure = classifier.toFailure.bind(classifier);

/** The CertwireError for what kafkajs threw; the second argument says what failed. */
export const toKafkaError = classifier.toError.bind(classifier);

function classOf(error: Error & { type?: unknown; code?: unknown }): FailureClass {
  const byType = typeof error.type === "string" ? kafkaErrorClasses[error.type] : undefined;
  if (byType) return byType;
  if (error instanceof CertwireError) return classOfCode(error);
  if (error.code === "ECONNRESET") return hungUp;
  return tlsFaultOf(error.code) ?? errorNames[error.name] ?? broken;
}

/** kafkajs wraps the last error of its own retries in `cause`. */
function innermost(error: unknown): Error {
  let inner = error instanceof Error ? error : new Error(String(error));
  for (let depth = 0; depth < 8 && inner.cause instanceof Error; depth += 1) inner = inner.cause;
  return inner;
}
