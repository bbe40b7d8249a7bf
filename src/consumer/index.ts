/** The SDK for consumers: `import { Consumer, kafkaTopic } from "certwire/consumer"`. Needs no native addon. */
export { CertwireError } from "../errors/certwire-error.ts";
export type { ErrorCode } from "../errors/codes.ts";
export { type CertwireEvent, type EventKind, eventKinds } from "../events/event.ts";
export type { TypedEvent } from "../events/typed-event.ts";
export {
  type EcsEvent,
  type OcsfEvent,
  type OcsfFingerprint,
  type OcsfSan,
  type SplunkCimEvent,
  toEcs,
  toOcsf,
  toSplunkCim,
} from "../mappings/index.ts";
export type { RetryOptions } from "./back-off.ts";
export {
  Completeness,
  type CompletenessPlace,
  type CompletenessState,
} from "./completeness/completeness.ts";
export type {
  CompletenessReport,
  CompletenessStart,
  EpochReport,
  Hole,
  JournalReport,
  MissingEnd,
  MissingEpochs,
  MissingEvents,
  MissingRecords,
} from "./completeness/report.ts";
export { Consumer } from "./consumer.ts";
export type { DeadLetter, DeadLetterHook } from "./dead-letter.ts";
export { MemoryDeduplication } from "./deduplication/memory.ts";
export {
  type PooledPostgresClient,
  PostgresDeduplication,
  type PostgresDeduplicationOptions,
  type PostgresPool,
} from "./deduplication/postgres.ts";
export type { DeduplicationStore, EventIdentity } from "./deduplication/store.ts";
export type { ConsumerStats } from "./dispatcher.ts";
export type { EventSource, Lag, SourceHost } from "./event-source.ts";
export type { Handler, HandlerContext, Handlers } from "./handlers.ts";
export {
  type AwsMskIamOptions,
  awsMskIam,
  type KafkaAccess,
  type OAuthBearerOptions,
  oauthBearer,
} from "./kafka/access.ts";
export type { KafkaClient, KafkaTopicOptions } from "./kafka/options.ts";
export { kafkaTopic } from "./kafka/topic-source.ts";
export type { ConsumerLogger } from "./logger.ts";
export type { ReceivedMessage } from "./message.ts";
export type { ConsumerOptions } from "./options.ts";
export type { RabbitMqConnectionOption } from "./rabbitmq/connection.ts";
export { FileOffsets, MemoryOffsets, type OffsetStore } from "./rabbitmq/offset-store.ts";
export { type RabbitMqQueueOptions, rabbitMqQueue } from "./rabbitmq/queue-source.ts";
export type { StreamStart } from "./rabbitmq/stream-place.ts";
export { type RabbitMqStreamOptions, rabbitMqStream } from "./rabbitmq/stream-source.ts";
export { knownKindOf, readEvent } from "./read-event.ts";
export type { Outcome, Session } from "./session.ts";
