import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { encode, rfc8949EncodeOptions, Tagged } from "cborg";
import { z } from "zod";
import { CaIdentity } from "../../src/events/ca-identity.ts";
import type { EventOptions } from "../../src/events/envelope.ts";
import type { CertwireEvent, EventKind } from "../../src/events/event.ts";
import { kindOf } from "../../src/events/event-kind.ts";
import { envelopeSchema } from "../../src/events/schemas/attributes.ts";
import { eventData } from "../../src/events/schemas/event-data.ts";
import { chainLink, chainStart } from "../../src/journal/chain.ts";
import { type Frame, frameTypes, type JournalFrame } from "../../src/journal/frame.ts";
import { decodeFrame, type EventContext } from "../../src/sources/decode-frame.ts";

/** Members of a record as the exit module writes them; values may be wrapped in the tags below. */
export type RecordParts = Readonly<Record<string, unknown>>;

/** Text that is not valid UTF-16. */
export const utf16 = (bytes: Buffer) => new Tagged(1129775105, bytes);
/** The OLE automation date of a time. */
export const oleDate = (iso: string) => oleDateOf(Date.parse(iso) / 86_400_000 + 25_569);
/** A cut value. */
export const cut = (length: number, sha256: Buffer, first: Buffer, last: Buffer) =>
  new Tagged(1129775107, [length, sha256, first, last]);
/** Length and hash of a secret binary. */
export const secretDigest = (length: number, sha256: Buffer) =>
  new Tagged(1129775109, [length, sha256]);
/** A blanked secret. */
export const redacted = () => new Tagged(1129775108, null);

/** An OLE automation date, in days. */
export function oleDateOf(days: number): Tagged {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(days);
  return new Tagged(1129775106, bytes);
}

/** CBOR by the rules of the record format. */
export function encodeCbor(value: unknown): Buffer {
  return Buffer.from(encode(value, rfc8949EncodeOptions));
}

/** A record with all that every record has. */
export function encodeRecord(parts: RecordParts): Buffer {
  return encodeCbor({ event: 1, context: 7, time: recordTime, pid: 4711, tid: 4712, ...parts });
}

/** 2026-03-01T12:00:00.1234567Z. */
export const recordTime = 134_168_400_001_234_567n;

/** A frame around a payload, the first one of its epoch in the chain. */
export function frameOf(payload: Buffer, changes: Partial<JournalFrame> = {}): JournalFrame {
  const epoch = { epochNumber: 42, epochId: "0123456789abcdef0123456789abcdef" };
  const frame = {
    type: frameTypes.event,
    schema: 1,
    ...epoch,
    sequence: 17n,
    index: 0,
    time: recordTime + 5n,
    payload,
    isChainBroken: false,
    position: { ...epoch, segment: 0, offset: 8192, sequence: 17n },
    ...changes,
  };
  if (frame.index !== 0) return frame;
  const previous = chainStart(frame.epochId, frame.epochNumber);
  return { hashes: { previous, record: chainLink(previous, frame) }, ...frame };
}

/** A context that has seen nothing yet and remembers no CA. */
export function eventContext(options: EventOptions = {}): EventContext {
  return { options, identity: new CaIdentity() };
}

/** The events of a frame; throws where it cannot be decoded. */
export function eventsOfFrame(frame: Frame, context: EventContext): readonly CertwireEvent[] {
  const decoded = decodeFrame(frame, context);
  if ("undecodable" in decoded) throw decoded.undecodable;
  return decoded.events;
}

/** The events of one record, each checked against its schema. */
export function eventsOf(
  parts: RecordParts,
  context: EventContext = eventContext(),
): readonly CertwireEvent[] {
  const events = eventsOfFrame(frameOf(encodeRecord(parts)), context);
  for (const event of events) assertValid(event);
  return events;
}

/** The only event of one record. */
export function eventOf(parts: RecordParts, context?: EventContext): CertwireEvent {
  const events = eventsOf(parts, context);
  assert.equal(events.length, 1);
  return events[0]!;
}

/** DER of a PEM file in test/fixtures/certificates. */
export function fixture(name: string): Buffer {
  const pem = readFileSync(join("test", "fixtures", "certificates", `${name}.pem`), "utf8");
  const base64 = /-----BEGIN [^-]+-----([^-]+)-----END/.exec(pem)?.[1] ?? "";
  return Buffer.from(base64, "base64");
}

/** Names of the fixtures that are certificates. */
export const certificateFixtures = [
  "ca-ecdsa",
  "ca-pss",
  "ca-rsa",
  "ecdsa-v2-template",
  "ed25519",
  "empty-subject",
  "rsa-v1-template",
] as const;

const validators = new Map<string, ValidateFunction>();

/** Checks the JSON form of an event against its schemas, with no member beyond them allowed. */
export function assertValid(event: CertwireEvent): void {
  const json = JSON.parse(JSON.stringify(event)) as CertwireEvent;
  validate("envelope", envelopeSchema, json);
  const kind = kindOf(event);
  validate(kind, eventData[kind], json.data);
}

function validate(name: EventKind | "envelope", schema: z.ZodType, value: unknown): void {
  let validator = validators.get(name);
  if (validator === undefined) {
    const ajv = new Ajv2020({ strict: false });
    addFormats.default(ajv);
    validator = ajv.compile(z.toJSONSchema(schema, { io: "output" }));
    validators.set(name, validator);
  }
  assert.ok(validator(value), `${name}: ${JSON.stringify(validator.errors, null, 1)}`);
}
