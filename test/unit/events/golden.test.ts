import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { CertwireEvent } from "../../../src/events/event.ts";
import { kindOf } from "../../../src/events/event-kind.ts";
import { findingEvent } from "../../../src/events/finding-event.ts";
import { rowEvents } from "../../../src/events/row-events.ts";
import { decodeRecord } from "../../../src/exit/decode-record.ts";
import { frameTypes, type JournalFrame } from "../../../src/journal/frame.ts";
import {
  assertValid,
  encodeCbor,
  encodeRecord,
  eventContext,
  eventsOfFrame,
  fixture,
  frameOf,
  oleDate,
  redacted,
} from "../../support/exit-records.ts";
import { sampleFinding } from "../../support/golden-events.ts";

const directory = join("test", "fixtures", "events");

const ca = {
  Name: "Contoso Issuing CA 1",
  CAType: 1,
  MachineDNSName: "ca1.contoso.com",
  SanitizedCAName: "Contoso Issuing CA 1",
  RawCACertificate: fixture("ca-rsa"),
};

const request = {
  RequestID: 4711,
  RequesterName: "CONTOSO\\WEB01$",
  CallerName: "CONTOSO\\WEB01$",
  RequestType: 0x40100,
  RequestFlags: 0,
  StatusCode: 0,
  Disposition: 20,
  DispositionMessage: "Issued",
  SubmittedWhen: oleDate("2026-03-01T11:59:59.250Z"),
  ResolvedWhen: oleDate("2026-03-01T12:00:00.000Z"),
  RawRequest: fixture("challenge-request"),
  DistinguishedName: "CN=www.contoso.com",
};

const certificate = {
  RequestID: 4711,
  RawCertificate: fixture("rsa-v1-template"),
  CertificateTemplate: "WebServer",
  SerialNumber: "4c18f7c521a9496b053ad9a81bc5ef446c99dbfc",
  PublicKeyLength: 3072,
};

const issued = {
  event: 1,
  request,
  certificate,
  ca,
  attributes: [
    ["ccm", "web01.contoso.com"],
    ["Challenge", redacted()],
  ],
  extensions: [["2.5.29.15", 0x20001, Buffer.from("030205a0", "hex")]],
  errors: [["certificate.UPN", 0x80094003]],
};

const denied = {
  ...request,
  Disposition: 31,
  StatusCode: -2146877420,
  DispositionMessage: "Denied",
};
const revoked = {
  ...request,
  Disposition: 21,
  RevokedReason: 1,
  RevokedWhen: oleDate("2026-03-02T08:00:00.000Z"),
  RevokedEffectiveWhen: oleDate("2026-03-02T07:30:00.000Z"),
};
const crls = [
  [0, 0, fixture("base-crl")],
  [0, 1, fixture("delta-crl")],
];

const gap = encodeCbor({ reason: "disk-full", count: 12, firstSequence: 18, lastSequence: 29 });

const frames: [name: string, frame: JournalFrame][] = [
  ["certificate.issued", frameOf(encodeRecord(issued))],
  ["certificate.revoked", frameOf(encodeRecord({ event: 8, request: revoked, certificate, ca }))],
  ["request.denied", frameOf(encodeRecord({ event: 4, request: denied, ca }))],
  ["crl.issued", frameOf(encodeRecord({ event: 0x20, context: 0, ca, crls }))],
  ["ca.started", frameOf(encodeRecord({ event: 0x80, ca: { Name: ca.Name } }))],
  ["journal.gap", frameOf(gap, { type: frameTypes.gap })],
];

/** The events of a row whose certificate was revoked after its issue. */
const row = decodeRecord(encodeRecord({ event: 0, request: revoked, certificate, ca }));

for (const [name, frame] of frames) {
  test(`the JSON of ${name} is that of its golden file`, () => {
    const [event] = eventsOfFrame(frame, eventContext());
    assert.ok(event);
    assertGolden(name, event);
  });
}

for (const event of rowEvents(row, {})) {
  const name = `database.${kindOf(event)}`;
  test(`the JSON of ${name} is that of its golden file`, () => {
    assertGolden(name, event);
  });
}

test("the JSON of reconcile.finding is that of its golden file", () => {
  assertGolden("reconcile.finding", findingEvent(sampleFinding, {}));
});

function assertGolden(name: string, event: CertwireEvent): void {
  assertValid(event);
  const file = join(directory, `${name}.json`);
  const json = `${JSON.stringify(event, null, 2)}\n`;
  // After a wanted change: run once with UPDATE_GOLDEN=1 and review the difference.
  if (process.env["UPDATE_GOLDEN"] === "1") {
    mkdirSync(directory, { recursive: true });
    writeFileSync(file, json);
  }
  assert.equal(json, readFileSync(file, "utf8"));
}
