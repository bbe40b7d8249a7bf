import type { Destination } from "./destination.ts";
import type { CertwireEvent, EventAttributes, EventKind } from "./event.ts";
import { kindOf } from "./event-kind.ts";
import { escapeActive, escapedBytes } from "./json-text.ts";
import { jsonOfMembers } from "./shared-json.ts";

/**
 * An event ready to publish: its JSON bytes, encoded once. The data exists only as bytes, because thousands
 * of events are in flight and their objects would keep the garbage collector busy.
 */
export interface OutboundEvent {
  readonly id: string;
  readonly kind: EventKind;
  /** Events with the same key keep their order. */
  readonly partitionKey: string;
  readonly attributes: EventAttributes;
  /** The event in structured JSON as `jsonText` writes it, UTF-8; the member `data` is the last one. */
  readonly json: Buffer;
  /** Offset in `json` of the value of `data`, in bytes; it ends before the last byte of `json`. */
  readonly dataStart: number;
  /** Where the event goes. Absent: to the sink's own destination. */
  readonly destination?: Destination;
}

/** Makes an event smaller by leaving out its largest binary values, down to `maxBytes` of JSON. */
export type ShrinkEvent = (event: CertwireEvent, maxBytes: number) => CertwireEvent;

/**
 * Writes an event as JSON once, made smaller first where it is above `maxEventBytes`. Throws what
 * `JSON.stringify` throws.
 */
export function toOutbound(
  event: CertwireEvent,
  maxEventBytes: number,
  shrink: ShrinkEvent,
): OutboundEvent {
  if (!hasLargerCrl(event.data, maxEventBytes)) {
    const outbound = encodeEvent(event);
    if (outbound.json.length <= maxEventBytes) return outbound;
  }
  return encodeEvent(shrink(event, maxEventBytes));
}

/**
 * True if one of the event's CRLs alone is above the limit. Writing it to find that out would hold up everything
 * else: no other value may have tens of megabytes.
 */
function hasLargerCrl({ crl, crls }: CertwireEvent["data"], limit: number): boolean {
  const all: unknown[] = Array.isArray(crls) ? crls : [crl];
  return all.some((each) => {
    const { der } = Object(each) as { der?: unknown };
    return typeof der === "string" && der.length > limit;
  });
}

/** Writes an event as JSON, whatever its size. */
export function encodeEvent({ data, ...attributes }: CertwireEvent): OutboundEvent {
  const head = plainHead(attributes);
  const text = `${head}${jsonOfMembers(data)}}`;
  const json = escapedBytes(text);
  const { id, partitionkey: partitionKey } = attributes;
  // Nearly every event is ASCII, of which nothing is escaped.
  const isPlain = json.length === text.length;
  const dataStart = isPlain ? head.length : Buffer.byteLength(escapeActive(head));
  return { id, kind: kindOf(attributes), partitionKey, attributes, json, dataStart };
}

/** What stands before the value of `data` in structured JSON. */
export function jsonBeforeData(attributes: EventAttributes): string {
  return escapeActive(plainHead(attributes));
}

function plainHead(attributes: EventAttributes): string {
  return `${JSON.stringify(attributes).slice(0, -1)},"data":`;
}

/** The event that an outbound event was made of. */
export function eventOf({ json }: OutboundEvent): CertwireEvent {
  return JSON.parse(json.toString()) as CertwireEvent;
}
