import { CertwireError } from "../../errors/certwire-error.ts";
import type { ErrorCode } from "../../errors/codes.ts";
import type { SinkFailure, SinkFailureKind } from "../sink.ts";
import { tlsFaultOf } from "../tls-errors.ts";

interface Class {
  readonly kind: SinkFailureKind;
  readonly code: ErrorCode;
  /** Where more is known than the code's own hint. */
  readonly hint?: string;
}

const busy: Class = { kind: "retry-identical", code: "CERTWIRE_SINK_UNREACHABLE" };
const broken: Class = { kind: "reset", code: "CERTWIRE_SINK_UNREACHABLE" };
const poison: Class = { kind: "poison", code: "CERTWIRE_SINK_REJECTED" };
const config: Class = { kind: "config", code: "CERTWIRE_SINK_CONFIG" };
const auth: Class = { kind: "auth", code: "CERTWIRE_SINK_AUTH" };

/**
 * Error types of the Kafka protocol. Everything else, also what a later broker invents, is `reset`: a new
 * producer with a new producer ID, and the same events again.
 */
export const kafkaErrorClasses: Readonly<Record<string, Class>> = {
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

/** So do brokers with TLS or passwords treat a client that comes without, and those without one that comes with. */
const hungUp: Class = {
  ...broken,
  hint: "The broker has closed the connection. Where it always does, the port wants TLS (kafkas:// in the URL), no TLS (kafka://), or a password (sasl).",
};

const errorNames: Readonly<Record<string, Class>> = {
  KafkaJSSASLAuthenticationError: auth,
  KafkaJSNotImplemented: config,
  KafkaJSConnectionClosedError: hungUp,
};

/** Classifies what kafkajs threw. */
export function toKafkaFailure(error: unknown): SinkFailure {
  if (error instanceof CertwireError) {
    const kind = error.code === "CERTWIRE_SINK_CONFIG" ? "config" : "reset";
    return { kind, cause: error };
  }
  const { kind } = classOf(innermost(error));
  return { kind, cause: toKafkaError(error, "kafka publish failed") };
}

/** The CertwireError for what kafkajs threw. */
export function toKafkaError(error: unknown, message: string): CertwireError {
  if (error instanceof CertwireError) return error;
  const { code, hint } = classOf(innermost(error));
  return new CertwireError(code, message, { cause: error, ...(hint !== undefined && { hint }) });
}

function classOf(error: Error & { type?: unknown; code?: unknown }): Class {
  const byType = typeof error.type === "string" ? kafkaErrorClasses[error.type] : undefined;
  if (byType) return byType;
  if (error.code === "ECONNRESET") return hungUp;
  return tlsFaultOf(error.code) ?? errorNames[error.name] ?? broken;
}

/** kafkajs wraps the last error of its own retries. */
function innermost(error: unknown): Error {
  let inner = error instanceof Error ? error : new Error(String(error));
  for (let depth = 0; depth < 8 && inner.cause instanceof Error; depth += 1) inner = inner.cause;
  return inner;
}
