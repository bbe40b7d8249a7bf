import { auth, broken, config, type FailureClass, hintedBy } from "../failure-class.ts";

/** What an error code of the Kafka protocol means when the broker answers a publish or an opening with it. */
export interface KafkaErrorRow {
  /** Number of the code in the protocol. */
  readonly code: number;
  /** Name of the code as kafkajs spells it. */
  readonly type: string;
  readonly meaning: FailureClass;
  /** Why it is so, for the documentation. */
  readonly why: string;
}

const busy: FailureClass = { kind: "retry-identical", code: "CERTWIRE_SINK_UNREACHABLE" };

/**
 * The events of a request are larger than the broker accepts: the lane sends fewer at a time, and the sink
 * makes a single one smaller. Recognized by identity.
 */
export const tooLarge = hintedBy(
  config,
  "Raise max.message.bytes of the topic, or lower maxEventBytes.",
);

const fewReplicas = hintedBy(
  busy,
  "Fewer replicas are in sync than min.insync.replicas of the topic requires. Bring the missing brokers back.",
);
const noTopic = hintedBy(
  config,
  "Create the topic, or grant this client Describe and Write on it. Certwire never creates one.",
);
const noRight = hintedBy(auth, "Grant the client Write and Describe on the topic.");
const noIdempotence = hintedBy(
  auth,
  "Grant the client Write on the topic; brokers before 2.8 also require IdempotentWrite on the cluster.",
);
const badCredentials = hintedBy(
  auth,
  "Check the mechanism, the user and the password of sasl, and that the broker knows the user.",
);
const noSasl = hintedBy(
  auth,
  "The listener on this port does not use SASL. Remove sasl, or use the port of the listener that does.",
);
const wrongClock = hintedBy(
  config,
  "Compare the clocks of this machine and of the brokers. The topic refuses records further ahead than message.timestamp.after.max.ms.",
);

const election = "a leader is being elected, or has moved";
const producer = "a new producer with a new producer ID sends the same events again";
const outage = "an outage: the broker or the network";

/**
 * The error codes with a meaning of their own. Every other one, of this or a later version of the protocol, is
 * `reset`: consumer groups, transactions, tokens and controllers, which Certwire does not use, and
 * passing states of a broker. Kafka can be configured to accept every event, so none is poison.
 */
export const kafkaErrors: readonly KafkaErrorRow[] = [
  { code: 2, type: "CORRUPT_MESSAGE", meaning: busy, why: "damaged on the way" },
  {
    code: 3,
    type: "UNKNOWN_TOPIC_OR_PARTITION",
    meaning: noTopic,
    why: "the topic was deleted, or never existed",
  },
  { code: 5, type: "LEADER_NOT_AVAILABLE", meaning: busy, why: election },
  { code: 6, type: "NOT_LEADER_FOR_PARTITION", meaning: busy, why: election },
  { code: 7, type: "REQUEST_TIMED_OUT", meaning: broken, why: outage },
  { code: 8, type: "BROKER_NOT_AVAILABLE", meaning: broken, why: outage },
  { code: 9, type: "REPLICA_NOT_AVAILABLE", meaning: busy, why: election },
  {
    code: 10,
    type: "MESSAGE_TOO_LARGE",
    meaning: tooLarge,
    why: "a limit of the topic; events are made smaller",
  },
  { code: 13, type: "NETWORK_EXCEPTION", meaning: broken, why: outage },
  {
    code: 17,
    type: "INVALID_TOPIC_EXCEPTION",
    meaning: hintedBy(config, "Correct the name of the topic in the URL."),
    why: "a name that Kafka refuses",
  },
  {
    code: 18,
    type: "RECORD_LIST_TOO_LARGE",
    meaning: tooLarge,
    why: "a limit of the broker's segments; events are made smaller",
  },
  {
    code: 19,
    type: "NOT_ENOUGH_REPLICAS",
    meaning: fewReplicas,
    why: "too few replicas are in sync",
  },
  {
    code: 20,
    type: "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
    meaning: fewReplicas,
    why: "too few replicas are in sync",
  },
  {
    code: 21,
    type: "INVALID_REQUIRED_ACKS",
    meaning: hintedBy(
      config,
      "The broker does not support acks=all. Publish to an Apache Kafka or a compatible service that does.",
    ),
    why: "a broker that refuses acks=all",
  },
  { code: 29, type: "TOPIC_AUTHORIZATION_FAILED", meaning: noRight, why: "a right is missing" },
  { code: 30, type: "GROUP_AUTHORIZATION_FAILED", meaning: auth, why: "a right is missing" },
  {
    code: 31,
    type: "CLUSTER_AUTHORIZATION_FAILED",
    meaning: noIdempotence,
    why: "a right is missing",
  },
  {
    code: 32,
    type: "INVALID_TIMESTAMP",
    meaning: wrongClock,
    why: "records carry the time of publishing, so a clock is wrong",
  },
  {
    code: 33,
    type: "UNSUPPORTED_SASL_MECHANISM",
    meaning: badCredentials,
    why: "the broker lacks the mechanism",
  },
  { code: 34, type: "ILLEGAL_SASL_STATE", meaning: noSasl, why: "a listener without SASL" },
  {
    code: 35,
    type: "UNSUPPORTED_VERSION",
    meaning: hintedBy(config, "The broker is too old. Certwire needs Kafka 2.0 or later."),
    why: "a broker before 2.0",
  },
  {
    code: 43,
    type: "UNSUPPORTED_FOR_MESSAGE_FORMAT",
    meaning: hintedBy(config, "Set message.format.version of the topic to 2.0 or later."),
    why: "an old log format",
  },
  {
    code: 44,
    type: "POLICY_VIOLATION",
    meaning: hintedBy(
      config,
      "A policy of the cluster refuses the records. Ask its administrators which one.",
    ),
    why: "a policy of the cluster",
  },
  { code: 45, type: "OUT_OF_ORDER_SEQUENCE_NUMBER", meaning: broken, why: producer },
  { code: 46, type: "DUPLICATE_SEQUENCE_NUMBER", meaning: broken, why: producer },
  { code: 47, type: "INVALID_PRODUCER_EPOCH", meaning: broken, why: producer },
  { code: 49, type: "INVALID_PRODUCER_ID_MAPPING", meaning: broken, why: producer },
  {
    code: 53,
    type: "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
    meaning: auth,
    why: "a right is missing",
  },
  { code: 54, type: "SECURITY_DISABLED", meaning: auth, why: "the broker has no authorizer" },
  {
    code: 56,
    type: "KAFKA_STORAGE_ERROR",
    meaning: busy,
    why: "a disk of a broker; another replica takes over",
  },
  {
    code: 58,
    type: "SASL_AUTHENTICATION_FAILED",
    meaning: badCredentials,
    why: "the broker refuses the credentials",
  },
  { code: 59, type: "UNKNOWN_PRODUCER_ID", meaning: broken, why: producer },
  { code: 74, type: "FENCED_LEADER_EPOCH", meaning: busy, why: election },
  { code: 75, type: "UNKNOWN_LEADER_EPOCH", meaning: busy, why: election },
  {
    code: 76,
    type: "UNSUPPORTED_COMPRESSION_TYPE",
    meaning: hintedBy(config, "Set compression of the sink to none."),
    why: "the topic refuses the compression",
  },
  {
    code: 87,
    type: "INVALID_RECORD",
    meaning: hintedBy(
      config,
      "The topic checks records and refuses these, for example by a schema. Turn the check off for this topic.",
    ),
    why: "a check of the topic that every record of ours fails, such as a schema validation",
  },
];
