import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { test } from "node:test";
import type { CertwireEvent } from "../../../src/events/event.ts";
import { eventOf as eventOfOutbound, toOutbound } from "../../../src/events/outbound-event.ts";
import { shrinkEvent } from "../../../src/events/shrink-event.ts";
import {
  assertValid,
  cut,
  encodeRecord,
  eventContext,
  eventOf,
  eventsOfFrame,
  fixture,
  frameOf,
} from "../../support/exit-records.ts";
import { largeCrl } from "../../support/large-crl.ts";

const jsonBytes = (event: CertwireEvent) => Buffer.byteLength(JSON.stringify(event));
const digest = (bytes: Buffer) => ({
  length: bytes.length,
  sha256: createHash("sha256").update(bytes).digest("hex"),
});
const problemsOf = ({ data }: CertwireEvent) => data["problems"] as Record<string, unknown>[];

function shrunk(event: CertwireEvent, maxEventBytes: number): CertwireEvent {
  const before = JSON.stringify(event);
  const smaller = shrinkEvent(event, maxEventBytes);
  assert.ok(jsonBytes(smaller) <= maxEventBytes, `${jsonBytes(smaller)} bytes`);
  assert.equal(JSON.stringify(event), before, "the event itself stays as it is");
  assert.equal(smaller.id, event.id);
  assertValid(smaller);
  return smaller;
}

test("the largest binary goes first, and smaller ones stay", () => {
  const large = randomBytes(40_000);
  const small = randomBytes(2000);
  const event = eventOf({
    request: { RequestID: 1, RawOldCertificate: large, RequestAttributes: "a".repeat(5000) },
    extensions: [["1.2.3", 0, small]],
  });
  const { data } = shrunk(event, 20_000);
  const request = data["request"] as Record<string, unknown>;
  assert.equal("rawOldCertificate" in request, false);
  assert.equal(request["requestAttributes"], "a".repeat(5000));
  const [extension] = data["extensions"] as Record<string, unknown>[];
  assert.equal(extension?.["der"], small.toString("base64"));
  assert.deepEqual(data["problems"], [
    { property: "request.rawOldCertificate", reason: "omitted", ...digest(large) },
  ]);
});

test("a CRL of 5 MiB fits into 900 KiB as length and hash", () => {
  const der = Buffer.concat([fixture("base-crl"), Buffer.alloc(5 * 1024 * 1024)]);
  const [event] = eventsOfFrame(
    frameOf(encodeRecord({ event: 0x20, crls: [[0, 0, der]] })),
    eventContext(),
  );
  assert.ok(event);
  const smaller = shrunk(event, 900 * 1024);
  const crl = smaller.data["crl"] as Record<string, unknown>;
  assert.equal("der" in crl, false);
  assert.equal(crl["number"], "4112");
  const omitted = problemsOf(smaller).find(({ reason }) => reason === "omitted");
  assert.deepEqual(omitted, { property: "crl.der", reason: "omitted", ...digest(der) });
});

test("a CRL of 15 MB is neither written nor hashed again on its way to length and hash", (context) => {
  const frame = frameOf(encodeRecord({ event: 0x20, crls: [[0, 0, largeCrl(390_000)]] }));
  const [event] = eventsOfFrame(frame, eventContext());
  assert.ok(event);
  const { length, sha256, der } = event.data["crl"] as Record<string, unknown>;
  assert.ok(String(der).length > 20_000_000);
  const stringify = context.mock.method(JSON, "stringify");
  const decode = context.mock.method(Buffer, "from");
  const outbound = toOutbound(event, 900 * 1024, shrinkEvent);
  for (const { arguments: given, result } of [...stringify.mock.calls, ...decode.mock.calls]) {
    assert.ok((result?.length ?? 0) < 10_000, `${String(given[0]).slice(0, 20)} is large`);
  }
  context.mock.restoreAll();
  const smaller = eventOfOutbound(outbound);
  const crl = smaller.data["crl"] as Record<string, unknown>;
  assert.deepEqual([crl["length"], crl["sha256"], crl["der"]], [length, sha256, undefined]);
  assert.equal(crl["number"], "7");
  assert.deepEqual(problemsOf(smaller), [
    { property: "crl.der", reason: "omitted", length, sha256 },
  ]);
});

test("what fits stays, to the byte", () => {
  const [small, large] = [randomBytes(3000), randomBytes(9000)];
  const event = eventOf({ request: { RawName: small, RawOldCertificate: large } });
  const whole = jsonBytes(event);
  assert.deepEqual(shrinkEvent(event, whole), event);
  const { data } = shrunk(event, whole - 1);
  const request = data["request"] as Record<string, unknown>;
  assert.equal(request["rawName"], small.toString("base64"));
  assert.equal(request["rawOldCertificate"], undefined);
});

test("texts go when binaries are not enough", () => {
  const message = "ü".repeat(50_000);
  const event = eventOf({ request: { DispositionMessage: message, RawName: randomBytes(1000) } });
  const smaller = shrunk(event, 3000);
  const request = smaller.data["request"] as Record<string, unknown>;
  assert.equal("dispositionMessage" in request, false);
  assert.deepEqual(
    problemsOf(smaller).find(({ property }) => property === "request.dispositionMessage"),
    {
      property: "request.dispositionMessage",
      reason: "omitted",
      ...digest(Buffer.from(message)),
    },
  );
});

test("the ends of a value that was already cut go, its length and hash stay", () => {
  const ends = randomBytes(8192);
  const event = eventOf({
    certificate: { RawCertificate: cut(20_000_000, Buffer.alloc(32, 7), ends, ends) },
  });
  assert.deepEqual(problemsOf(shrunk(event, 4000)), [
    {
      property: "certificate.RawCertificate",
      reason: "cut",
      length: 20_000_000,
      sha256: "07".repeat(32),
    },
  ]);
});

test("thousands of small values go as whole parts", () => {
  const attributes = Array.from({ length: 1024 }, (_, i) => [`name${i}`, "v".repeat(100)]);
  const errors = Array.from({ length: 1024 }, (_, i) => [`request.${i}`, 0x80070057]);
  const event = eventOf({ request: { RequestID: 5 }, attributes, errors });
  const { data } = shrunk(event, 2000);
  assert.equal(data["attributes"], undefined);
  assert.equal((data["request"] as Record<string, unknown>)["requestId"], 5);
  assert.deepEqual(
    (data["problems"] as { property: string }[]).map(({ property }) => property).toSorted(),
    ["attributes", "problems"],
  );
});

test("bytes of a broken text go from the problems too", () => {
  const { utf16 } = { utf16: Buffer.alloc(30_000, 0xd8) };
  const event = eventOf({ errors: [] });
  const problem = { property: "request.x", reason: "text", utf16: utf16.toString("base64") };
  const large = { ...event, data: { ...event.data, problems: [problem] } };
  assert.deepEqual(problemsOf(shrunk(large, 2000)), [
    { property: "request.x", reason: "text" },
    { property: "problems.0.utf16", reason: "omitted", ...digest(utf16) },
  ]);
});

test("a request that is published whole loses its bytes, not its length and hash", () => {
  const raw = fixture("challenge-request");
  const event = eventOf(
    { request: { RawRequest: raw } },
    eventContext({ includeRawRequest: true }),
  );
  const { der } = (event.data["request"] as { rawRequest: { der: string } }).rawRequest;
  const smaller = shrunk(event, jsonBytes(event) - 1);
  assert.deepEqual(smaller.data["request"], { rawRequest: digest(raw) });
  const blanked = digest(Buffer.from(der, "base64"));
  assert.deepEqual(problemsOf(smaller), [
    { property: "request.rawRequest.der", reason: "omitted", ...blanked },
  ]);
  assert.notEqual(blanked.sha256, digest(raw).sha256);
});
