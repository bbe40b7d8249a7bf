import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { test } from "node:test";
import type { CertwireEvent } from "../../../src/events/event.ts";
import { cut, eventOf, redacted, secretDigest, utf16 } from "../../support/exit-records.ts";

const secret = "correct-horse-battery";
type Data = Record<string, Record<string, unknown>>;
const request = (event: CertwireEvent) => (event.data as Data)["request"] ?? {};
const problems = (event: CertwireEvent) => event.data["problems"] as Record<string, unknown>[];

/** True if the secret can be found anywhere in the event, whatever its encoding. */
function shows(event: CertwireEvent, bytes: Buffer): boolean {
  const texts: string[] = [];
  JSON.stringify(event, (_key, value: unknown) => {
    if (typeof value === "string") texts.push(value);
    return value;
  });
  const forms = [bytes, Buffer.from(bytes.toString("latin1"), "utf16le")];
  return texts.some((text) =>
    [Buffer.from(text), Buffer.from(text, "base64")].some((found) =>
      forms.some((form) => found.includes(form)),
    ),
  );
}

test("an attestation challenge is published as length and hash, whole or cut", () => {
  const challenge = randomBytes(900);
  const sha256 = createHash("sha256").update(challenge).digest("hex");
  const digest = { length: 900, sha256 };
  const whole = eventOf({ event: 2, request: { RequestID: 1, AttestationChallenge: challenge } });
  assert.deepEqual(request(whole)["attestationChallenge"], digest);
  const value = cut(
    900,
    Buffer.from(sha256, "hex"),
    challenge.subarray(0, 64),
    challenge.subarray(-64),
  );
  const inPart = eventOf({ event: 2, request: { AttestationChallenge: value } });
  assert.deepEqual(request(inPart)["attestationChallenge"], digest);
  const asDigest = eventOf({
    event: 2,
    request: { AttestationChallenge: secretDigest(900, Buffer.from(sha256, "hex")) },
  });
  assert.deepEqual(request(asDigest)["attestationChallenge"], digest);
  const asText = eventOf({ event: 2, request: { AttestationChallenge: secret } });
  assert.equal(shows(asText, Buffer.from(secret)), false);
  assert.equal(problems(asText)[0]?.["reason"], "type");
});

test("the ends of a request that the exit module cut are not published", () => {
  const end = Buffer.from(`x${secret}`);
  const value = cut(20_000_000, Buffer.alloc(32), end, end);
  const digest = { length: 20_000_000, sha256: "00".repeat(32) };
  const raw = eventOf({ request: { RawRequest: value } });
  assert.deepEqual(request(raw)["rawRequest"], digest);
  assert.deepEqual(problems(raw), []);
  const attributes = eventOf({ request: { RequestAttributes: value } });
  assert.equal(request(attributes)["requestAttributes"], undefined);
  assert.deepEqual(problems(attributes), [
    { property: "request.RequestAttributes", reason: "cut", ...digest },
  ]);
});

test("an attribute with the name of a secret has no value, however the name is written", () => {
  for (const name of ["Challenge", "Expected-Challenge", "Chal%6cenge", "PASSWORD", "my.secret"]) {
    const event = eventOf({ attributes: [[name, secret]] });
    assert.deepEqual(event.data["attributes"], [{ name, redacted: true }]);
  }
  const nul = eventOf({ attributes: [["Pass\0word", secret]] });
  const lone = eventOf({ attributes: [[utf16(Buffer.from("Pass\ud800word", "utf16le")), secret]] });
  for (const event of [nul, lone]) assert.equal(shows(event, Buffer.from(secret)), false);
  for (const name of ["ccm", "ChallengeX", "PasswordPolicy"]) {
    const other = eventOf({ attributes: [[name, secret]] });
    assert.deepEqual(other.data["attributes"], [{ name, value: secret }]);
  }
});

test("the lines of secrets in the request attributes are blanked, the others stay", () => {
  const event = eventOf({
    request: {
      RequestAttributes: `ccm:host\r\nPassword:${secret}\r\nChallenge:[redacted]\nChal%6cenge: ${secret}\nChallengeX:kept`,
    },
  });
  assert.equal(
    request(event)["requestAttributes"],
    "ccm:host\r\nPassword:[redacted]\r\nChallenge:[redacted]\nChal%6cenge:[redacted]\nChallengeX:kept",
  );
  assert.deepEqual(problems(event), [
    { property: "request.RequestAttributes", reason: "withheld", detail: "a secret was blanked" },
  ]);
  const blanked = eventOf({ request: { RequestAttributes: "Challenge:[redacted]\nccm:host" } });
  assert.deepEqual(problems(blanked), []);
});

test("the bytes of request attributes that are not valid UTF-16 do not show a secret", () => {
  const text = Buffer.from(`ccm:\ud800\nPassword:${secret}`, "utf16le");
  const event = eventOf({ request: { RequestAttributes: utf16(text) } });
  assert.equal(shows(event, Buffer.from(secret)), false);
  assert.equal(request(event)["requestAttributes"], "ccm:\ufffd\nPassword:[redacted]");
  const harmless = Buffer.from("ccm:\ud800", "utf16le");
  const other = eventOf({ request: { RequestAttributes: utf16(harmless) } });
  assert.equal(problems(other)[0]?.["utf16"], harmless.toString("base64"));
});

test("request attributes of another type are not shown", () => {
  const event = eventOf({ request: { RequestAttributes: Buffer.from(`Password:${secret}`) } });
  assert.equal(shows(event, Buffer.from(secret)), false);
  assert.equal(problems(event)[0]?.["reason"], "type");
});

test("an unknown property with the name of a secret is withheld and named", () => {
  const event = eventOf({
    request: { RawArchivedKey: Buffer.from(secret), NewPassword: secret },
    ca: { SomeSecret: 1 },
    certificate: { FutureChallenge: secret },
  });
  assert.equal(shows(event, Buffer.from(secret)), false);
  assert.deepEqual(
    problems(event)
      .map(({ property, reason }) => `${String(property)} ${String(reason)}`)
      .toSorted(),
    [
      "ca.SomeSecret withheld",
      "certificate.FutureChallenge withheld",
      "request.NewPassword withheld",
      "request.RawArchivedKey withheld",
    ],
  );
});

test("what the exit module blanked is shown as blanked", () => {
  const event = eventOf({ attributes: [["Challenge", redacted()]] });
  assert.deepEqual(event.data["attributes"], [{ name: "Challenge", redacted: true }]);
});
