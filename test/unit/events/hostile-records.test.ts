import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { CertwireEvent } from "../../../src/events/event.ts";
import { eventOf, fixture, oleDate, utf16 } from "../../support/exit-records.ts";
import { scaled } from "../../support/scale.ts";

type Data = Record<string, Record<string, unknown>>;
const data = (event: CertwireEvent) => event.data as Data;
const problems = (event: CertwireEvent) => event.data["problems"] as Record<string, unknown>[];

test("a U+0000 is replaced in every text, and a problem keeps the bytes", () => {
  const bytes = (text: string) => Buffer.from(text, "utf16le").toString("base64");
  const event = eventOf({
    request: { RequesterName: "a\0b", "New\0Name": "c" },
    ca: { Name: "\0" },
    attributes: [["cc\0m", "h\0st"]],
    errors: [
      ["attribute.\0", 0x80004005],
      ["request.x", "bud\0get"],
    ],
  });
  assert.equal(data(event)["request"]?.["requesterName"], "a\ufffdb");
  assert.deepEqual(event.data["unknownProperties"], [
    { name: "request.New\ufffdName", type: "text", value: "c" },
  ]);
  assert.equal(data(event)["ca"]?.["name"], "\ufffd");
  assert.deepEqual(event.data["attributes"], [{ name: "cc\ufffdm", value: "h\ufffdst" }]);
  assert.equal(JSON.stringify(event).includes("\\u0000"), false);
  for (const [property, text] of [
    ["request.RequesterName", "a\0b"],
    ["ca.Name", "\0"],
    ["attributes", "cc\0m"],
    ["attribute.cc\ufffdm", "h\0st"],
    ["attribute.\ufffd", "attribute.\0"],
    ["unknownProperties", "request.New\0Name"],
    ["request.x", "bud\0get"],
  ] as const) {
    const found = problems(event).find(
      (problem) => problem["property"] === property && problem["reason"] === "text",
    );
    assert.equal(found?.["utf16"], bytes(text), property);
  }
});

test("the name of a property that is not valid UTF-16 is repaired", () => {
  const name = Buffer.from("attribute.\ud800", "utf16le");
  const event = eventOf({ errors: [[utf16(name), 0x80004005]] });
  assert.deepEqual(problems(event), [
    {
      property: "attribute.\ufffd",
      reason: "error",
      hresult: "0x80004005",
      symbol: "E_FAIL",
    },
    { property: "attribute.\ufffd", reason: "text", utf16: name.toString("base64") },
  ]);
});

test("whatever texts a record holds, its event has no U+0000 and no lone surrogate", () => {
  const hostile = fc.oneof(
    fc.string({ unit: fc.constantFrom("\0", "a", "\ufffd", "\u202e", "😀") }),
    fc
      .string({ unit: fc.constantFrom("\0", "a", "\ud800", "\udc00") })
      .map((text) => utf16(Buffer.from(text, "utf16le"))),
  );
  const name = fc.string({ unit: fc.constantFrom("\0", "a", "B", ".", "1", "é") });
  fc.assert(
    fc.property(fc.array(fc.tuple(name, hostile, hostile), { maxLength: 5 }), (texts) => {
      const group = new Map(texts.map(([key, value]) => [key, value]));
      const event = eventOf({
        request: group,
        certificate: group,
        ca: group,
        attributes: texts.map(([, attribute, value]) => [attribute, value]),
        extensions: texts.map(([, oid]) => [oid, 0, Buffer.alloc(0)]),
        errors: texts.map(([, property]) => [property, 1]),
      });
      const json = JSON.stringify(event);
      assert.doesNotMatch(json, /\\u0000|\\ud[89a-f]/);
    }),
    { numRuns: scaled(200) },
  );
});

test("a broken first name hides neither UPN nor DNS name of the certificate", () => {
  const event = eventOf({ certificate: { RawCertificate: fixture("broken-first-name") } });
  assert.deepEqual(data(event)["certificate"]?.["subjectAlternativeNames"], {
    upn: ["administrator@corp.example"],
    dns: ["dc01.corp.example"],
  });
  assert.deepEqual(problems(event), [
    {
      property: "certificate.2.5.29.17[0]",
      reason: "malformed",
      detail: "IP address is not 4 or 16 octets long",
    },
  ]);
});

test("a U+0000 in a certificate is a problem with the octets of its text", () => {
  const der = Buffer.from(fixture("rsa-v1-template"));
  der.write("\0", der.lastIndexOf("contoso.com") + 3, "latin1");
  const event = eventOf({ certificate: { RawCertificate: der } });
  const names = data(event)["certificate"]?.["subjectAlternativeNames"];
  assert.deepEqual(names, { dns: ["www.contoso.com", "con\ufffdoso.com"] });
  assert.deepEqual(problems(event), [
    {
      property: "certificate.2.5.29.17[1]",
      reason: "text",
      detail: "text has a U+0000",
      octets: Buffer.from("con\0oso.com").toString("base64"),
    },
  ]);
});

test("names that JavaScript objects treat specially are names like any other", () => {
  const names = ["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf"];
  const values = [
    (name: string) => `value of ${name}`,
    (name: string) => Buffer.from(name),
    () => oleDate("2026-01-01"),
  ];
  for (const valueOf of values) {
    const group = new Map(names.map((name) => [name, valueOf(name)] as const));
    const certificate = new Map<string, unknown>(group);
    certificate.set("RawCertificate", fixture("rsa-v1-template"));
    const extensions = names.map((name) => [name, 0, Buffer.alloc(1)]);
    const event = eventOf({ ca: group, request: group, certificate, extensions });
    const shown = (event.data["unknownProperties"] as { name: string }[]).map(({ name }) => name);
    const expected = ["ca", "request", "certificate"].flatMap((part) =>
      names.map((name) => `${part}.${name}`),
    );
    assert.deepEqual(shown.toSorted(), expected.toSorted());
  }
});
