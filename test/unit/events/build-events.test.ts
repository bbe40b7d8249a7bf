import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { test } from "node:test";
import type { CertwireEvent } from "../../../src/events/event.ts";
import { kindOf } from "../../../src/events/event-kind.ts";
import { frameTypes } from "../../../src/journal/frame.ts";
import {
  assertValid,
  cut,
  encodeCbor,
  encodeRecord,
  eventContext,
  eventOf,
  eventsOfFrame,
  fixture,
  frameOf,
  oleDate,
  oleDateOf,
  redacted,
  utf16,
} from "../../support/exit-records.ts";

type Data = Record<string, Record<string, unknown>>;
const data = (event: CertwireEvent) => event.data as Data;
const problems = (event: CertwireEvent) => event.data["problems"] as Record<string, unknown>[];

const rules: [event: number, request: Record<string, number>, kind: string][] = [
  [0x1, { Disposition: 20 }, "certificate.issued"],
  [0x2, { Disposition: 9 }, "request.pending"],
  [0x4, { Disposition: 31 }, "request.denied"],
  [0x4, { Disposition: 30 }, "request.failed"],
  [0x4, { Disposition: 9 }, "ca.unrecognized"],
  [0x4, {}, "ca.unrecognized"],
  [0x8, { Disposition: 21, RevokedReason: 1 }, "certificate.revoked"],
  [0x8, { Disposition: 21, RevokedReason: -1 }, "certificate.revoked"],
  [0x8, { Disposition: 20, RevokedReason: -1 }, "certificate.unrevoked"],
  [0x8, { Disposition: 20, RevokedReason: 0xffffffff }, "certificate.unrevoked"],
  [0x8, { Disposition: 20, RevokedReason: 6 }, "ca.unrecognized"],
  [0x8, { Disposition: 20 }, "ca.unrecognized"],
  [0x8, { Disposition: 31 }, "ca.unrecognized"],
  [0x8, {}, "ca.unrecognized"],
  [0x10, {}, "request.retrieved"],
  [0x20, {}, "crl.issued"],
  [0x40, {}, "ca.stopped"],
  [0x80, {}, "ca.started"],
  [0x100, { Disposition: 20 }, "ca.unrecognized"],
  [0x200, { Disposition: 12 }, "certificate.imported"],
  [0x400, {}, "ca.unrecognized"],
  [0x3, { Disposition: 20 }, "ca.unrecognized"],
];

for (const [event, request, kind] of rules) {
  test(`event 0x${event.toString(16)} with ${JSON.stringify(request)} is ${kind}`, () => {
    const built = eventOf({ event, request });
    assert.equal(kindOf(built), kind);
    assert.equal(built.type, `io.certwire.${kind}.v1`);
    assert.equal(data(built)["notify"]?.["event"], event);
  });
}

test("the attributes of an event come from frame and record", () => {
  const parts = { request: { RequestID: 5 }, ca: { Name: "Contoso" } };
  const event = eventOf(parts);
  const frame = frameOf(encodeRecord(parts));
  const id = `name-${createHash("sha256").update("Contoso").digest("hex")}`;
  const { data: _, ...attributes } = event;
  assert.deepEqual(attributes, {
    specversion: "1.0",
    id: "0123456789abcdef0123456789abcdef-17-0",
    source: `urn:certwire:ca:${id}`,
    type: "io.certwire.certificate.issued.v1",
    subject: "request/5",
    time: "2026-03-01T12:00:00.123Z",
    datacontenttype: "application/json",
    dataschema: "urn:certwire:schema:certificate.issued:v1",
    sequence: "0000000042-00000000000000000017",
    partitionkey: `${id}:5`,
    recordedtime: "2026-03-01T12:00:00.123Z",
    previoushash: frame.hashes?.previous,
    recordhash: frame.hashes?.record,
  });
});

test("source, type prefix and replay are as configured", () => {
  const options = { source: "urn:example:ca", typePrefix: "com.example.", replayed: true };
  const event = eventOf({ request: { RequestID: 5 } }, eventContext(options));
  assert.equal(event.source, "urn:example:ca");
  assert.equal(event.partitionkey, "urn:example:ca:5");
  assert.equal(event.type, "com.example.certificate.issued.v1");
  assert.equal(event.replayed, true);
  assert.equal(kindOf(event), "certificate.issued");
});

test("the id of a CA is the hash of its public key, and stays for records without it", () => {
  const key = new X509Certificate(fixture("ca-rsa")).publicKey;
  const spki = key.export({ type: "spki", format: "der" });
  const id = createHash("sha256").update(spki).digest("hex");
  const context = eventContext();
  assert.equal(eventOf({ event: 0x80 }, context).source, "urn:certwire:ca:unknown");
  const withKey = eventOf({ ca: { RawCACertificate: fixture("ca-rsa") } }, context);
  assert.equal(withKey.source, `urn:certwire:ca:${id}`);
  assert.equal(eventOf({ event: 0x40, ca: { Name: "x" } }, context).source, withKey.source);
  const gap = frameOf(encodeCbor({ reason: "memory" }), { type: frameTypes.gap });
  assert.equal(eventsOfFrame(gap, context)[0]?.source, withKey.source);
});

test("a CA certificate that cannot be parsed names no CA", () => {
  const event = eventOf({ ca: { RawCACertificate: Buffer.from("30", "hex"), Name: "x" } });
  assert.match(event.source, /^urn:certwire:ca:name-/);
});

test("properties appear in camelCase, enumerations as words with their number", () => {
  const event = eventOf({
    event: 4,
    request: {
      RequestID: 9,
      Disposition: 31,
      StatusCode: -2146877420,
      RequestType: 0x40400,
      RequestFlags: 0x12 | 0x100_0000,
      SubmittedWhen: oleDate("2026-02-28T23:59:59.999Z"),
      RequesterName: "CONTOSO\\alice",
      RawName: Buffer.from("3001", "hex"),
    },
    certificate: { GeneralFlags: 0x1000, UPN: "alice@contoso.com" },
    ca: { CAType: 1, fUseDS: 1, "CertState.0": 3, "CRLState.1": 4, "CertState.1": 3 },
  });
  assert.deepEqual(data(event)["request"], {
    requestId: 9,
    disposition: "denied",
    dispositionCode: 31,
    statusCode: "0x80094014",
    statusCodeSymbol: "CERTSRV_E_ADMIN_DENIED_REQUEST",
    requestType: "cmc",
    requestTypeFlags: ["fullResponse"],
    requestTypeCode: 0x40400,
    requestFlags: ["renewal", "enrollOnBehalfOf", "0x1000000"],
    requestFlagsCode: 0x100_0012,
    submittedWhen: "2026-02-28T23:59:59.999Z",
    requesterName: "CONTOSO\\alice",
    rawName: "MAE=",
  });
  assert.deepEqual(data(event)["certificateProperties"], {
    generalFlags: ["doNotPersistInDatabase"],
    generalFlagsCode: 0x1000,
    upn: "alice@contoso.com",
  });
  const { id: _, certificates, ...ca } = data(event)["ca"] ?? {};
  assert.deepEqual(ca, { useDs: 1 });
  assert.deepEqual(
    (certificates as { index: number }[]).toSorted((a, b) => a.index - b.index),
    [
      { index: 0, certState: "valid", certStateCode: 3 },
      { index: 1, certState: "valid", certStateCode: 3, crlState: "invalid", crlStateCode: 4 },
    ],
  );
});

test("a revocation shows reason, time and effective time", () => {
  const event = eventOf({
    event: 8,
    request: {
      RequestID: 3,
      Disposition: 21,
      RevokedReason: 6,
      RevokedWhen: oleDate("2026-03-01T12:00:00.000Z"),
      RevokedEffectiveWhen: oleDate("2026-03-02T00:00:00.500Z"),
    },
    certificate: { RawCertificate: fixture("rsa-v1-template") },
  });
  assert.deepEqual(data(event)["revocation"], {
    reason: "certificateHold",
    reasonCode: 6,
    revokedWhen: "2026-03-01T12:00:00.000Z",
    effectiveWhen: "2026-03-02T00:00:00.500Z",
  });
  const { serialNumber } = new X509Certificate(fixture("rsa-v1-template"));
  assert.equal(event.subject, `certificate/${serialNumber}`);
});

test("unknown properties are listed under the CA's own names, each value as text with its type", () => {
  const event = eventOf({
    request: {
      NewCAProperty2: "x",
      RequestID: 1,
      requestID: "again",
      "…": 3,
      Blob: Buffer.from("a"),
      When: oleDate("2026-02-28T23:59:59.999Z"),
      Never: oleDateOf(Number.NaN),
    },
    ca: { "CertState.00": 3, "New.1": 2n ** 60n },
  });
  assert.deepEqual(data(event)["request"], { requestId: 1 });
  assert.equal(data(event)["ca"]?.["certificates"], undefined);
  const unknown = event.data["unknownProperties"] as { name: string }[];
  const nan = Buffer.alloc(8);
  nan.writeDoubleLE(Number.NaN);
  assert.deepEqual(
    unknown.toSorted((a, b) => a.name.localeCompare(b.name, "en")),
    [
      { name: "ca.CertState.00", type: "integer", value: "3" },
      { name: "ca.New.1", type: "integer", value: "1152921504606846976" },
      { name: "request.…", type: "integer", value: "3" },
      { name: "request.Blob", type: "binary", value: "YQ==" },
      { name: "request.Never", type: "binary", value: nan.toString("base64") },
      { name: "request.NewCAProperty2", type: "text", value: "x" },
      { name: "request.requestID", type: "text", value: "again" },
      { name: "request.When", type: "date", value: "2026-02-28T23:59:59.999Z" },
    ],
  );
});

test("a LONG beyond 2^53 stands in the problems as text, and the partition key has it", () => {
  const event = eventOf({ request: { RequestID: 2n ** 60n } });
  assert.equal(data(event)["request"], undefined);
  assert.deepEqual(problems(event), [
    {
      property: "request.RequestID",
      reason: "range",
      type: "integer",
      value: "1152921504606846976",
    },
  ]);
  assert.match(event.partitionkey, /:1152921504606846976$/);
  assert.equal(event.subject, "request/1152921504606846976");
});

test("a value that was cut is absent, and its problem has length, hash and ends", () => {
  const [first, last] = [Buffer.from("first"), Buffer.from("last")];
  const value = cut(20_000_000, Buffer.alloc(32, 7), first, last);
  const event = eventOf({
    request: { DispositionMessage: value, NewProperty: value },
    certificate: { RawCertificate: value },
    attributes: [["ccm", value]],
    extensions: [["1.2.3", 0, value]],
    errors: [
      ["request.DispositionMessage", "cut"],
      ["attribute.ccm", "cut"],
    ],
  });
  const { request, certificate, unknownProperties, attributes, extensions } = event.data;
  assert.deepEqual([request, certificate, unknownProperties], [undefined, undefined, undefined]);
  assert.deepEqual(attributes, [{ name: "ccm" }]);
  assert.equal((extensions as { der: unknown }[])[0]?.der, undefined);
  const expected = [
    "request.DispositionMessage",
    "attribute.ccm",
    "certificate.RawCertificate",
    "extension.1.2.3",
    "request.NewProperty",
  ].map((property) => ({
    property,
    reason: "cut",
    length: 20_000_000,
    sha256: "07".repeat(32),
    first: first.toString("base64"),
    last: last.toString("base64"),
  }));
  const byName = (a: object, b: object) => JSON.stringify(a).localeCompare(JSON.stringify(b), "en");
  assert.deepEqual(problems(event).toSorted(byName), expected.toSorted(byName));
});

test("values of the wrong type go to the problems with what they were", () => {
  const event = eventOf({ request: { RequestID: "five", Disposition: Buffer.from("x") } });
  assert.equal(data(event)["request"], undefined);
  assert.deepEqual(
    problems(event),
    [
      {
        property: "request.RequestID",
        reason: "type",
        detail: "integer is expected",
        type: "text",
        value: "five",
      },
      {
        property: "request.Disposition",
        reason: "type",
        detail: "enumeration is expected",
        type: "binary",
        value: "eA==",
      },
    ].toSorted((a, b) => order(event, a.property) - order(event, b.property)),
  );
});

function order(event: CertwireEvent, property: string): number {
  return problems(event).findIndex((problem) => problem["property"] === property);
}

test("text that is not valid UTF-16 is repaired, and a problem keeps its bytes", () => {
  const bytes = Buffer.from("a\ud800b", "utf16le");
  const event = eventOf({ request: { RequesterName: utf16(bytes) } });
  assert.equal(data(event)["request"]?.["requesterName"], "a\ufffdb");
  assert.deepEqual(problems(event), [
    { property: "request.RequesterName", reason: "text", utf16: bytes.toString("base64") },
  ]);
});

test("what the exit module could not read is named with hex and symbol", () => {
  const errors = [
    ["request.UPN", 0x8009400f],
    ["ca.Foo", 0x80041234],
    ["extensions", "limit"],
  ];
  assert.deepEqual(problems(eventOf({ errors })), [
    {
      property: "request.UPN",
      reason: "error",
      hresult: "0x8009400f",
      symbol: "CERTSRV_E_NO_DB_SESSIONS",
    },
    { property: "ca.Foo", reason: "error", hresult: "0x80041234" },
    { property: "extensions", reason: "limit" },
  ]);
});

test("attributes and extensions keep the CA's order; a blanked secret says so", () => {
  const event = eventOf({
    attributes: [
      ["ccm", "host"],
      ["Challenge", redacted()],
    ],
    extensions: [
      ["2.5.29.17", 0x20001, Buffer.from([0x30, 0])],
      ["1.2.3", 0x80002, Buffer.alloc(0)],
    ],
  });
  assert.deepEqual(event.data["attributes"], [
    { name: "ccm", value: "host" },
    { name: "Challenge", redacted: true },
  ]);
  const json = JSON.parse(JSON.stringify(event.data["extensions"])) as unknown;
  assert.deepEqual(json, [
    {
      oid: "2.5.29.17",
      name: "subjectAltName",
      critical: true,
      disabled: false,
      origin: "policy",
      flags: 0x20001,
      der: "MAA=",
    },
    { oid: "1.2.3", critical: false, disabled: true, origin: "cmc", flags: 0x80002, der: "" },
  ]);
});

test("a request is published as length and hash, and as a whole only when asked for", () => {
  const raw = fixture("challenge-request");
  const request = { RequestID: 1, RawRequest: raw };
  const sha256 = createHash("sha256").update(raw).digest("hex");
  const digest = { length: raw.length, sha256 };
  assert.deepEqual(data(eventOf({ request }))["request"]?.["rawRequest"], digest);
  const context = eventContext({ includeRawRequest: true });
  const whole = data(eventOf({ request }, context))["request"]?.["rawRequest"];
  const { der, ...rest } = whole as { der: string };
  assert.deepEqual(rest, digest);
  const bytes = Buffer.from(der, "base64");
  assert.equal(bytes.length, raw.length);
  assert.equal(bytes.includes("correct-horse-battery"), false);
  const broken = eventOf({ request: { RawRequest: raw.subarray(1) } }, context);
  assert.equal(problems(broken)[0]?.["reason"], "withheld");
  assert.equal(JSON.stringify(broken).includes(raw.subarray(1).toString("base64")), false);
});

test("a certificate that cannot be parsed is published with its DER and a problem", () => {
  const event = eventOf({ certificate: { RawCertificate: Buffer.from("hello") } });
  assert.equal(data(event)["certificate"]?.["der"], "aGVsbG8=");
  assert.equal(problems(event)[0]?.["property"], "certificate.certificate");
  assert.equal(problems(event)[0]?.["reason"], "malformed");
});

test("a gap says what was lost; one found by the reader has index 65535", () => {
  const gap = {
    reason: "corrupt",
    count: 2,
    firstSequence: 3,
    lastSequence: 2n ** 60n,
    firstTime: 134_168_400_001_234_567n,
    requestIds: [4, 2n ** 60n, 5],
  };
  const frame = frameOf(encodeCbor(gap), { type: frameTypes.gap, index: 65_535 });
  const [event] = eventsOfFrame(frame, eventContext());
  assert.ok(event);
  assertValid(event);
  assert.equal(event.id, "0123456789abcdef0123456789abcdef-17-65535");
  assert.equal(event.partitionkey, "unknown");
  assert.deepEqual(event.data, {
    ca: { id: "unknown" },
    reason: "corrupt",
    count: "2",
    firstSequence: "3",
    lastSequence: "1152921504606846976",
    firstTime: "2026-03-01T12:00:00.123Z",
    requestIds: [4, 5],
    problems: [
      { property: "requestIds", reason: "range", type: "integer", value: "1152921504606846976" },
    ],
  });
});

test("a frame of a later schema is kept for a later version, one of no known kind is refused", () => {
  const payload = encodeRecord({});
  const cases = [
    [{ schema: 2 }, "CERTWIRE_RECORD_NEWER"],
    [{ schema: 0 }, "CERTWIRE_RECORD_UNDECODABLE"],
    [{ type: frameTypes.mark }, "CERTWIRE_RECORD_UNDECODABLE"],
  ] as const;
  for (const [change, code] of cases) {
    assert.throws(() => eventsOfFrame(frameOf(payload, change), eventContext()), { code });
  }
});
