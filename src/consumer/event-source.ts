import type { ConsumerLogger } from "./logger.ts";
import type { ReceivedMessage } from "./message.ts";
import type { Outcome, Session } from "./session.ts";

/** How far a consumer is behind in one partition, queue or stream. */
export interface Lag {
  /** `topic/partition`, or the name of the queue or stream. */
  readonly place: string;
  /**
   * Messages that are not acknowledged yet. Kafka: high watermark minus committed offset. Queue: messages ready, without
   * those that a consumer has. Stream: newest offset minus the place of this consumer.
   */
  readonly messages: number;
}

/** What a source works with. */
export interface SourceHost {
  readonly log: ConsumerLogger;
  /** Aborted when the consumer is to stop. */
  readonly signal: AbortSignal;
  /** How long a stop waits for handlers, in ms. */
  readonly stopTimeoutMs: number;
  openSession(): Session;
  /** Handles a message; it may be acknowledged only if the outcome is `handled`. */
  deliver(message: ReceivedMessage, session: Session): Promise<Outcome>;
}

/** Where a consumer gets its messages: `kafkaTopic`, `rabbitMqQueue` or `rabbitMqStream`. */
export interface EventSource {
  /**
   * Receives messages until the host's signal is aborted; connects again after a lost connection. Resolves once all
   * that was handled is acknowledged. Rejects with a CertwireError.
   */
  run(host: SourceHost): Promise<void>;
  /** How far this consumer is behind. Rejects with a CertwireError if the broker cannot be asked. */
  lag(): Promise<readonly Lag[]>;
}
