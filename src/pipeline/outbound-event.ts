import type { CertwireEvent } from "../exit/event.ts";
import { kindOf } from "../exit/event-kind.ts";
import type { OutboundEvent } from "../sinks/sink.ts";

/** Makes an event smaller by leaving out its largest binary values, down to `maxBytes` of JSON. */
export type ShrinkEvent = (event: CertwireEvent, maxBytes: number) => CertwireEvent;

/** Writes an event as JSON once, made smaller first where it is above `maxEventBytes`. */
export function toOutbound(
  event: CertwireEvent,
  maxEventBytes: number,
  shrink: ShrinkEvent,
): OutboundEvent {
  const json = encode(event);
  if (json.length <= maxEventBytes) return outbound(event, json);
  const smaller = shrink(event, maxEventBytes);
  return outbound(smaller, encode(smaller));
}

function encode(event: CertwireEvent): Buffer {
  return Buffer.from(JSON.stringify(event));
}

function outbound(event: CertwireEvent, json: Buffer): OutboundEvent {
  const { id, partitionkey } = event;
  return { id, kind: kindOf(event), partitionKey: partitionkey, event, json };
}
