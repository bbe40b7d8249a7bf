import type { CertwireEvent } from "../events/event.ts";
import { kindOf } from "../events/event-kind.ts";
import type { OutboundEvent } from "../sinks/sink.ts";

/** Makes an event fit into `maxBytes` of JSON, by leaving out its largest values. */
export type ShrinkEvent = (event: CertwireEvent, maxBytes: number) => CertwireEvent;

/** The event as JSON, shrunk first if that is larger than `maxEventBytes`. Throws what JSON throws. */
export function toOutbound(
  event: CertwireEvent,
  maxEventBytes: number,
  shrink: ShrinkEvent,
): OutboundEvent {
  const outbound = encode(event);
  return outbound.json.length <= maxEventBytes ? outbound : encode(shrink(event, maxEventBytes));
}

/** Parses the event back out of its JSON. */
export function eventOf({ json }: OutboundEvent): CertwireEvent {
  return JSON.parse(json.toString()) as CertwireEvent;
}

function encode({ data, ...attributes }: CertwireEvent): OutboundEvent {
  const json = Buffer.from(JSON.stringify({ ...attributes, data }));
  const { id, partitionkey } = attributes;
  return { id, kind: kindOf(attributes), partitionKey: partitionkey, attributes, json };
}
