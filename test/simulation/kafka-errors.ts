import kafkajs from "kafkajs";

const {
  KafkaJSConnectionError,
  KafkaJSNumberOfRetriesExceeded,
  KafkaJSProtocolError,
  KafkaJSRequestTimeoutError,
} = kafkajs;

const protocolErrors = {
  MESSAGE_TOO_LARGE: { code: 10, retriable: false },
  UNKNOWN_TOPIC_OR_PARTITION: { code: 3, retriable: true },
  LEADER_NOT_AVAILABLE: { code: 5, retriable: true },
  NOT_LEADER_FOR_PARTITION: { code: 6, retriable: true },
  NOT_ENOUGH_REPLICAS: { code: 19, retriable: true },
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: { code: 20, retriable: true },
  TOPIC_AUTHORIZATION_FAILED: { code: 29, retriable: false },
  INVALID_TIMESTAMP: { code: 32, retriable: false },
  OUT_OF_ORDER_SEQUENCE_NUMBER: { code: 45, retriable: false },
} as const;

/** Name of an error of the protocol, as kafkajs spells it. */
export type ProtocolErrorType = keyof typeof protocolErrors;

/** What kafkajs throws when a broker answers with an error. */
export function protocolError(type: ProtocolErrorType): Error {
  const { code, retriable } = protocolErrors[type];
  const error = { name: type, message: type, type, code, retriable };
  return new (KafkaJSProtocolError as unknown as new (e: object) => Error)(error);
}

/** What kafkajs throws when a connection cannot be made, or ends. */
export function connectionError(code: string): Error {
  const options = { broker: "kafka:9092", code };
  const Connection = KafkaJSConnectionError as unknown as new (m: string, o: object) => Error;
  return Object.assign(new Connection(`Connection error: ${code}`, options), { code });
}

/** What kafkajs throws when no answer comes. */
export function timedOut(): Error {
  const Timeout = KafkaJSRequestTimeoutError as unknown as new (m: string, o: object) => Error;
  return new Timeout("Request Produce timed out", { broker: "kafka:9092" });
}

/** What kafkajs throws when its last try fails. */
export function afterRetries(error: Error): Error {
  const Exceeded = KafkaJSNumberOfRetriesExceeded as unknown as new (e: Error, o: object) => Error;
  return Object.assign(new Exceeded(error, { retryCount: 1, retryTime: 100 }), { cause: error });
}
