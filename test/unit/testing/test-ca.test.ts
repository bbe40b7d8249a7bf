import assert from "node:assert/strict";
import { hash, X509Certificate } from "node:crypto";
import { test } from "node:test";
import { ml_dsa65 } from "@noble/post-quantum/ml-dsa.js";
import { Completeness } from "../../../src/consumer/completeness/completeness.ts";
import type { CertwireEvent } from "../../../src/events/event.ts";
import { kindOf } from "../../../src/events/event-kind.ts";
import type { TypedEvent } from "../../../src/events/typed-event.ts";
import { TestCa, testCa } from "../../../src/testing/ca/test-ca.ts";
import { parseCertificate } from "../../../src/x509/certificate.ts";
import { assertValid } from "../../support/exit-records.ts";

function certificateOf({ data }: TypedEvent<"certificate.issued">): Buffer {
  return Buffer.from(data.certificate?.der ?? "", "base64");
}

function failsWith(pattern: RegExp) {
  return { code: "CERTWIRE_TESTING_OPTIONS", message: pattern };
}

test("an event of another CA is refused, though this one has a request with the same number", () => {
  const [own, other] = [testCa(), testCa({ seed: 2 })];
  const foreign = other.issue();
  assert.equal(own.issue().data.request?.requestId, foreign.data.request?.requestId);
  assert.throws(() => own.revoke(foreign), failsWith(/revoke: the event is of another CA, urn:/));
  assert.throws(() => own.approve(other.pend()), failsWith(/approve: the event is of another CA/));
  assert.equal(own.revoke(1).source, own.events[0]?.source);
});

test("an issued certificate is real: it has the names that were asked for, and the CA's signature", () => {
  const ca = testCa();
  const issued = ca.issue({
    template: "CorpWebServer",
    subject: "CN=www.example.com, O=Example\\, Ltd",
    sans: ["www.example.com", { ip: "192.0.2.7" }, { upn: "alice@corp.example" }],
    validityDays: 90,
  });
  assertValid(issued);
  const certificate = new X509Certificate(certificateOf(issued));
  const authority = new X509Certificate(ca.certificatePem);
  assert.ok(certificate.verify(authority.publicKey));
  assert.ok(certificate.checkIssued(authority));
  assert.equal(certificate.subject, "O=Example\\, Ltd\nCN=www.example.com");
  assert.match(certificate.subjectAltName ?? "", /DNS:www\.example\.com, IP Address:192\.0\.2\.7/);
  assert.equal(
    Date.parse(certificate.validTo) - Date.parse(certificate.validFrom),
    90 * 86_400_000,
  );
  assert.equal(
    issued.data.requested?.subject?.distinguishedName,
    "CN=www.example.com,O=Example\\, Ltd",
  );
});

for (const key of ["rsa-3072", "p-256", "p-384", "p-521"] as const) {
  test(`a CA with the key ${key} signs certificates that OpenSSL accepts`, () => {
    const ca = testCa({ seed: `key ${key}`, key });
    const authority = new X509Certificate(ca.certificate);
    const certificate = new X509Certificate(certificateOf(ca.issue({ key })));
    assert.ok(authority.verify(authority.publicKey));
    assert.ok(certificate.verify(authority.publicKey));
  });
}

test("a CA with an ML-DSA key signs certificates of ML-DSA keys", () => {
  const ca = testCa({ key: "ml-dsa-65" });
  const issued = ca.issue({ key: "ml-dsa-87" });
  assertValid(issued);
  assert.equal(issued.data.certificate?.publicKey?.algorithm.name, "ML-DSA-87");
  assert.deepEqual(issued.data.problems, []);
  const [key, signature] = [publicKeyBits(ca.certificate), lastBytes(certificateOf(issued), 3309)];
  assert.ok(ml_dsa65.verify(signature, tbsOf(certificateOf(issued)), key));
});

/** The content of the subjectPublicKey of an ML-DSA-65 certificate. */
function publicKeyBits(der: Buffer): Buffer {
  const header = Buffer.from("038207a100", "hex");
  const at = der.indexOf(header);
  assert.ok(at > 0);
  return der.subarray(at + header.length, at + header.length + 1952);
}

function lastBytes(der: Buffer, count: number): Buffer {
  return der.subarray(der.length - count);
}

/** The signed part: the first element in the certificate, with lengths of two bytes. */
function tbsOf(der: Buffer): Buffer {
  return der.subarray(4, 4 + 4 + der.readUInt16BE(6));
}

test("the same seed and calls make the same events; another seed makes others", () => {
  const run = (seed: number) => {
    const ca = testCa({ seed });
    ca.revoke(ca.issue({ requester: "CORP\\alice", template: "User" }));
    ca.issue({ key: "p-384" });
    ca.issue({ key: "ml-dsa-44" });
    ca.publishCrl();
    return JSON.stringify(ca.events);
  };
  assert.equal(run(7), run(7));
  assert.notEqual(run(7), run(8));
});

test("the CA starts by itself, and has a new epoch after each start", () => {
  const ca = testCa();
  ca.issue();
  ca.stop();
  ca.start();
  assert.deepEqual(
    ca.events.map(({ type, sequence }) => [
      type.split(".").slice(2, -1).join("."),
      sequence?.slice(0, 10),
    ]),
    [
      ["ca.started", "0000000001"],
      ["certificate.issued", "0000000001"],
      ["ca.stopped", "0000000001"],
      ["ca.started", "0000000002"],
    ],
  );
  assert.throws(() => ca.start(), failsWith(/runs already/));
});

test("the clock moves with each event, and as the test says", () => {
  const ca = testCa({ start: "2026-03-01T00:00:00Z", stepMs: 250 });
  assert.equal(ca.start().time, "2026-03-01T00:00:00.000Z");
  assert.equal(ca.issue().time, "2026-03-01T00:00:00.250Z");
  ca.clock.advance(86_400_000);
  assert.equal(ca.issue().time, "2026-03-02T00:00:00.500Z");
  ca.clock.set("2026-02-01T00:00:00Z");
  assert.equal(ca.publishCrl()[0]?.time, "2026-02-01T00:00:00.000Z");
  assert.throws(() => ca.clock.set("soon"), failsWith(/soon is not a time/));
});

test("a CRL lists what is revoked, and a delta CRL what was released", () => {
  const ca = testCa();
  const [held, revoked] = [ca.issue(), ca.issue()];
  ca.hold(held);
  ca.revoke(revoked, { reason: "keyCompromise" });
  const [base] = ca.publishCrl();
  ca.release(held);
  const [delta] = ca.publishCrl({ kind: "delta" });
  assert.ok(base && delta);
  assertValid(base);
  assert.deepEqual([base.data.crl?.entryCount, delta.data.crl?.entryCount], [2, 1]);
  assert.deepEqual([base.data.crl?.kind, delta.data.crl?.kind], ["base", "delta"]);
});

test("a CA that is renewed with its key keeps its id; with a new key it has another one", () => {
  const ca = testCa();
  const first = ca.certificate;
  const sameKey = ca.renew();
  assert.deepEqual(ca.events.map(kindOf), ["ca.started", "ca.stopped", "ca.changed", "ca.started"]);
  const idOfFirst = ca.events[0]?.data["ca"] as { id: string };
  assert.equal(sameKey.data.previous.certificateSha256, hash("sha256", first));
  assert.equal(sameKey.data.ca.certificateSha256, hash("sha256", ca.certificate));
  assert.deepEqual([sameKey.data.previous.id, sameKey.data.ca.id], [idOfFirst.id, idOfFirst.id]);
  const newKey = ca.renew({ key: "p-384" });
  assertValid(newKey);
  assert.equal(newKey.data.previous.id, idOfFirst.id);
  assert.notEqual(newKey.data.ca.id, idOfFirst.id);
  assert.notEqual(newKey.source, sameKey.source);
  const certificates = newKey.data.ca["certificates"] as object[];
  assert.deepEqual(
    certificates.map((each) => {
      const { index, crlIndex, crlState, certSuffix } = each as Record<string, unknown>;
      return [index, certSuffix, crlIndex, crlState];
    }),
    [
      [0, undefined, 0, "valid"],
      [1, "(1)", 0, "error"],
      [2, "(2)", 2, "valid"],
    ],
  );
});

test("after a renewal with a new key the CA signs with it, and the CRLs of each key list what that key signed", () => {
  const ca = testCa();
  const [old, other] = [ca.issue(), ca.issue()];
  const [oldAuthority, oldPublication] = [new X509Certificate(ca.certificate), ca.publishCrl()];
  ca.renew({ key: "p-256" });
  const renewed = new X509Certificate(ca.certificatePem);
  const fresh = ca.issue();
  const certificate = new X509Certificate(certificateOf(fresh));
  assert.ok(certificate.verify(renewed.publicKey));
  assert.equal(certificate.verify(oldAuthority.publicKey), false);
  assert.match(certificate.infoAccess ?? "", /Test%20Issuing%20CA\(1\)\.crt/);
  assert.ok(certificateOf(fresh).includes("Test%20Issuing%20CA(1).crl"));
  ca.revoke(old);
  ca.hold(other);
  ca.revoke(fresh);
  ca.release(other);
  const published = ca.publishCrl();
  assert.deepEqual(
    published.map(({ data: { crl } }) => [crl?.index, crl?.kind, crl?.entryCount, crl?.number]),
    [
      [0, "base", 1, "3"],
      [0, "delta", 0, "3"],
      [1, "base", 1, "3"],
      [1, "delta", 0, "3"],
    ],
  );
  assert.equal(oldPublication.length, 2);
  assert.equal(Buffer.from(published[2]?.data.crl?.der ?? "", "base64").equals(ca.crls.base), true);
});

test("events that cannot be written are lost: a gap counts them, and nothing else of them is published", () => {
  const ca = testCa();
  const first = ca.issue();
  let unseen: TypedEvent<"certificate.issued"> | undefined;
  const gap = ca.loseRecords(() => {
    unseen = ca.issue({ requester: "CORP\\SRV-1$" });
    ca.publishCrl();
  });
  assertValid(gap);
  const { reason, count, firstSequence, requestIds, firstTime, lastTime } = gap.data;
  assert.deepEqual([reason, count, firstSequence], ["disk-full", "2", undefined]);
  assert.deepEqual(requestIds, [2]);
  assert.equal(Date.parse(lastTime ?? "") - Date.parse(firstTime ?? ""), 1000);
  assert.ok(unseen);
  const revoked = ca.revoke(unseen, { reason: "keyCompromise" });
  assert.equal(revoked.data.certificate?.serialNumber, unseen.data.certificate?.serialNumber);
  assert.deepEqual(ca.events.slice(1), [first, gap, revoked]);
  const sequences = ca.events.map(({ sequence }) => Number(sequence?.split("-")[1]));
  assert.deepEqual(sequences, [2, 3, 4, 5]);
  assert.ok(!ca.events.some(({ id }) => id === unseen?.id));
});

test("events whose records are lost in the journal are a hole, which the gap accounts for", () => {
  const ca = testCa();
  const gap = ca.loseRecords(() => ca.revoke(ca.issue()), { reason: "missing-segment" });
  ca.issue();
  assertValid(gap);
  const { reason, count, firstSequence, lastSequence } = gap.data;
  assert.deepEqual(
    [reason, count, firstSequence, lastSequence],
    ["missing-segment", undefined, "3", "4"],
  );
  assert.match(gap.id, /-3-65535$/);
  const holesIn = (events: readonly CertwireEvent[]) => {
    const completeness = new Completeness();
    for (const event of events) completeness.add(event);
    return completeness.report().journals.flatMap(({ holes }) => holes);
  };
  const [accounted, ...others] = holesIn(ca.events);
  assert.deepEqual(others, []);
  assert.ok(accounted && "accountedBy" in accounted && accounted.accountedBy);
  const [hole] = holesIn(ca.events.filter(({ id }) => id !== gap.id));
  assert.ok(hole && !("accountedBy" in hole && hole.accountedBy));
});

test("an event bit without a type is an event with its raw code, about a request or none", () => {
  const ca = testCa();
  const issued = ca.issue();
  const ofRequest = ca.notify(issued, { event: 0x4000_0000 });
  const ofNone = ca.notify();
  for (const event of [ofRequest, ofNone]) assertValid(event);
  assert.deepEqual(ofRequest.data.notify, { ...ofRequest.data.notify, event: 0x4000_0000 });
  assert.equal(ofRequest.data.request?.requestId, 1);
  assert.equal(ofRequest.data.certificate?.serialNumber, issued.data.certificate?.serialNumber);
  assert.deepEqual([ofNone.data.notify?.event, ofNone.data.request], [0x400, undefined]);
  assert.throws(() => ca.notify(issued, { event: 8 }), failsWith(/8 is not an event without a/));
});

test("records are lost only while the CA runs, and only where there are some", () => {
  const ca = testCa();
  const issued = ca.issue();
  const stop = () => ca.loseRecords(() => ca.stop());
  assert.throws(stop, failsWith(/the CA must keep running/));
  const twice = () => ca.loseRecords(() => ca.loseRecords(() => ca.issue()));
  assert.throws(twice, failsWith(/records are being lost already/));
  assert.throws(() => ca.loseRecords(() => undefined), failsWith(/nothing happened that can be/));
  const reason = "bad luck" as "memory";
  assert.throws(
    () => ca.loseRecords(() => ca.issue(), { reason }),
    failsWith(/"bad luck" is not a/),
  );
  ca.revoke(issued);
  assert.deepEqual(ca.events.map(kindOf), [
    "ca.started",
    "certificate.issued",
    "certificate.revoked",
  ]);
});

test("a function that loses records must not be asynchronous, since only its first part would lose them", async () => {
  const ca = testCa();
  let rest: Promise<void> | undefined;
  const losing = (): unknown => {
    rest = (async () => {
      ca.issue();
      await Promise.resolve();
      ca.issue();
    })();
    return rest;
  };
  assert.throws(() => ca.loseRecords(losing), failsWith(/the function is asynchronous/));
  await rest;
  // What was lost before is accounted for.
  const kinds = ["ca.started", "journal.gap", "certificate.issued"];
  assert.deepEqual(ca.events.map(kindOf), kinds);
});

test("what an event says follows from what the test asks for", () => {
  const ca = testCa();
  const denied = ca.deny(ca.pend({ requester: "CORP\\bob", caller: "CORP\\agent" }), {
    by: "CORP\\eve",
  });
  assert.equal(denied.data.request?.requesterName, "CORP\\bob");
  assert.equal(denied.data.request?.callerName, "CORP\\agent");
  assert.equal(denied.data.request?.dispositionMessage, "Denied by CORP\\eve\n");
  const failed = ca.fail({}, { statusCode: 0x80094800, message: "The template is not supported" });
  assert.equal(failed.data.request?.statusCode, "0x80094800");
  const own = ca.issue({
    template: { name: "Mine", oid: "1.2.3.4", version: [5, 6] },
    attributes: { SAN: "upn=a@b" },
  });
  assert.equal(own.data.certificate?.template?.oid, "1.2.3.4");
  assert.deepEqual(own.data.attributes?.find(({ name }) => name === "SAN")?.value, "upn=a@b");
  const user = ca.issue({ template: "User", requester: "CORP\\alice" });
  const again = ca.issue({ template: "User", requester: "CORP\\ALICE" });
  assert.match(user.data.certificate?.sid ?? "", /^S-1-5-21-/);
  assert.equal(user.data.certificate?.sid, again.data.certificate?.sid);
  const without = ca.issue({ template: "User", sid: null });
  assert.equal(without.data.certificate?.sid, undefined);
});

test("a call that the state of the request does not allow says so", () => {
  const ca = testCa();
  const issued = ca.issue();
  assert.throws(() => ca.release(issued), failsWith(/release: request 1 is issued, not held/));
  assert.throws(() => ca.approve(issued), failsWith(/approve: request 1 is issued, not pending/));
  assert.throws(() => ca.revoke(99), failsWith(/revoke: this CA has no request 99/));
  assert.throws(() => ca.revoke(ca.start.call(new TestCa())), failsWith(/no request like it/));
  ca.revoke(issued);
  assert.throws(() => ca.hold(issued), failsWith(/hold: request 1 is revoked, not issued/));
  assert.throws(() => ca.issue({ requester: "alice" }), failsWith(/"alice" is not an account/));
  assert.throws(() => ca.issue({ subject: "www.example.com" }), failsWith(/not an attribute/));
  assert.throws(() => ca.issue({ sans: [{ ip: "::1" }] }), failsWith(/not an IPv4 address/));
});

test("every certificate of the kit parses without a problem", () => {
  const ca = testCa();
  for (const template of ["CorpWorkstation", "CorpSmartcard", "Machine", "User", "Unheard Of"]) {
    const { problems } = parseCertificate(certificateOf(ca.issue({ template })));
    assert.deepEqual(problems, [], template);
  }
});
