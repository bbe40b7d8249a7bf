import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { EventOptions } from "../../src/events/envelope.ts";
import type { CertwireEvent } from "../../src/events/event.ts";
import { eventOf, toOutbound } from "../../src/events/outbound-event.ts";
import { Redactor } from "../../src/events/redaction/redactor.ts";
import { shrinkEvent } from "../../src/events/shrink-event.ts";
import type { SimulatedEvent, SimulatedValue } from "../../src/native/addon.ts";
import { SeededRandom } from "../../src/simulate/seeded-random.ts";
import { SimulatedCa } from "../../src/simulate/simulated-ca.ts";
import {
  certificateFixtures,
  encodeRecord,
  eventContext,
  eventsOfFrame,
  fixture,
  frameOf,
  recordTime,
} from "./exit-records.ts";
import { recordOf } from "./simulated-records.ts";

/** SHA-256 of the JSON of many events, by what they have in common. */
export type EventDigests = Readonly<Record<string, string>>;

/** A frame's payload, and its sequence. */
export interface NumberedPayload {
  readonly sequence: bigint;
  readonly payload: Buffer;
}

/** How the events of all payloads are written. */
interface Form {
  readonly options: EventOptions;
  readonly redactor?: Redactor;
  readonly maxBytes: number;
}

const key = "a key for tests, which protects nothing";
const unlimited = Number.MAX_SAFE_INTEGER;

const forms: Readonly<Record<string, Form>> = {
  standard: { options: {}, maxBytes: unlimited },
  full: { options: { detail: "full" }, maxBytes: unlimited },
  whole: {
    options: {
      detail: "full",
      includeRawRequest: true,
      replayed: true,
      source: "urn:corp:ca",
      typePrefix: "example.",
    },
    maxBytes: unlimited,
  },
  "requester hashed": {
    options: { detail: "full" },
    redactor: new Redactor({ hash: ["request.requesterName"], remove: ["attributes"], key }),
    maxBytes: unlimited,
  },
  "subject removed": {
    options: {},
    redactor: new Redactor({ hash: [], remove: ["certificate.subject", "requested"], key }),
    maxBytes: unlimited,
  },
  "up to 4000 bytes": { options: { detail: "full" }, maxBytes: 4_000 },
  "up to 1500 bytes": { options: {}, maxBytes: 1_500 },
};

const fixtures = [
  ...certificateFixtures,
  "agent",
  "broken-first-name",
  "challenge-pkcs7",
  "challenge-request",
  "full-pkcs7",
  "full-pkcs7-ber",
  "full-request",
  "plain-request",
  "second-agent",
  "two-sids",
  "two-signers",
];

/** Texts that JSON escapes, or that a record may not show as they are. */
const awkwardTexts = ["", "\0", '"\\\b\f\n\r\t\u001f', "é\u2028\u009b\u202e", "😀\ud83d", "\ufffd"];

/** Payloads of a CA at work, of the fixtures, and of values that are damaged; always the same. */
export function payloadsForDigests(): NumberedPayload[] {
  let now = Date.parse("2026-03-02T08:00:00Z");
  const ca = new SimulatedCa({ seed: "digests", now: () => new Date((now += 7_300)) });
  const daily = Array.from({ length: 150 }, () => ca.next());
  const random = new SeededRandom("damage");
  const damaged = daily.slice(0, 100).map((event) => damage(event, random));
  const happened = [ca.started(), ...daily, ...damaged, ca.stopped()];
  const records = [
    ...happened.map((event) => ({ ...recordOf(event), crls: crlsOf(event) })),
    ...fixtures.map((name, at) => ({
      context: at,
      request: { RequestID: at, RawRequest: fixture(name), Disposition: 20 },
      certificate: { RawCertificate: fixture(name) },
      ca: { RawCACertificate: fixture(certificateFixtures[at % certificateFixtures.length] ?? "") },
    })),
  ];
  return records.map((record, at) => ({
    sequence: BigInt(at + 1),
    payload: encodeRecord({ ...record, time: recordTime + BigInt(at) * 12_345_678n }),
  }));
}

/** The events of a payload in one of the forms, as lines. */
function lineOf(event: CertwireEvent, { redactor, maxBytes }: Form): string {
  const shown = redactor?.redact(event) ?? event;
  const outbound = toOutbound(shown, maxBytes, shrinkEvent);
  const { id, kind, partitionKey, dataStart, json } = outbound;
  // The attributes as well, for binary mode.
  const { data: _, ...attributes } = eventOf(outbound);
  if (JSON.stringify(attributes) !== JSON.stringify(outbound.attributes)) {
    throw new Error(`the attributes of ${id} differ from those in its JSON`);
  }
  return `${id} ${kind} ${partitionKey} ${dataStart} ${json.toString()}\n`;
}

/** All lines of the payloads in all forms; `order` is that in which they are made, that of the lines is the same. */
export function digestsOf(
  payloads: readonly NumberedPayload[],
  order: (payloads: readonly NumberedPayload[]) => readonly NumberedPayload[] = (all) => all,
): EventDigests {
  const entries = Object.entries(forms).map(([name, form]) => {
    const lines = new Map<bigint, string>();
    for (const { sequence, payload } of order(payloads)) {
      // A context for each, so that the order does not say which CA is an earlier one.
      const context = eventContext(form.options);
      const events = eventsOfFrame(frameOf(payload, { sequence }), context);
      lines.set(sequence, events.map((event) => lineOf(event, form)).join(""));
    }
    const hash = createHash("sha256");
    for (const { sequence } of payloads) hash.update(lines.get(sequence) ?? "");
    return [name, hash.digest("hex")] as const;
  });
  return Object.fromEntries(entries);
}

const path = join("test", "fixtures", "event-digests.json");

/** What `scripts/generate.sh` keeps. */
export function readEventDigests(): EventDigests {
  return JSON.parse(readFileSync(path, "utf8")) as EventDigests;
}

/** Path and text of the file. */
export function eventDigestsFile(): { readonly path: string; readonly text: string } {
  const digests = digestsOf(payloadsForDigests());
  return { path, text: `${JSON.stringify(digests, undefined, 2)}\n` };
}

function crlsOf({ certificate }: SimulatedEvent): [number, number, Buffer][] {
  return (["RawCRL.0", "RawDeltaCRL.0"] as const).flatMap((name, kind) => {
    const value = certificate[name];
    return value !== undefined && "binary" in value ? [[0, kind, value.binary]] : [];
  });
}

/** The same event with some bytes and texts changed, in requests, certificates and extensions alike. */
function damage(event: SimulatedEvent, random: SeededRandom): SimulatedEvent {
  const changed = (values: Readonly<Record<string, SimulatedValue>>) =>
    Object.fromEntries(
      Object.entries(values).map(([name, value]) => [name, damagedValue(value, random)]),
    );
  return {
    ...event,
    request: changed(event.request),
    certificate: changed(event.certificate),
    attributes: event.attributes.map(([name, value]) => [name, damagedText(value, random)]),
    extensions: event.extensions.map(([oid, flags, der]) => [
      random.below(4) === 0 ? `${oid}.1` : oid,
      random.below(4) === 0 ? flags ^ 3 : flags,
      damagedBytes(der, random),
    ]),
  };
}

function damagedValue(value: SimulatedValue, random: SeededRandom): SimulatedValue {
  if ("binary" in value) return { binary: damagedBytes(value.binary, random) };
  if ("string" in value) return { string: damagedText(value.string, random) };
  if ("long" in value && random.below(8) === 0) return { long: -1 - value.long };
  return value;
}

function damagedText(text: string, random: SeededRandom): string {
  return random.below(4) === 0 ? text.slice(0, 3) + random.pick(awkwardTexts) : text;
}

function damagedBytes(bytes: Buffer, random: SeededRandom): Buffer {
  const copy = Buffer.from(bytes);
  for (let left = random.below(4); left > 0 && copy.length > 0; left -= 1) {
    const at = random.below(copy.length);
    copy[at] = (copy[at] ?? 0) ^ (1 << random.below(8));
  }
  return random.below(16) === 0 ? copy.subarray(0, random.below(copy.length + 1)) : copy;
}
