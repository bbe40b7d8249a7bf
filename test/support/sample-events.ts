import type { CertwireEvent } from "../../src/events/event.ts";
import { encodeEvent, type OutboundEvent } from "../../src/events/outbound-event.ts";
import type { JournalPosition } from "../../src/journal/position.ts";

const epochId = "0123456789abcdef0123456789abcdef";

/** A position of the sample journal. */
export function samplePosition(sequence: number): JournalPosition {
  return {
    epochNumber: 1,
    epochId,
    segment: 0,
    offset: sequence * 100,
    sequence: BigInt(sequence),
  };
}

/** An event with a given place in the journal and partition key; `padBytes` makes it larger. */
export function sampleEvent(sequence: number, key = "ca-1", padBytes = 0): CertwireEvent {
  const padded = String(sequence).padStart(20, "0");
  return {
    specversion: "1.0",
    id: `${epochId}-${sequence}-0`,
    source: "urn:certwire:ca:test",
    type: "io.certwire.certificate.issued.v1",
    subject: `request/${sequence}`,
    time: "2026-01-02T03:04:05.123Z",
    datacontenttype: "application/json",
    dataschema: "urn:certwire:schema:certificate.issued:v1",
    sequence: `0000000001-${padded}`,
    partitionkey: key,
    recordedtime: "2026-01-02T03:04:05.200Z",
    data: { request: { id: sequence }, ...(padBytes > 0 && { pad: "x".repeat(padBytes) }) },
  };
}

/** The same, ready for a sink. */
export function sampleOutbound(sequence: number, key = "ca-1", padBytes = 0): OutboundEvent {
  return encodeEvent(sampleEvent(sequence, key, padBytes));
}

/** Sequence number of an event made here. */
export function sequenceOf(event: { readonly id: string }): number {
  return Number(event.id.split("-")[1]);
}
