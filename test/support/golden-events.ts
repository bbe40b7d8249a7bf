import { readdirSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";
import type { EventOptions } from "../../src/events/envelope.ts";
import { type CertwireEvent, type EventKind, eventKinds } from "../../src/events/event.ts";
import { kindOf } from "../../src/events/event-kind.ts";
import { findingEvent, type ReportedFinding } from "../../src/events/finding-event.ts";
import { encodeEvent } from "../../src/events/outbound-event.ts";
import { Redactor } from "../../src/events/redaction/redactor.ts";
import { shrinkEvent } from "../../src/events/shrink-event.ts";
import { frameTypes } from "../../src/journal/frame.ts";
import type { SimulatedEvent } from "../../src/native/addon.ts";
import { SimulatedCa } from "../../src/simulate/simulated-ca.ts";
import {
  cut,
  encodeCbor,
  encodeRecord,
  eventContext,
  eventsOfFrame,
  fixture,
  frameOf,
  type RecordParts,
  recordTime,
  redacted,
  utf16,
} from "./exit-records.ts";
import { recordOf } from "./simulated-records.ts";

/** An event whose bytes are kept: any change of them is a change of what consumers get. */
export interface GoldenEvent {
  /** Variant and kind: `standard/certificate.issued`. */
  readonly name: string;
  readonly event: CertwireEvent;
}

/** A way in which a sink can be set, applied to an event of every kind. */
interface Variant {
  readonly name: string;
  readonly options?: EventOptions;
  readonly shape?: (event: CertwireEvent) => CertwireEvent;
}

const redactor = new Redactor({
  hash: ["request.requesterName"],
  remove: ["certificate.subjectAlternativeNames", "attributes"],
  key: "a key for tests, which protects nothing",
});

/** Below the size of most events, so that they lose their largest values. */
const smallBytes = 3_000;

const variants: readonly Variant[] = [
  { name: "standard" },
  { name: "full", options: { detail: "full", includeRawRequest: true } },
  { name: "replayed", options: { replayed: true } },
  { name: "redacted", shape: (event) => redactor.redact(event) },
  {
    name: "shrunk",
    shape: (event) =>
      encodeEvent(event).json.length > smallBytes ? shrinkEvent(event, smallBytes) : event,
  },
];

/** The kinds of a day's work; the others are of the CA itself, of its journal, or unknown. */
const dailyKinds: ReadonlySet<EventKind> = new Set(
  eventKinds.filter((kind) => !/^(ca|journal|reconcile)\./.test(kind)),
);

/** A payload of a frame. */
interface Payload {
  readonly type: number;
  readonly bytes: Buffer;
}

/** Every kind, in every variant, and an event of values that are broken in every way; always the same. */
export function makeGoldenEvents(): GoldenEvent[] {
  const payloads = makePayloads();
  const usual = variants.flatMap((variant, index) => [
    ...eventsOfVariant(variant, payloads, 1_000 * (index + 1)),
    findingOfVariant(variant, index + 1),
  ]);
  const broken = eventsOfVariant({ name: "broken" }, [record(brokenRecord)], 9_000);
  return [...usual, ...broken];
}

const goldenDirectory = join("test", "fixtures", "golden");

/** Path of a golden event's file, from the root of the checkout. */
export function goldenPath(name: string): string {
  return join(goldenDirectory, `${name}.json`);
}

/** The text of a golden event's file. */
export function goldenText(event: CertwireEvent): string {
  return `${JSON.stringify(JSON.parse(encodeEvent(event).json.toString()), null, 2)}\n`;
}

/** The golden events of the files, sorted by name. */
export function readGoldenEvents(): GoldenEvent[] {
  const files = readdirSync(goldenDirectory, { recursive: true, encoding: "utf8" });
  return files
    .filter((file) => file.endsWith(".json"))
    .map((file) => file.slice(0, -".json".length).split(sep).join("/"))
    .toSorted()
    .map((name) => ({ name, event: JSON.parse(readFileSync(goldenPath(name), "utf8")) }));
}

/** The events of the payloads, one frame each; ids differ between variants, so that all can go to one topic. */
function eventsOfVariant(
  { name, options = {}, shape = (event) => event }: Variant,
  payloads: readonly Payload[],
  firstSequence: number,
): GoldenEvent[] {
  const context = eventContext(options);
  const events = payloads.flatMap(({ type, bytes }, index) => {
    const sequence = BigInt(firstSequence + index);
    const time = recordTime + sequence * 10_000_000n;
    return eventsOfFrame(frameOf(bytes, { type, sequence, time }), context);
  });
  const ofKind = new Map<EventKind, CertwireEvent>();
  for (const event of events) if (!ofKind.has(kindOf(event))) ofKind.set(kindOf(event), event);
  return [...ofKind].map(([kind, event]) => ({ name: `${name}/${kind}`, event: shape(event) }));
}

/** A difference between journal and database, which no frame says. */
export const sampleFinding: ReportedFinding = {
  number: 1,
  state: "open",
  class: "state",
  ca: { id: "a".repeat(64), name: "Contoso" },
  requestId: 42,
  missing: ["certificate.revoked"],
  happenedMs: Date.parse("2026-03-01T09:00:00.000Z"),
  detail: "the journal lacks certificate.revoked",
  foundMs: Date.parse("2026-03-02T02:00:00.000Z"),
};

function findingOfVariant(
  { name, options = {}, shape = (event) => event }: Variant,
  number: number,
): GoldenEvent {
  const event = findingEvent({ ...sampleFinding, number }, options);
  return { name: `${name}/reconcile.finding`, event: shape(event) };
}

/** Payloads that together make an event of every kind from the journal. */
function makePayloads(): Payload[] {
  let now = Date.parse("2026-03-01T08:15:30.125Z");
  const ca = new SimulatedCa({ seed: "golden", now: () => new Date((now += 7_300)) });
  const daily = oneOfEachKind(ca);
  const [issued] = daily;
  return [
    simulated(ca.started()),
    ...daily.map(simulated),
    simulated({ ...issued, event: 0x400, context: 900_001 }),
    gap,
    simulated(ca.stopped()),
    simulated(renewed(ca.started())),
  ];
}

/** The start of a CA that has another certificate since. */
function renewed(start: SimulatedEvent): SimulatedEvent {
  const RawCACertificate = { binary: fixture("ca-rsa") };
  return { ...start, certificate: { ...start.certificate, RawCACertificate } };
}

/** The first event of each kind that a CA at work makes; the first one is an issued certificate. */
function oneOfEachKind(ca: SimulatedCa): [SimulatedEvent, ...SimulatedEvent[]] {
  const context = eventContext();
  const found = new Map<EventKind, SimulatedEvent>();
  while (found.size < dailyKinds.size) {
    const event = ca.next();
    const [built] = eventsOfFrame(frameOf(simulated(event).bytes), context);
    const kind = built && kindOf(built);
    if (kind !== undefined && dailyKinds.has(kind) && !found.has(kind)) found.set(kind, event);
  }
  const issued = found.get("certificate.issued");
  if (issued === undefined) throw new Error("not a kind of every day: certificate.issued");
  found.delete("certificate.issued");
  return [issued, ...found.values()];
}

function record(parts: RecordParts): Payload {
  return { type: frameTypes.event, bytes: encodeRecord(parts) };
}

/** At the time of the frame, so that the events of different records differ in their time. */
function simulated(event: SimulatedEvent): Payload {
  return record({ ...recordOf(event), time: recordTime + BigInt(event.context) * 12_345_678n });
}

/** A loss of which everything is known. */
const gap: Payload = {
  type: frameTypes.gap,
  bytes: encodeCbor({
    reason: "disk-full",
    count: 3,
    firstSequence: 401,
    lastSequence: 403,
    firstTime: recordTime,
    lastTime: recordTime + 20_000_000n,
    requestIds: [71, 72, 73],
  }),
};

/** Values of a wrong type, cut, unreadable, or with characters that databases refuse. */
const brokenRecord: RecordParts = {
  request: {
    RequestID: 7,
    Disposition: 20,
    RequesterName: utf16(Buffer.from("CORP\\a\ud800b", "utf16le")),
    DispositionMessage: "before\0after \u202e \u{1f511} \u0085",
    StatusCode: "none",
    CallerName: cut(70_000, Buffer.alloc(32, 7), Buffer.from("first"), Buffer.from("last")),
    NewProperty: 2n ** 60n,
  },
  certificate: { RawCertificate: Buffer.from("308203e8", "hex"), SerialNumber: "61" },
  ca: { Name: 'Corp "Issuing" CA\\1' },
  attributes: [
    ["ccm", "ws-1172.corp.example"],
    ["Challenge", redacted()],
    ["__proto__", "constructor"],
    ["", "9007199254740993"],
  ],
  extensions: [["2.5.29.17", 0x20001, Buffer.from("3003820161", "hex")]],
  errors: [
    ["request.UPN", 0x8009400f],
    ["ca.RawCACertificate", "budget"],
    ["extensions", "limit"],
  ],
};
