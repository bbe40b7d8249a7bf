import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { test } from "node:test";
import { exitEvents } from "../../../src/exit/ca-codes.ts";
import type { SimulatedEvent, SimulatedValue } from "../../../src/native/addon.ts";
import { SimulatedCa } from "../../../src/simulate/simulated-ca.ts";

const start = Date.UTC(2026, 0, 5, 8, 0, 0);

function createCa(seed: string): SimulatedCa {
  let ticks = 0;
  return new SimulatedCa({ seed, now: () => new Date(start + ticks++ * 250) });
}

const ca = createCa("simulated-ca test");
const events = Array.from({ length: 1500 }, () => ca.next());

function of(event: number): SimulatedEvent[] {
  return events.filter((candidate) => candidate.event === event);
}

function dispositionsOf(event: number): Set<number> {
  return new Set(of(event).map(({ request }) => long(request["Disposition"])));
}

function binary(value: SimulatedValue | undefined): Buffer {
  assert.ok(value && "binary" in value);
  return value.binary;
}

function long(value: SimulatedValue | undefined): number {
  assert.ok(value && "long" in value);
  return value.long;
}

function text(value: SimulatedValue | undefined): string {
  assert.ok(value && "string" in value);
  return value.string;
}

test("every kind of event of a certification authority comes up", () => {
  const { startup: _, shutdown: __, ...duringWork } = exitEvents;
  for (const [name, event] of Object.entries(duringWork))
    assert.notEqual(of(event).length, 0, name);
  assert.equal(ca.started().event, exitEvents.startup);
  assert.equal(ca.stopped().event, exitEvents.shutdown);
});

test("each issued certificate parses, verifies with the CA's key and agrees with its row", () => {
  const issuerKey = new X509Certificate(ca.certificate).publicKey;
  for (const { certificate: row, context } of of(exitEvents.issued)) {
    const der = binary(row["RawCertificate"]);
    const certificate = new X509Certificate(der);
    assert.ok(certificate.verify(issuerKey));
    assert.equal(certificate.serialNumber.toLowerCase(), text(row["SerialNumber"]));
    const hash = createHash("sha1").update(der).digest("hex");
    assert.equal(text(row["CertificateHash"]).replaceAll(" ", ""), hash);
    assert.equal(long(row["RequestID"]), context);
    const notAfter = row["NotAfter"];
    assert.ok(notAfter && "date" in notAfter);
    const fromOleDate = Math.round((notAfter.date - 25_569) * 86_400) * 1000;
    assert.equal(new Date(fromOleDate).getTime(), Date.parse(certificate.validTo));
  }
});

test("dispositions follow the documented table", () => {
  assert.deepEqual(dispositionsOf(exitEvents.issued), new Set([20]));
  assert.deepEqual(dispositionsOf(exitEvents.pending), new Set([9]));
  assert.deepEqual(dispositionsOf(exitEvents.denied), new Set([30, 31]));
  assert.deepEqual(dispositionsOf(exitEvents.revoked), new Set([20, 21]));
  assert.deepEqual(dispositionsOf(exitEvents.imported), new Set([20]));
});

test("a release from hold has disposition 20 and reason -1, after a hold of the same request", () => {
  const released = of(exitEvents.revoked).filter(
    ({ request }) => long(request["Disposition"]) === 20,
  );
  assert.notEqual(released.length, 0);
  for (const event of released) {
    assert.equal(long(event.request["RevokedReason"]), -1);
    const hold = events
      .slice(0, events.indexOf(event))
      .findLast(({ context }) => context === event.context);
    assert.equal(long(hold?.request["RevokedReason"]), 6);
  }
});

test("pending, denied and failed requests have no certificate, imported ones no request", () => {
  for (const event of [...of(exitEvents.pending), ...of(exitEvents.denied)]) {
    assert.ok(event.request["RawRequest"]);
    assert.equal(event.certificate["RawCertificate"], undefined);
  }
  for (const event of of(exitEvents.imported)) {
    assert.equal(event.request["RawRequest"], undefined);
    assert.deepEqual(event.attributes, []);
  }
});

test("status codes are negative numbers, as the CA serves HRESULTs", () => {
  for (const { request } of of(exitEvents.denied)) assert.ok(long(request["StatusCode"]) < 0);
});

test("a CRL event shows the newest base and delta CRL; other events carry none", () => {
  for (const { certificate, context } of of(exitEvents.crlIssued)) {
    assert.equal(context, 0);
    assert.ok(binary(certificate["RawCRL.0"]).length > 300);
    assert.ok(binary(certificate["RawDeltaCRL.0"]).length > 300);
  }
  for (const { certificate } of of(exitEvents.issued)) {
    assert.equal(certificate["RawCRL.0"], undefined);
    assert.deepEqual(certificate["RawCACertificate"], { binary: ca.certificate });
  }
});

test("the same seed gives the same events, byte for byte", () => {
  const again = createCa("simulated-ca test");
  for (const event of events.slice(0, 300)) assert.deepEqual(again.next(), event);
  const other = createCa("another seed");
  assert.notDeepEqual(other.certificate, ca.certificate);
});
