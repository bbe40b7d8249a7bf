import type { CertwireEvent } from "../events/event.ts";
import { kindOf } from "../events/event-kind.ts";
import type { OutboundEvent } from "../sinks/sink.ts";

/** Makes an event smaller by leaving out its largest binary values, down to `maxBytes` of JSON. */
export type ShrinkEvent = (event: CertwireEvent, maxBytes: number) => CertwireEvent;

/** Writes an event as JSON once, made smaller first where it is above `maxEventBytes`. */
export function toOutbound(
  event: CertwireEvent,
  maxEventBytes: number,
  shrink: ShrinkEvent,
): OutboundEvent {
  const outbound = encode(event);
  return outbound.json.length <= maxEventBytes ? outbound : encode(shrink(event, maxEventBytes));
}

/** The event that an outbound event was made of. */
export function eventOf({ json }: OutboundEvent): CertwireEvent {
  return JSON.parse(json.toString()) as CertwireEvent;
}

function encode({ data, ...attributes }: CertwireEvent): OutboundEvent {
  const json = Buffer.from(JSON.stringify({ ...attributes, data }));
  const { id, partitionkey } = attributes;
  return { id, kind: kindOf(attributes), partitionKey: partitionkey, attributes, json };
}
