import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import type { Problem } from "../../../src/events/problems.ts";
import {
  certificate as buildCertificate,
  der,
  extension,
  extensions,
  name,
  oid,
  text,
} from "../../support/build-der.ts";
import {
  attribute,
  bmp,
  cmcSample,
  dnsNames,
  pair,
  pkcs10,
  types,
  utf8,
} from "../../support/build-request.ts";
import { cut, eventOf, fixture } from "../../support/exit-records.ts";

/** An event of a request, and of the certificate that was issued for it. */
function requestEvent(raw: unknown, certificate?: Buffer) {
  const { data } = eventOf({
    request: { RequestID: 7, RawRequest: raw },
    ...(certificate && { certificate: { RawCertificate: certificate } }),
  });
  return {
    requested: data["requested"] as Record<string, unknown> | undefined,
    certificate: data["certificate"] as Record<string, unknown> | undefined,
    problems: data["problems"] as readonly Problem[],
    json: JSON.stringify(data),
  };
}

test("what was asked for stands beside what was issued, in the same form", () => {
  const raw = pkcs10([attribute(types.extensionRequest, der(0x30, dnsNames("asked.example")))]);
  const names = extensions(extension("2.5.29.17", der(0x30, text(0x82, "issued.example"))));
  const issued = buildCertificate([names], name(utf8("issued")));
  const { requested, certificate, problems } = requestEvent(raw, issued);
  assert.deepEqual(requested?.["subject"], { distinguishedName: "CN=x", commonName: ["x"] });
  assert.deepEqual(certificate?.["subject"], {
    distinguishedName: "CN=issued",
    commonName: ["issued"],
  });
  assert.deepEqual(requested?.["subjectAlternativeNames"], { dns: ["asked.example"] });
  assert.deepEqual(certificate?.["subjectAlternativeNames"], { dns: ["issued.example"] });
  assert.deepEqual(problems, []);
});

test("each part of a request fits the schema of an event", () => {
  for (const raw of [
    cmcSample,
    ...["full-request", "full-pkcs7", "full-pkcs7-ber", "two-signers"].map(fixture),
  ]) {
    // eventOf checks the schema, which allows no other member.
    assert.notEqual(requestEvent(raw).requested, undefined);
  }
});

test("a request that cannot be read is a problem, and the event goes out", () => {
  for (const raw of [Buffer.from("hello"), fixture("full-request").subarray(1)]) {
    const { requested, problems } = requestEvent(raw);
    assert.equal(requested, undefined);
    assert.deepEqual(
      problems.map(({ property, reason }) => [property, reason]),
      [["requested.request", "malformed"]],
    );
  }
});

test("an event without a request, or with one that the exit module cut, has nothing requested", () => {
  const raw = fixture("full-request");
  const digest = createHash("sha256").update(raw).digest();
  const part = raw.subarray(0, 100);
  for (const value of [Buffer.alloc(0), cut(raw.length, digest, part, part)]) {
    const { requested, problems } = requestEvent(value);
    assert.equal(requested, undefined);
    assert.deepEqual(problems, []);
  }
});

test("a secret that a request has among its names is withheld, and its octets are not shown", () => {
  const secret = "correct-horse-battery";
  const challenge = der(0x31, der(0x30, oid(types.challengePassword), utf8(`${secret}\0`)));
  const raw = pkcs10(
    [attribute(types.pair, pair(bmp("Challenge"), utf8(`${secret}\0`)))],
    der(0x30, challenge),
  );
  const { requested, problems, json } = requestEvent(raw);
  assert.deepEqual(requested?.["attributes"], [{ name: "Challenge", redacted: true }]);
  assert.deepEqual(problems, [
    {
      property: "requested.subject[0][0]",
      reason: "withheld",
      detail: `the value of ${types.challengePassword} is a secret`,
    },
    {
      property: `requested.${types.pair}[0]`,
      reason: "withheld",
      detail: "text has a U+0000",
    },
  ]);
  assert.equal(json.includes(secret), false);
  assert.equal(json.includes(Buffer.from(secret).toString("base64").slice(0, 20)), false);
});

test("no text of a request has a U+0000, and its octets are in a problem", () => {
  const raw = pkcs10([
    attribute(types.osVersion, text(0x16, "10\0")),
    attribute(types.pair, pair(bmp("a\0"), bmp("b\0"))),
  ]);
  const { requested, problems, json } = requestEvent(raw);
  assert.equal(requested?.["osVersion"], "10\ufffd");
  assert.deepEqual(requested?.["attributes"], [{ name: "a\ufffd", value: "b\ufffd" }]);
  assert.deepEqual(
    problems.map(({ property, reason }) => [property, reason]),
    [
      [`requested.${types.osVersion}`, "text"],
      [`requested.${types.pair}[0]`, "text"],
      [`requested.${types.pair}[0]`, "text"],
    ],
  );
  assert.equal(json.includes("\\u0000"), false);
});
