import { CertwireError } from "../errors/certwire-error.ts";
import { type CertwireEvent, type EventKind, eventKinds } from "../events/event.ts";
import type { TypedEvent } from "../events/typed-event.ts";
import type { ReceivedMessage } from "./message.ts";

/** What a handler gets beside the event. `T`: the transaction of the deduplication store, if it has one. */
export interface HandlerContext<T = undefined> {
  /** The message that the event came in. */
  readonly message: ReceivedMessage;
  /** Which try this is, from 1. */
  readonly attempt: number;
  /**
   * Aborted when the consumer no longer waits for this handler: the stop took longer than `stopTimeoutMs`, or the
   * partition went to another member. The event is delivered again, here or there.
   */
  readonly signal: AbortSignal;
  /** The open transaction of a store such as `PostgresDeduplication`; `undefined` otherwise. */
  readonly transaction: T;
}

/** Handles one event. It has succeeded when it resolves; when it throws, it is called again after a delay. */
export type Handler<E extends CertwireEvent | TypedEvent<EventKind>, T = undefined> = (
  event: E,
  context: HandlerContext<T>,
) => Promise<void> | void;

/** A handler for each kind of interest. Events of a kind without one are acknowledged and counted as `ignored`. */
export type Handlers<T = undefined> = {
  readonly [K in EventKind]?: Handler<TypedEvent<K>, T>;
} & {
  /** Gets the events of all kinds that have no handler of their own, also of kinds that a later version adds. */
  readonly otherwise?: Handler<CertwireEvent, T>;
};

const names: ReadonlySet<string> = new Set([...eventKinds, "otherwise"]);

/** Throws CERTWIRE_CONSUMER_OPTIONS for a name that is not a kind, and when there is no handler at all. */
export function checkHandlers(handlers: object): void {
  const given = Object.keys(handlers);
  const unknown = given.find((name) => !names.has(name));
  if (unknown !== undefined) {
    throw new CertwireError(
      "CERTWIRE_CONSUMER_OPTIONS",
      `handlers: "${unknown}" is not a kind of event`,
      { hint: `The kinds are ${eventKinds.join(", ")}; otherwise takes all others.` },
    );
  }
  if (given.length === 0) {
    throw new CertwireError("CERTWIRE_CONSUMER_OPTIONS", "handlers: there is no handler");
  }
}

/** The handler of an event; `undefined` if it is to be ignored. */
export function handlerFor<T>(
  handlers: Handlers<T>,
  kind: EventKind | undefined,
): Handler<CertwireEvent, T> | undefined {
  // The kind says which type of data the handler takes.
  const own = kind === undefined ? undefined : handlers[kind];
  return (own as Handler<CertwireEvent, T> | undefined) ?? handlers.otherwise;
}
