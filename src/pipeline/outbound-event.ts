import { type CertwireEvent, type EventKind, eventKinds } from "../exit/event.ts";
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
  return { id, kind: kindOf(event.type), partitionKey: partitionkey, event, json };
}

const kinds = new Map<string, EventKind>();

/** The kind inside a full event type; the prefix before it is configurable. */
export function kindOf(type: string): EventKind {
  const known = kinds.get(type);
  if (known !== undefined) return known;
  const kind = eventKinds.find((each) => type.endsWith(`${each}.v1`));
  if (kind === undefined) throw new TypeError(`not an event type of Certwire: ${type}`);
  kinds.set(type, kind);
  return kind;
}
