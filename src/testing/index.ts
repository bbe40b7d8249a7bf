/** The test kit: `import { testCa } from "certwire/testing"`. Needs no native addon. */

export type { EventSource } from "../consumer/event-source.ts";
export { CertwireError } from "../errors/certwire-error.ts";
export type { ErrorCode } from "../errors/codes.ts";
export type { EventOptions } from "../events/envelope.ts";
export { type CertwireEvent, type EventKind, eventKinds } from "../events/event.ts";
export type { FindingClass } from "../events/finding-event.ts";
export { isKind, type TypedEvent } from "../events/typed-event.ts";
export { type ContainerOptions, kafkaAt, startKafka, type TestKafka } from "./brokers/kafka.ts";
export { rabbitMqAt, startRabbitMq, type TestRabbitMq } from "./brokers/rabbitmq.ts";
export type { TestClock } from "./ca/clock.ts";
export type { FindingOptions } from "./ca/finding-book.ts";
export type { LossReason } from "./ca/lost-records.ts";
export type { RequestReference } from "./ca/request-book.ts";
export type { RequestOptions, TestAlternativeName } from "./ca/request-options.ts";
export { type TestTemplate, templateNames } from "./ca/templates.ts";
export {
  type ActorOptions,
  type FailureOptions,
  type LossOptions,
  type RenewalOptions,
  type TestCa,
  type TestCaOptions,
  type TestRevocationReason,
  testCa,
} from "./ca/test-ca.ts";
export {
  type PublishOptions,
  type PublishTarget,
  publish,
  type ReplayOptions,
  replay,
} from "./publish/publish.ts";
export { writeRecording } from "./publish/write-recording.ts";
export { type EventPattern, type ExpectOptions, expectEvent } from "./receive/expect-event.ts";
export { EventInbox, type OpenInbox, openInbox } from "./receive/inbox.ts";
export type { KeyKind } from "./x509/keys.ts";
