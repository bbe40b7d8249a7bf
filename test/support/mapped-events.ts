import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { CertwireEvent } from "../../src/events/event.ts";
import { Redactor } from "../../src/events/redaction/redactor.ts";
import { shrinkEvent } from "../../src/events/shrink-event.ts";
import { frameTypes } from "../../src/journal/frame.ts";
import { SimulatedCa } from "../../src/simulate/simulated-ca.ts";
import {
  certificateFixtures,
  encodeCbor,
  encodeRecord,
  eventContext,
  eventsOfFrame,
  fixture,
  frameOf,
  type RecordParts,
} from "./exit-records.ts";
import { scaled } from "./scale.ts";
import { recordOf } from "./simulated-records.ts";

/** An event of test/fixtures/events. */
export function goldenEvent(name: string): CertwireEvent {
  const file = join("test", "fixtures", "events", `${name}.json`);
  return JSON.parse(readFileSync(file, "utf8")) as CertwireEvent;
}

/** The golden events, events of a simulated CA in both levels of detail, and events of every kind at odd values. */
export function eventsToMap(): readonly CertwireEvent[] {
  known ??= makeEvents();
  return known;
}

let known: readonly CertwireEvent[] | undefined;

function makeEvents(): CertwireEvent[] {
  const golden = readdirSync(join("test", "fixtures", "events")).map((name) =>
    goldenEvent(name.replace(/\.json$/, "")),
  );
  const whole = [...golden, ...simulated(), ...others(), everyName()];
  return [...whole, ...whole.flatMap(altered)].map(
    (event) => JSON.parse(JSON.stringify(event)) as CertwireEvent,
  );
}

function simulated(): CertwireEvent[] {
  const ca = new SimulatedCa({ seed: "mappings", now: () => new Date(Date.UTC(2026, 0, 5)) });
  const count = scaled(40, { least: 40 });
  const records = [ca.started(), ...Array.from({ length: count }, () => ca.next()), ca.stopped()];
  return (["standard", "full"] as const).flatMap((detail) =>
    records.flatMap((record) => eventsOf(recordOf(record), detail)),
  );
}

function eventsOf(parts: RecordParts, detail: "standard" | "full" = "standard"): CertwireEvent[] {
  return [...eventsOfFrame(frameOf(encodeRecord(parts)), eventContext({ detail }))];
}

function others(): CertwireEvent[] {
  const request = { RequestID: 1, RequesterName: "no-domain", Disposition: 21, RevokedReason: 6 };
  const records = [
    ...certificateFixtures.map((name) => ({
      request,
      event: 8,
      certificate: { RawCertificate: fixture(name) },
    })),
    { event: 8, request: { ...request, Disposition: 20, RevokedReason: -1 } },
    { event: 4, request: { RequestID: 2, Disposition: 30, StatusCode: -2146877420 } },
    { event: 0x200, request: { RequestID: 3 } },
    { event: 0x4000 },
    { event: 0x10, request: { RequestID: 4, RequesterName: "CONTOSO\\" } },
    { event: 0x20, crls: [[0, 0, fixture("base-crl")]] },
  ];
  const gap = {
    reason: "corrupt",
    count: 2n ** 60n,
    firstTime: 134_168_400_001_234_567n,
    lastTime: 134_168_400_001_234_568n,
  };
  return [
    ...records.flatMap((record) => eventsOf(record)),
    ...changedCa(),
    ...eventsOfFrame(frameOf(encodeCbor(gap), { type: frameTypes.gap }), eventContext()),
  ];
}

/** What a CA says that has another certificate than before. */
function changedCa(): CertwireEvent[] {
  const context = eventContext();
  return ["ca-rsa", "ca-ecdsa"].flatMap((name, at) => {
    const payload = encodeRecord({ event: 0x80, ca: { RawCACertificate: fixture(name) } });
    return [...eventsOfFrame(frameOf(payload, { sequence: BigInt(at + 1) }), context)];
  });
}

/** An event with the parts of names, and what the client says about itself, that the others do not have. */
function everyName(): CertwireEvent {
  const golden = goldenEvent("certificate.issued");
  const certificate = golden.data["certificate"] as { readonly subject: object };
  const name = { ...certificate.subject, emailAddress: ["pki@contoso.com"] };
  const clientInfo = { machineName: "ws7.contoso.com", userName: "CONTOSO\\alice" };
  const named = { ...certificate, subject: name, issuer: name };
  return { ...golden, data: { ...golden.data, certificate: named, requested: { clientInfo } } };
}

const redactions = [
  { remove: [], hash: ["request.requesterName", "certificate.subject.commonName"] },
  { remove: ["certificate", "requested", "request.requesterName"], hash: [] },
].map((options) => new Redactor({ key: "0123456789abcdef0123456789abcdef", ...options }));

/** The event as redacted, made smaller, and replayed. */
function altered(event: CertwireEvent): CertwireEvent[] {
  return [
    ...redactions.map((redactor) => redactor.redact(event)),
    shrinkEvent(event, 900),
    { ...event, replayed: true },
  ];
}
