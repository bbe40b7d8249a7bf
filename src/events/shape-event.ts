import type { Destination } from "./destination.ts";
import type { CertwireEvent } from "./event.ts";
import { type OutboundEvent, type ShrinkEvent, toOutbound } from "./outbound-event.ts";
import type { Redactor } from "./redaction/redactor.ts";
import type { Router } from "./router.ts";

/** What a sink makes of the events that it gets. */
export interface EventShape {
  /** Default: events show everything. */
  readonly redactor?: Redactor | undefined;
  /** Default: events go to the sink's own destination. */
  readonly router?: Router | undefined;
  readonly shrink: ShrinkEvent;
  /** Maximum JSON bytes of an event for a destination; for the sink's own one without it. */
  readonly maxBytesAt: (destination: Destination | undefined) => number;
}

/** An event as a sink publishes it: redacted, with its destination, and small enough for that. */
export function shapeEvent(event: CertwireEvent, shape: EventShape): OutboundEvent {
  const shown = shape.redactor?.redact(event) ?? event;
  return fitEvent(shown, shape.router?.destinationOf(event, shown), shape);
}

/** An event that was shaped before, written small enough for its destination. */
export function fitEvent(
  shown: CertwireEvent,
  destination: Destination | undefined,
  { shrink, maxBytesAt }: Pick<EventShape, "shrink" | "maxBytesAt">,
): OutboundEvent {
  const outbound = toOutbound(shown, maxBytesAt(destination), shrink);
  return destination === undefined ? outbound : { ...outbound, destination };
}
