import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { encodeEvent } from "../../../src/events/outbound-event.ts";
import { certificateProperties } from "../../../src/events/properties.ts";
import { schemaDocuments } from "../../../src/events/schemas/documents.ts";
import { exitEvents } from "../../../src/exit/ca-codes.ts";
import type { SimulatedEvent } from "../../../src/native/addon.ts";
import { SimulatedCa } from "../../../src/simulate/simulated-ca.ts";
import { certificateParts } from "../../../src/x509/certificate-parts.ts";
import {
  eventContext,
  eventOf,
  fixture,
  oleDate,
  oleDateOf,
  type RecordParts,
} from "../../support/exit-records.ts";
import { recordOf } from "../../support/simulated-records.ts";

type Group = Readonly<Record<string, unknown>>;
type Problem = { readonly property: string; readonly reason: string };

const der = fixture("ecdsa-v2-template");
const parts = certificateParts(der);

/** The row of `ecdsa-v2-template` as a CA keeps it. */
function rowOf(): Record<string, unknown> {
  const issued = eventOf({ certificate: { RawCertificate: der } }).data["certificate"] as {
    serialNumber: string;
    notBefore: string;
    notAfter: string;
    subjectKeyIdentifier: string;
    subject: { distinguishedName: string; commonName: string[] };
    publicKey: { bits: number; algorithm: { oid: string } };
    template: { oid: string };
    fingerprints: { sha1: string };
  };
  const pairs = (hex: string) => hex.replaceAll(/(..)(?=.)/g, "$1 ");
  return {
    RequestID: 7,
    RawCertificate: der,
    CertificateHash: pairs(issued.fingerprints.sha1),
    CertificateTemplate: issued.template.oid,
    SerialNumber: issued.serialNumber.toLowerCase(),
    NotBefore: oleDate(issued.notBefore.replace("Z", ".640Z")),
    NotAfter: oleDate(issued.notAfter),
    SubjectKeyIdentifier: pairs(issued.subjectKeyIdentifier),
    RawPublicKey: parts.publicKey,
    RawPublicKeyAlgorithmParameters: parts.publicKeyParameters,
    PublicKeyLength: issued.publicKey.bits,
    PublicKeyAlgorithm: issued.publicKey.algorithm.oid,
    RawName: parts.subject,
    DistinguishedName: issued.subject.distinguishedName.replaceAll(",", ", "),
    CommonName: issued.subject.commonName.join("\n"),
  };
}

const row = rowOf();
const recordWith = (changes: Group = {}): RecordParts => ({
  request: { RequestID: 7 },
  certificate: { ...row, EnrollmentFlags: 0, ...changes },
});
const full = eventContext({ detail: "full" });
const columns = (event: { data: Group }) =>
  event.data["certificateProperties"] as Group | undefined;
const problems = (event: { data: Group }) => event.data["problems"] as Problem[];

test("columns that say what the certificate says are in full events only", () => {
  const standard = eventOf(recordWith());
  assert.deepEqual(columns(standard), { enrollmentFlags: [], enrollmentFlagsCode: 0 });
  assert.deepEqual(problems(standard), []);
  const whole = eventOf(recordWith(), full);
  assert.equal(Object.keys(columns(whole) ?? {}).length, Object.keys(row).length - 1 + 2);
  assert.deepEqual(problems(whole), []);
});

/** For each column a value that contradicts the certificate. */
const contradictions: Readonly<Record<string, unknown>> = {
  RequestID: 8,
  CertificateHash: "00 11",
  CertificateTemplate: "1.2.3",
  SerialNumber: "01",
  NotBefore: oleDate("2020-01-01T00:00:00.000Z"),
  NotAfter: oleDate("2020-01-01T00:00:00.000Z"),
  SubjectKeyIdentifier: "00",
  RawPublicKey: Buffer.from("00", "hex"),
  RawPublicKeyAlgorithmParameters: Buffer.from("0500", "hex"),
  PublicKeyLength: 1,
  PublicKeyAlgorithm: "1.2.3",
  RawName: Buffer.from("3000", "hex"),
  CommonName: "somebody else",
  UPN: "somebody@else.example",
};

for (const [name, value] of Object.entries(contradictions)) {
  test(`a column ${name} that contradicts the certificate stays, and is a conflict`, () => {
    const { key } = certificateProperties[name as keyof typeof certificateProperties];
    for (const context of [eventContext(), full]) {
      const event = eventOf(recordWith({ [name]: value }), context);
      assert.ok(key in (columns(event) ?? {}));
      assert.deepEqual(problems(event), [{ property: `certificate.${name}`, reason: "conflict" }]);
    }
  });
}

test("the distinguished name is compared whatever form and order it has", () => {
  const rsa = fixture("rsa-v1-template");
  const issued = eventOf({ certificate: { RawCertificate: rsa } }).data["certificate"] as {
    subject: { distinguishedName: string };
  };
  const attributes = issued.subject.distinguishedName.split(/(?<!\\),/);
  assert.ok(attributes.length > 1);
  const reversed = attributes.toReversed().join(", ");
  const quote = (text: string) => text.replaceAll(/=([^+]*)/g, '="$1"');
  const quoted = attributes.map(quote).join("\r\n");
  for (const DistinguishedName of [reversed, quoted]) {
    const event = eventOf({ certificate: { RawCertificate: rsa, DistinguishedName } });
    assert.equal(columns(event), undefined, DistinguishedName);
  }
  const other = reversed.replace(/=[^,]+/, "=evil");
  const event = eventOf({ certificate: { RawCertificate: rsa, DistinguishedName: other } });
  assert.deepEqual(columns(event), { distinguishedName: other });
  assert.deepEqual(problems(event), [
    { property: "certificate.DistinguishedName", reason: "conflict" },
  ]);
});

test("a column stays without a conflict where the certificate says nothing to compare it with", () => {
  const columnsOnly = {
    GivenName: "A",
    Title: "Dr",
    NotAfter: oleDateOf(Number.NaN),
    PublicKeyLength: "256",
    CertificateTemplate: "WebServer",
    DistinguishedName: "not a name",
  };
  const event = eventOf({ certificate: { RawCertificate: der, ...columnsOnly } });
  assert.deepEqual(
    problems(event).filter(({ reason }) => reason === "conflict"),
    [],
  );
  assert.deepEqual(columns(event), {
    givenName: "A",
    title: "Dr",
    certificateTemplate: "WebServer",
    distinguishedName: "not a name",
  });
  const { RawCertificate: _, ...planned } = row;
  const pending = eventOf({ event: 2, certificate: planned });
  assert.equal(Object.keys(columns(pending) ?? {}).length, Object.keys(row).length - 1);
});

test("of an extension that the certificate has, only who set it is said", () => {
  const [oid = "", own] = [...parts.extensions][0] ?? [];
  assert.ok(own);
  const value = der.subarray(own.start, own.end);
  const flags = 0x20000 + Number(own.critical);
  const entries = (list: unknown[][], context = eventContext()) =>
    eventOf({ certificate: { RawCertificate: der }, extensions: list }, context);
  const standard = entries([[oid, flags, value]]);
  assert.deepEqual(standard.data["extensions"], [{ oid, origin: "policy" }]);
  const [whole] = entries([[oid, flags, value]], full).data["extensions"] as Group[];
  assert.equal(whole?.["der"], value.toString("base64"));
  for (const [index, changed] of [
    [oid, flags, Buffer.from("3000", "hex")],
    [oid, flags ^ 1, value],
    [oid, flags | 2, value],
  ].entries()) {
    const event = entries([changed]);
    assert.equal((event.data["extensions"] as Group[])[0]?.["flags"], changed[1], `${index}`);
    assert.deepEqual(problems(event), [{ property: `extension.${oid}`, reason: "conflict" }]);
  }
  const others = entries([
    ["1.2.3", 2, Buffer.from("3000", "hex")],
    [oid, flags | 0x100, value],
  ]);
  const [absent, custom] = others.data["extensions"] as Group[];
  assert.equal(absent?.["der"], "MAA=");
  assert.equal(custom?.["flags"], flags | 0x100);
  assert.deepEqual(problems(others), []);
});

test("the CA's certificate is whole when the CA starts, and else its hash", () => {
  const raw = fixture("ca-rsa");
  const sha256 = createHash("sha256").update(raw).digest("hex");
  const ca = { RawCACertificate: raw, "RawCACertificate.1": raw };
  const base64 = raw.toString("base64");
  for (const event of Object.values(exitEvents)) {
    const { data } = eventOf({ event, ca });
    const { certificates, ...own } = data["ca"] as { certificates: Group[] } & Group;
    const isWhole = event === exitEvents.startup;
    assert.equal(own["rawCaCertificate"], isWhole ? base64 : undefined);
    assert.equal(own["certificateSha256"], sha256);
    const expected = { index: 1, certificateSha256: sha256 };
    assert.deepEqual(certificates, [
      isWhole ? { ...expected, rawCaCertificate: base64 } : expected,
    ]);
    const whole = eventOf({ event, ca }, full).data["ca"] as Group;
    assert.equal(whole["rawCaCertificate"], base64);
  }
});

test("the type and the process of the CA are in each event only if it is full, else where the CA starts", () => {
  for (const event of Object.values(exitEvents)) {
    for (const context of [eventContext(), full]) {
      const { ca, notify } = eventOf({ event, ca: { CAType: 1 } }, context).data as {
        ca: Group;
        notify: Group;
      };
      const isShown = event === exitEvents.startup || context === full;
      const type = isShown ? ["enterpriseSubordinate", 1, 4711] : [undefined, undefined, undefined];
      assert.deepEqual([ca["caType"], ca["caTypeCode"], notify["processId"]], type);
      assert.equal(notify["threadId"], 4712);
    }
  }
});

test("the request's columns stay unless they repeat what stands elsewhere in the event", () => {
  const list = "ccm:host\r\nChallenge:[redacted]\n";
  const request = { RequestAttributes: list, RawName: parts.subject, CommonName: "asked for" };
  const attributes = [
    ["Challenge", "[redacted]"],
    ["ccm", "host"],
  ];
  const record = { request, attributes, certificate: { RawCertificate: der } };
  assert.deepEqual(eventOf(record).data["request"], { commonName: "asked for" });
  const other = {
    request: { RequestAttributes: `${list}more:1`, RawName: Buffer.from("3001", "hex") },
    attributes,
    certificate: { RawCertificate: der },
  };
  const event = eventOf(other);
  assert.deepEqual(event.data["request"], { requestAttributes: `${list}more:1`, rawName: "MAE=" });
  assert.deepEqual(problems(event), []);
});

test("an empty name of the request and a second name of the CA say nothing", () => {
  const record = (names: Group) => ({
    event: 2,
    request: { RawName: Buffer.from("3000", "hex") },
    ca: { Name: "Contoso", ...names },
  });
  const event = eventOf(record({ SanitizedCAName: "Contoso" }));
  assert.equal(event.data["request"], undefined);
  assert.equal((event.data["ca"] as Group)["sanitizedCaName"], undefined);
  const other = eventOf(record({ SanitizedCAName: "Contoso!0021" }));
  assert.equal((other.data["ca"] as Group)["sanitizedCaName"], "Contoso!0021");
  assert.deepEqual(problems(other), []);
  const whole = eventOf(record({ SanitizedCAName: "Contoso" }), full);
  assert.equal((whole.data["ca"] as Group)["sanitizedCaName"], "Contoso");
  assert.deepEqual(whole.data["request"], { rawName: "MAA=" });
});

test("a standard event of an issued certificate is a good deal smaller, and has no conflict", (context) => {
  const ca = new SimulatedCa({ seed: "detail", now: () => new Date(Date.UTC(2026, 0, 5)) });
  const issued = Array.from({ length: 60 }, () => ca.next()).filter(
    ({ event }) => event === exitEvents.issued,
  );
  const sizeOf = (event: SimulatedEvent, detail: "standard" | "full") => {
    const built = eventOf(recordOf(event), eventContext({ detail }));
    assert.ok(problems(built).every(({ reason }) => reason !== "conflict"));
    // What was asked for is the same in both, and depends on the client.
    const { requested: _requested, ...data } = built.data;
    return encodeEvent({ ...built, data }).json.length;
  };
  const sizes = issued.map((event) => [sizeOf(event, "standard"), sizeOf(event, "full")] as const);
  const [standard, whole] = ([0, 1] as const).map((at) =>
    Math.round(sizes.reduce((sum, each) => sum + each[at], 0) / sizes.length),
  );
  context.diagnostic(`${standard} of ${whole} bytes, mean of ${sizes.length}`);
  const typical = sizes.filter(([, bytes]) => bytes <= 9600);
  assert.ok(typical.length > sizes.length / 4);
  for (const [bytes] of typical) assert.ok(bytes <= 5500, `${bytes} bytes`);
  for (const [bytes, all] of sizes) assert.ok(bytes < all * 0.62, `${bytes} of ${all} bytes`);
});

test("the schema says of each member in which level of detail it is", () => {
  const members = (schema: unknown): [string, Group][] => {
    if (typeof schema !== "object" || schema === null) return [];
    return Object.entries(schema).flatMap(([key, value]) =>
      key === "properties"
        ? [
            ...Object.entries(value as Record<string, Group>),
            ...Object.values(value as object).flatMap(members),
          ]
        : members(value),
    );
  };
  const issued = schemaDocuments().find(({ path }) => path.includes("certificate.issued"));
  const levels = members(issued?.content).map(
    ([name, schema]) => [name, schema["x-detail"]] as const,
  );
  assert.ok(levels.length > 150);
  for (const [name, level] of levels) assert.equal(typeof level, "string", name);
  assert.ok(
    levels.some(([name, level]) => name === "certificateHash" && String(level).startsWith("full")),
  );
});
