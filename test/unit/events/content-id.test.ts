import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import {
  cut,
  eventOf,
  eventsOf,
  fixture,
  oleDate,
  oleDateOf,
  type RecordParts,
} from "../../support/exit-records.ts";

const hash = "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567";
const spacedHash = hash.replaceAll(/../g, "$& ").trim();
const revokedWhen = oleDate("2026-03-01T12:00:00.400Z");
const ca = { SanitizedCAName: "Contoso !0026 Sons" };
const request = { RequestID: 5, SubmittedWhen: oleDate("2026-03-01T11:59:59.999Z") };

function contentIdOf(parts: RecordParts): string | undefined {
  return eventOf({ ca, ...parts }).contentid;
}

/** The rule of docs/reference/events.md, by itself. */
function byRule(...lines: string[]): string {
  const text = ["certwire-content-v1", ...lines].join("\n");
  return createHash("sha256").update(text).digest("base64url").slice(0, 22);
}

// The ids were made with openssl from the lines of the rule.
const vectors: [name: string, contentId: string, parts: RecordParts][] = [
  ["an issued certificate", "1tzriR0RA-2Sf-CjKNpDSR", { certificate: { CertificateHash: hash } }],
  [
    "a certificate whose hash has spaces and capitals",
    "1tzriR0RA-2Sf-CjKNpDSR",
    { certificate: { CertificateHash: spacedHash.toUpperCase() } },
  ],
  [
    "an imported certificate",
    "1tzriR0RA-2Sf-CjKNpDSR",
    { event: 0x200, request: { Disposition: 12 }, certificate: { CertificateHash: hash } },
  ],
  [
    "a revoked certificate",
    "FPnA95JbJlwoQYHrXuBC9t",
    {
      event: 8,
      request: { Disposition: 21, RevokedReason: 1, RevokedWhen: revokedWhen },
      certificate: { CertificateHash: hash },
    },
  ],
  [
    "a revoked certificate with an unsigned reason",
    "6A7jQPmsKsRHbqtKWUxxp8",
    {
      event: 8,
      request: { Disposition: 21, RevokedReason: 0xffffffff, RevokedWhen: revokedWhen },
      certificate: { CertificateHash: hash },
    },
  ],
  [
    "a certificate that was released",
    "LiQKIBeThbhjjzZNLwMNtP",
    {
      event: 8,
      request: { Disposition: 20, RevokedReason: -1, RevokedWhen: revokedWhen },
      certificate: { CertificateHash: hash },
    },
  ],
  ["a pending request", "8KU8hDWkiFnFDF1VeCJiIf", { event: 2, request }],
  [
    "a denied request",
    "DsfB3cPbquN4iDs7IiRa1k",
    { event: 4, request: { ...request, Disposition: 31, StatusCode: 0x80094014 } },
  ],
  [
    "a failed request",
    "FlJZ4js0cY7I2mazjjIL54",
    { event: 4, request: { ...request, Disposition: 30, StatusCode: -2146877420 } },
  ],
];

for (const [name, expected, parts] of vectors) {
  test(`the content id of ${name} follows the rule`, () => {
    assert.equal(contentIdOf(parts), expected);
  });
}

test("the certificate itself decides, not the hash that the CA keeps beside it", () => {
  const der = fixture("rsa-v1-template");
  const sha1 = createHash("sha1").update(der).digest("hex");
  const certificate = { RawCertificate: der, CertificateHash: hash };
  assert.equal(contentIdOf({ certificate }), byRule("certificate", sha1));
});

test("a second of the CA stays the same second, however its date was rounded", () => {
  const day = 46_082.5; // 2026-03-01T12:00:00Z
  const seen = [day, day - 1e-12, day + 999 / 86_400_000].map((days) =>
    contentIdOf({ event: 2, request: { RequestID: 5, SubmittedWhen: oleDateOf(days) } }),
  );
  assert.deepEqual(
    new Set(seen),
    new Set([byRule("pending", ca.SanitizedCAName, "5", "1772366400")]),
  );
});

test("each CRL has the content id of its bytes, also where they were cut", () => {
  const base = fixture("base-crl");
  const digest = createHash("sha256").update(base).digest();
  const expected = byRule("crl", digest.toString("hex"));
  const [whole] = eventsOf({ event: 0x20, crls: [[0, 0, base]] });
  assert.equal(whole?.contentid, expected);
  const ends = [base.subarray(0, 64), base.subarray(-64)] as const;
  const [ofCut] = eventsOf({ event: 0x20, crls: [[0, 0, cut(base.length, digest, ...ends)]] });
  assert.equal(ofCut?.contentid, expected);
  const unhashed = cut(base.length, Buffer.alloc(0), ...ends);
  assert.equal(eventsOf({ event: 0x20, crls: [[0, 0, unhashed]] })[0]?.contentid, undefined);
});

const without: [name: string, parts: RecordParts][] = [
  ["a certificate without bytes and hash", { request: { RequestID: 5 } }],
  ["a hash that is not one", { certificate: { CertificateHash: "0a 1b" } }],
  ["a revocation without its time", { event: 8, request: { Disposition: 21, RevokedReason: 1 } }],
  ["a request without its time", { event: 2, request: { RequestID: 5 } }],
  ["a request of a CA without a name", { event: 2, request, ca: {} }],
  ["a failure without its status", { event: 4, request: { ...request, Disposition: 31 } }],
  [
    "a request that was retrieved",
    { event: 0x10, request, certificate: { CertificateHash: hash } },
  ],
  ["a start of the CA", { event: 0x80 }],
  ["an unknown event", { event: 0x400, request, certificate: { CertificateHash: hash } }],
];

for (const [name, parts] of without) {
  test(`there is no content id for ${name}`, () => {
    assert.equal(contentIdOf(parts), undefined);
  });
}
