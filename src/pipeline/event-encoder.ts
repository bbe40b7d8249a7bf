import { isOutOfMemory } from "../errors/out-of-memory.ts";
import type { CertwireEvent } from "../events/event.ts";
import { eventOf, type OutboundEvent, type ShrinkEvent } from "../events/outbound-event.ts";
import type { Redactor } from "../events/redaction/redactor.ts";
import type { Router } from "../events/router.ts";
import { type EventShape, fitEvent, shapeEvent } from "../events/shape-event.ts";
import type { Sink } from "../sinks/sink.ts";
import type { SourcedRecord } from "../sources/event-source.ts";
import type { Ticket } from "./acknowledged-prefix.ts";
import type { PipelineMonitor } from "./monitor.ts";
import { type RetryPolicy, retryUntilDone } from "./retry.ts";

/** An event that could not be written as JSON, and where it comes from. */
export interface UnencodedEvent {
  readonly ticket: Ticket;
  readonly event: CertwireEvent;
  readonly frame: SourcedRecord["frame"];
  readonly cause: Error;
}

/** Parts of an encoder. */
export interface EventEncoderOptions {
  readonly sink: Sink;
  readonly shrink: ShrinkEvent;
  /** Default: events show everything. */
  readonly redactor?: Redactor | undefined;
  /** Default: events go to the sink's own destination. */
  readonly router?: Router | undefined;
  readonly monitor: PipelineMonitor;
  readonly retry: RetryPolicy;
}

/** Writes the events of one pipeline as its sink accepts them. Short of memory an event waits: nothing is wrong with it. */
export class EventEncoder {
  readonly #options: EventEncoderOptions;
  readonly #shape: EventShape;

  constructor(options: EventEncoderOptions) {
    this.#options = options;
    const { sink, shrink, redactor, router } = options;
    this.#shape = {
      redactor,
      router,
      shrink,
      maxBytesAt: (destination) =>
        (destination && sink.maxEventBytesAt?.(destination)) ?? sink.limits.maxEventBytes,
    };
  }

  /**
   * What a dead letter may hold of an event: nothing where the redaction has a fault, since everything might show what
   * the sink does not. Throws when memory is short.
   */
  deadEvent(event: CertwireEvent): { readonly event?: CertwireEvent } {
    const redacted = attempt(() => this.#options.redactor?.redact(event) ?? event);
    if (!(redacted instanceof Error)) return { event: redacted };
    if (isOutOfMemory(redacted)) throw redacted;
    return {};
  }

  /** The event for the sink, or why there is none. */
  encode(event: CertwireEvent): OutboundEvent | Error {
    return attempt(() => shapeEvent(event, this.#shape));
  }

  /** The same once there is memory for it; `undefined` if the signal was aborted first. */
  encodeLater(
    event: CertwireEvent,
    signal: AbortSignal,
  ): Promise<OutboundEvent | Error | undefined> {
    return this.#withMemory(() => this.encode(event), signal);
  }

  /**
   * Makes an encoded event smaller when the sink, opened again since, accepts less than before. `undefined` if the
   * signal was aborted while there was no memory for it, which is all that this waits for.
   */
  async fit(event: OutboundEvent, signal: AbortSignal): Promise<OutboundEvent | undefined> {
    const fitted = await this.#withMemory(() => attempt(() => this.#fit(event)), signal);
    if (fitted instanceof Error) throw fitted;
    return fitted;
  }

  #fit(event: OutboundEvent): OutboundEvent {
    if (event.json.length <= this.#shape.maxBytesAt(event.destination)) return event;
    return fitEvent(eventOf(event), event.destination, this.#shape);
  }

  #withMemory<T>(step: () => T, signal: AbortSignal): Promise<T | undefined> {
    const { retry, monitor } = this.#options;
    const checked = (): T => {
      const result = step();
      if (isOutOfMemory(result)) throw result;
      return result;
    };
    return retryRecord(checked, { policy: retry, monitor, signal });
  }
}

function attempt<T>(step: () => T): T | Error {
  try {
    return step();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** How `retryRecord` behaves. */
export interface RecordRetry {
  readonly policy: RetryPolicy;
  readonly monitor: PipelineMonitor;
  readonly signal: AbortSignal;
}

/** Repeats a step on a record or event until it does not throw, with an alarm; `undefined` if the signal was aborted. */
export async function retryRecord<T>(
  step: () => T,
  { policy, monitor, signal }: RecordRetry,
): Promise<T | undefined> {
  let hasFailed = false;
  const result = await retryUntilDone(async () => step(), {
    policy,
    signal,
    failed: (...failure) => {
      hasFailed = true;
      monitor.recordBlocked(...failure);
    },
  });
  if (hasFailed && result !== undefined) monitor.recordUnblocked();
  return result;
}
