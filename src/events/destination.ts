import type { EventKind } from "./event.ts";

/** Where a sink publishes an event: the parts that its kind of sink has. */
export interface Destination {
  /** Kafka topic. */
  readonly topic?: string;
  /** RabbitMQ exchange. */
  readonly exchange?: string;
  /** RabbitMQ routing key. */
  readonly routingKey?: string;
}

/** What the placeholders in the name of a destination stand for, as the CA says it. */
export interface PlaceholderValues {
  readonly kind: EventKind;
  /** Name or OID of the template; never what only the requester claims. */
  readonly template?: string | undefined;
  /** Name of the CA, or its id. */
  readonly ca?: string | undefined;
}

/** The destination of an event with these values. */
export type FillDestination = (values: PlaceholderValues) => Destination;

/** Every destination that a sink may have. */
export interface Destinations {
  /** Where an event goes that fits no route. */
  readonly fallback: FillDestination;
  /** Where the events of each route go, in the order of `routes`. */
  readonly routes: readonly FillDestination[];
  /** True if a name depends on more than the kind of event. */
  readonly usesTemplateOrCa: boolean;
}
