import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { type CertwireEvent, eventKinds } from "../../../src/events/event.ts";
import { kindOf } from "../../../src/events/event-kind.ts";
import { findingEvent } from "../../../src/events/finding-event.ts";
import {
  caCertificateProperties,
  caProperties,
  certificateProperties,
  requestProperties,
  revocationProperties,
} from "../../../src/events/properties.ts";
import { shrinkEvent } from "../../../src/events/shrink-event.ts";
import { frameTypes } from "../../../src/journal/frame.ts";
import {
  assertValid,
  certificateFixtures,
  cut,
  encodeCbor,
  encodeRecord,
  eventContext,
  eventsOf,
  eventsOfFrame,
  fixture,
  frameOf,
  oleDate,
  oleDateOf,
  type RecordParts,
  redacted,
  secretDigest,
  utf16,
} from "../../support/exit-records.ts";
import { sampleFinding } from "../../support/golden-events.ts";
import { addSchemaTypes, addTypes, type JsonTypes } from "../../support/json-types.ts";
import { scaled } from "../../support/scale.ts";

const readSchema = (name: string) =>
  JSON.parse(readFileSync(join("docs", "reference", "schemas", `${name}.json`), "utf8")) as object;

/** What all schemas together say of an event: every kind goes to the same index, table or stream. */
const allowed: JsonTypes = new Map();
addSchemaTypes(allowed, readSchema("envelope"));
for (const kind of eventKinds) addSchemaTypes(allowed, readSchema(`${kind}.v1`), ".data");
allowed.delete(".data.*");

test("no path of any schema has two JSON types, and none has an open one", () => {
  const several = [...allowed].filter(([, types]) => types.size !== 1 || types.has("any"));
  assert.deepEqual(several, []);
  assert.ok(allowed.size > 150, `${allowed.size} paths`);
});

test("the walk finds two types wherever a schema hides them", () => {
  for (const schema of [
    { properties: { a: { anyOf: [{ type: "string" }, { $ref: "#/$defs/Left" }] } } },
    { properties: { a: { oneOf: [{ type: "string" }, { $ref: "#/$defs/Left" }] } } },
    { properties: { a: { type: ["string", "null"] } } },
    { properties: { a: { enum: ["none", 0] } } },
  ]) {
    const types: JsonTypes = new Map();
    addSchemaTypes(types, { $defs: { Left: { type: "object" } }, ...schema });
    assert.equal(types.get(".a")?.size, 2);
  }
});

const ends = randomBytes(700);
/** Every form that a value may have in a record, whatever the property; the last ones are of hostile writers. */
const values: readonly unknown[] = [
  0,
  -1,
  20,
  0xffff_ffff,
  2n ** 63n,
  "",
  "text\0\u202e",
  "x".repeat(3000),
  "line:1\nPassword:2",
  Buffer.alloc(0),
  randomBytes(2000),
  utf16(Buffer.from("a\ud800\0", "utf16le")),
  oleDate("2026-02-28T23:59:59.999Z"),
  oleDateOf(Number.NaN),
  cut(20_000_000, randomBytes(32), ends, ends),
  cut(20_000_000, Buffer.alloc(0), ends, ends),
  secretDigest(12, randomBytes(32)),
  secretDigest(12, Buffer.alloc(0)),
];
const names = (table: object) => Object.keys(table);
const groups = {
  request: [...names(requestProperties), ...names(revocationProperties), "Future\0One", "Blob.1"],
  certificate: [...names(certificateProperties), "FutureTwo"],
  ca: [
    ...names(caProperties),
    ...names(caCertificateProperties).flatMap((name) => [`${name}.0`, `${name}.00`]),
    "FutureThree",
  ],
};

/** A record whose properties all have the value at `index`, shifted by the place of the property. */
function recordOf(event: number, index: number, spread: number): RecordParts {
  const at = (place: number) => values[(index + place * spread) % values.length];
  const group = (list: readonly string[]) =>
    new Map(list.map((name, place) => [name, at(place)] as const));
  const texts = values.filter((value) => typeof value === "string");
  return {
    event,
    request: group(groups.request),
    certificate: group(groups.certificate),
    ca: group(groups.ca),
    attributes: [
      ...texts.map((text) => [`name of ${text.length}`, text]),
      ["cut", cut(9000, randomBytes(32), ends, ends)],
      ["Challenge", redacted()],
    ],
    extensions: [
      ["1.2.3", 0xffff_ffff, randomBytes(900)],
      ["2.5.29.17", 0, cut(9000, randomBytes(32), ends, ends)],
      ["oid\0", 2, Buffer.alloc(0)],
    ],
    crls: [
      [0, 0, fixture("base-crl")],
      [0, 1, cut(90_000, Buffer.alloc(0), ends, ends)],
    ],
    errors: [
      ["request.UPN", 0x8009400f],
      ["extension.2.5.29.17", "cut"],
      [utf16(Buffer.from("\ud800", "utf16le")), "bud\0get"],
    ],
  };
}

const bits = [0x1, 0x2, 0x4, 0x8, 0x10, 0x20, 0x40, 0x80, 0x200, 0x4000];

/** Records of every kind, each value in each property, and certificates and CRLs whole and broken. */
function records(): RecordParts[] {
  const all = [0x1, 0x20, 0x80].flatMap((bit) => values.map((_, at) => recordOf(bit, at, 1)));
  const kinds = bits.map((bit) => recordOf(bit, bit, 1));
  const dispositions = [20, 21, 30, 31].map((Disposition) => ({
    event: Disposition > 29 ? 4 : 8,
    request: { Disposition, RevokedReason: -1, RequestID: 1 },
  }));
  const ders = [...certificateFixtures, "broken-first-name"].map((name) => fixture(name));
  const damaged = ders.flatMap((der) => [der, der.subarray(0, der.length - 9), flipped(der)]);
  const issued = damaged.map((der) => ({
    request: { RequestID: 1, RawRequest: fixture("challenge-request"), RequesterName: "a\\b" },
    certificate: { RawCertificate: der },
    ca: { RawCACertificate: der },
  }));
  const crls = ["base-crl", "delta-crl"].map((name) => fixture(name));
  const published = [...crls, ...crls.map(flipped)].map((der) => ({
    event: 0x20,
    crls: [[0, 0, der]],
  }));
  return [...all, ...kinds, ...dispositions, ...issued, ...published, { event: 0x20 }];
}

function flipped(der: Buffer): Buffer {
  const copy = Buffer.from(der);
  for (let at = 30; at < copy.length; at += 61) copy[at] = (copy[at] ?? 0) ^ 0x11;
  return copy;
}

const seen: JsonTypes = new Map();
const kinds = new Set<string>();

/** Checks what a consumer reads: types, schema, and no text that a database refuses. */
function check(event: CertwireEvent): void {
  const json = JSON.stringify(event);
  assert.doesNotMatch(json, /\\u0000/);
  assertValid(event);
  kinds.add(kindOf(event));
  addTypes(seen, JSON.parse(json));
}

/** Checks an event as it is, and as it is at limits of all sizes. */
function checkAtEveryLimit(event: CertwireEvent): void {
  check(event);
  const whole = JSON.stringify(event).length;
  for (const part of [0.9, 0.5, 0.2, 0.01]) check(shrinkEvent(event, whole * part));
}

test("no path of any event has a type that its schema does not have, whatever the record holds", () => {
  const contexts = [{}, { includeRawRequest: true, detail: "full" as const }];
  for (const options of contexts) {
    for (const record of records()) {
      for (const event of eventsOf(record, eventContext(options))) checkAtEveryLimit(event);
    }
  }
  const changing = eventContext();
  for (const certificate of ["ca-rsa", "ca-ecdsa"]) {
    const sequence = BigInt(certificate.length);
    const payload = encodeRecord({ ca: { RawCACertificate: fixture(certificate) } });
    for (const event of eventsOfFrame(frameOf(payload, { sequence }), changing)) check(event);
  }
  const gaps = [
    { reason: "disk-full", count: 12, requestIds: [1, 2] },
    { reason: "a\0", count: 2n ** 60n, firstSequence: 1, lastSequence: 2n ** 60n, firstTime: 5 },
    { reason: "corrupt", requestIds: [2n ** 60n], lastTime: 2n ** 60n },
  ];
  for (const gap of gaps) {
    const frame = frameOf(encodeCbor(gap), { type: frameTypes.gap });
    for (const event of eventsOfFrame(frame, eventContext())) check(event);
  }
  check(findingEvent(sampleFinding, {}));
  assertTypes();
  assert.deepEqual(new Set(eventKinds), kinds);
});

test("nor does any mixture of values", () => {
  const mixture = fc.tuple(
    fc.constantFrom(...bits),
    fc.nat({ max: values.length }),
    fc.integer({ min: 1, max: 50 }),
  );
  fc.assert(
    fc.property(mixture, ([bit, index, spread]) => {
      for (const event of eventsOf(recordOf(bit, index, spread))) check(event);
    }),
    { numRuns: scaled(100) },
  );
  assertTypes();
});

function assertTypes(): void {
  for (const [path, types] of seen) {
    assert.deepEqual([...types], [...(allowed.get(path) ?? [])], path);
  }
}
