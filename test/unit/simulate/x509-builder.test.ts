import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createPublicKey, X509Certificate } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { DistinguishedName } from "../../../src/simulate/distinguished-name.ts";
import { SeededRandom } from "../../../src/simulate/seeded-random.ts";
import {
  createEcKey,
  createRsaKey,
  createRsaKeys,
  type SigningKey,
} from "../../../src/simulate/signing-key.ts";
import {
  buildCertificate,
  buildCrl,
  buildRequest,
  type CrlContent,
  type CrlEntry,
} from "../../../src/simulate/x509-builder.ts";
import * as extensions from "../../../src/simulate/x509-extensions.ts";
import { encodeName } from "../../../src/simulate/x509-name.ts";
import { makeTempDirectory } from "../../integration/support/temp-directory.ts";

const issuer: DistinguishedName = [
  ["CN", "Corp Issuing CA 1"],
  ["DC", "corp"],
  ["DC", "example"],
];
const random = new SeededRandom("x509-builder test");
const rsa = createRsaKey(random, 1024);
const keys: Record<string, SigningKey> = {
  "RSA 1024": rsa,
  "ECDSA P-256": createEcKey(random, "P-256"),
  "ECDSA P-384": createEcKey(random, "P-384"),
  "ECDSA P-521": createEcKey(random, "P-521"),
};

function certificateOf(subjectKey: SigningKey, issuerKey: SigningKey): Buffer {
  return buildCertificate(
    {
      serialNumber: "6100000002a3d4e0b9d1b9e4b7000000000002",
      issuer,
      subject: [
        ["E", "zoe@corp.example"],
        ["CN", "Zoë Brandt"],
      ],
      notBefore: new Date("2026-01-02T03:04:05Z"),
      notAfter: new Date("2051-01-02T03:04:05Z"),
      publicKeyInfo: subjectKey.publicKeyInfo,
      extensions: [
        extensions.subjectKeyIdentifier(subjectKey.keyIdentifier),
        extensions.authorityKeyIdentifier(issuerKey.keyIdentifier),
        extensions.keyUsage(["digitalSignature", "keyEncipherment"]),
        extensions.extendedKeyUsage(["1.3.6.1.5.5.7.3.1"]),
        extensions.subjectAltName([
          { dns: "ws-1.corp.example" },
          { email: "zoe@corp.example" },
          { uri: "urn:device:1" },
          { ip: [192, 0, 2, 7] },
          { ip: [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7] },
          { upn: "zoe@corp.example" },
          { registeredId: "1.2.3.4" },
          { directory: [["CN", "ws-1"]] },
          { otherName: { oid: "1.2.3", value: Buffer.from("0403010203", "hex") } },
        ]),
        extensions.template("1.3.6.1.4.1.311.21.8.1.2.3", 100, 4),
        extensions.securityIdentifier("S-1-5-21-1-2-3-1104"),
        extensions.crlDistributionPoint(["http://pki.corp.example/ca.crl"]),
        extensions.authorityInformationAccess({ issuers: ["http://pki.corp.example/ca.crt"] }),
      ],
    },
    issuerKey,
  );
}

for (const [name, key] of Object.entries(keys)) {
  test(`a certificate signed with ${name} parses and verifies`, () => {
    const certificate = new X509Certificate(certificateOf(key, key));
    const publicKey = createPublicKey({ key: key.publicKeyInfo, format: "der", type: "spki" });
    assert.ok(certificate.verify(publicKey));
    assert.equal(certificate.serialNumber, "6100000002A3D4E0B9D1B9E4B7000000000002");
    assert.equal(certificate.subject, "CN=Zoë Brandt\nemailAddress=zoe@corp.example");
    assert.equal(certificate.validFrom, "Jan  2 03:04:05 2026 GMT");
    assert.equal(certificate.validTo, "Jan  2 03:04:05 2051 GMT");
    assert.match(certificate.subjectAltName ?? "", /DNS:ws-1\.corp\.example, email:zoe@/);
    assert.match(certificate.subjectAltName ?? "", /IP Address:192\.0\.2\.7/);
    assert.match(certificate.subjectAltName ?? "", /IP Address:2001:DB8:0:0:0:0:0:7/);
    assert.match(certificate.subjectAltName ?? "", /UPN:zoe@corp\.example/);
    assert.deepEqual(certificate.keyUsage, ["1.3.6.1.5.5.7.3.1"]);
    assert.equal(certificate.publicKey.asymmetricKeyType, key.kind);
  });
}

/** Runs OpenSSL on DER; returns what it printed, on both outputs. */
function openssl(command: string, der: Buffer, ...words: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(
    "openssl",
    [command, "-inform", "DER", "-noout", "-text", ...words],
    { input: der, encoding: "utf8" },
  );
  if (error) throw error;
  assert.equal(status, 0, stderr);
  return `${stderr}${stdout}`;
}

for (const [name, key] of Object.entries(keys)) {
  test(`OpenSSL accepts a request with ${name}: signature, names and attributes`, () => {
    const content = {
      subject: issuer,
      extensions: [
        extensions.template("1.3.6.1.4.1.311.21.8.7", 100, 4),
        extensions.subjectAltName([{ dns: "a.example" }]),
      ],
      osVersion: "10.0.20348.2",
      challengePassword: "secret",
    };
    const request = buildRequest(content, key);
    assert.ok(request.includes(key.publicKeyInfo));
    const text = openssl("req", request, "-verify");
    assert.match(text, /self-signature verify OK/);
    assert.match(text, /Subject: DC = example, DC = corp, CN = Corp Issuing CA 1/);
    assert.match(text, /challengePassword\s*:secret/);
    assert.match(text, /1\.3\.6\.1\.4\.1\.311\.13\.2\.3\s*:10\.0\.20348\.2/);
    assert.match(text, /DNS:a\.example/);
  });

  test(`OpenSSL accepts a CRL with ${name}: signature, entries and numbers`, () => {
    const constraints = { serialNumber: "01", issuer, subject: issuer, notBefore: early };
    const certificate = buildCertificate(
      {
        ...constraints,
        notAfter: new Date("2050-01-01T00:00:00Z"),
        publicKeyInfo: key.publicKeyInfo,
        extensions: [extensions.caConstraints(), extensions.keyUsage(["cRLSign"])],
      },
      key,
    );
    const file = join(makeTempDirectory("crl"), "ca.pem");
    writeFileSync(file, new X509Certificate(certificate).toString());
    const text = openssl("crl", buildCrl(crlOf(entries), key), "-CAfile", file);
    assert.match(text, /verify OK/);
    assert.match(text, /X509v3 CRL Number:\s+300/);
    assert.match(text, /X509v3 Delta CRL Indicator: critical\s+298/);
    assert.match(text, /Serial Number: 61AA\s+Revocation Date: Jan {2}1 00:00:00 2026 GMT\s+CRL/);
    assert.match(text, /Reason Code:\s+Key Compromise\s+Serial Number: FF01\s/);
    assert.match(text, /FF01\s+Revocation Date: Jun {2}1 12:00:00 2050 GMT\s+Signature/);
  });
}

const early = new Date("2026-01-01T00:00:00.999Z");
const entries: readonly CrlEntry[] = [
  { serialNumber: "61aa", revokedAt: early, reason: 1 },
  { serialNumber: "ff01", revokedAt: new Date("2050-06-01T12:00:00Z"), reason: 0 },
];

function crlOf(revoked: readonly CrlEntry[]): CrlContent {
  return {
    issuer,
    thisUpdate: early,
    nextUpdate: new Date("2026-01-02T00:00:00Z"),
    entries: revoked,
    extensions: [extensions.crlNumber(300), extensions.deltaCrlIndicator(298)],
  };
}

test("a CRL of entries that other CRLs had is that of new ones", () => {
  const more = { serialNumber: "07", revokedAt: early, reason: 6 };
  buildCrl(crlOf(entries), rsa);
  const all = [...entries.toReversed(), more];
  const fresh = all.map((entry) => ({ ...entry }));
  assert.deepEqual(buildCrl(crlOf(all), rsa), buildCrl(crlOf(fresh), rsa));
});

test("a CRL without entries has no empty list", () => {
  assert.match(openssl("crl", buildCrl(crlOf([]), rsa)), /No Revoked Certificates/);
});

test("the attributes of a request are in the order of their bytes, as DER requires", () => {
  const attributes = (challengePassword: string) => {
    const request = buildRequest(
      { subject: [], extensions: [], osVersion: "10.0.1.2", challengePassword },
      rsa,
    );
    const oids = { version: "060a2b060104018237 0d0203", password: "06092a864886f70d010907" };
    return Object.entries(oids)
      .map(([name, hex]) => ({ name, at: request.indexOf(hex.replace(" ", ""), "hex") }))
      .toSorted((a, b) => a.at - b.at)
      .map(({ name, at }) => (at < 0 ? "missing" : name));
  };
  assert.deepEqual(attributes("short"), ["password", "version"]);
  assert.deepEqual(attributes("a longer one than the version"), ["version", "password"]);
});

/** The lines of OpenSSL's text about a certificate, without the spaces around them. */
function linesAbout(list: readonly extensions.Extension[]): string[] {
  const fields = { serialNumber: "01", issuer, subject: issuer, notBefore: early };
  const notAfter = new Date("2050-01-01T00:00:00Z");
  const content = { ...fields, notAfter, publicKeyInfo: rsa.publicKeyInfo, extensions: list };
  const text = openssl("x509", buildCertificate(content, rsa));
  return text.split("\n").map((line) => line.trim());
}

/** What OpenSSL shows of the extension that it has this title for. */
function shown(list: readonly extensions.Extension[], title: string): string {
  const lines = linesAbout(list);
  const start = lines.findIndex((line) => line.startsWith(`${title}:`));
  assert.ok(start >= 0, lines.join("\n"));
  return lines.slice(start, start + 2).join("\n");
}

test("OpenSSL reads each extension as it was asked for", () => {
  const usages = [
    "digitalSignature",
    "nonRepudiation",
    "keyEncipherment",
    "dataEncipherment",
  ] as const;
  const names =
    "Digital Signature, Non Repudiation, Key Encipherment, Data Encipherment, Key Agreement, Certificate Sign, CRL Sign";
  const all = [...usages, "keyAgreement", "keyCertSign", "cRLSign"] as const;
  for (const [at, usage] of all.entries()) {
    const one = shown([extensions.keyUsage([usage])], "X509v3 Key Usage");
    assert.equal(one, `X509v3 Key Usage: critical\n${names.split(", ")[at]}`);
  }
  assert.match(shown([extensions.keyUsage(all)], "X509v3 Key Usage"), new RegExp(`${names}$`));
  const constraints = shown([extensions.caConstraints(0)], "X509v3 Basic Constraints");
  assert.equal(constraints, "X509v3 Basic Constraints: critical\nCA:TRUE, pathlen:0");
  const key = Buffer.from("00112233", "hex");
  const subjectKey = shown([extensions.subjectKeyIdentifier(key)], "X509v3 Subject Key Identifier");
  assert.match(subjectKey, /\n00:11:22:33$/);
  const authority = [extensions.authorityKeyIdentifier(key)];
  assert.match(shown(authority, "X509v3 Authority Key Identifier"), /\n(?:keyid:)?00:11:22:33$/);
  const policies = shown(
    [extensions.certificatePolicies(["1.2.3"])],
    "X509v3 Certificate Policies",
  );
  assert.match(policies, /\nPolicy: 1\.2\.3$/);
  const access = { issuers: ["http://a.example/1"], ocsp: ["http://b.example/2"] };
  const lines = linesAbout([extensions.authorityInformationAccess(access)]);
  assert.ok(lines.includes("CA Issuers - URI:http://a.example/1"), lines.join("\n"));
  assert.ok(lines.includes("OCSP - URI:http://b.example/2"), lines.join("\n"));
  const points = linesAbout([
    extensions.crlDistributionPoint(["http://a.example/c"], "freshestCrl"),
  ]);
  assert.ok(points.includes("X509v3 Freshest CRL:"), points.join("\n"));
  assert.ok(points.includes("URI:http://a.example/c"), points.join("\n"));
});

/** The bytes that the specifications of Microsoft demand, written by hand. */
const microsoft: readonly [name: string, extension: extensions.Extension, hex: string][] = [
  ["template", extensions.template("1.2.3", 100, 300), "300b06022a030201640202012c"],
  ["template name", extensions.templateName("Aé"), "1e04004100e9"],
  ["application policies", extensions.applicationPolicies(["1.2.3"]), "3006300406022a03"],
  ["CA version", extensions.caVersion(2, 1), "0203010002"],
  [
    "next publish time",
    extensions.nextPublish(new Date("2026-01-02T03:04:05.678Z")),
    `170d${Buffer.from("260102030405Z").toString("hex")}`,
  ],
  [
    "next publish time after 2049",
    extensions.nextPublish(new Date("2050-01-02T03:04:05Z")),
    `180f${Buffer.from("20500102030405Z").toString("hex")}`,
  ],
  [
    "security identifier",
    extensions.securityIdentifier("S-1-5"),
    "3017a015060a2b060104018237190201a0070405532d312d35",
  ],
];

for (const [name, { value }, hex] of microsoft) {
  test(`the ${name} has the bytes that the specification demands`, () => {
    assert.equal(value.toString("hex"), hex);
  });
}

test("half a surrogate pair in a name becomes the replacement character", () => {
  const name: DistinguishedName = [["CN", "a\ud800"]];
  assert.ok(encodeName(name).includes(Buffer.from("a\ufffd")));
});

test("the same seed gives the same keys and bytes, another seed others", () => {
  assert.deepEqual(certificateFrom("a"), certificateFrom("a"));
  assert.notDeepEqual(certificateFrom("a"), certificateFrom("b"));
});

test("each pair of primes gives one RSA key", () => {
  const made = createRsaKeys(new SeededRandom("pairs"), 512, 6);
  assert.equal(new Set(made.map((key) => key.publicKey.toString("hex"))).size, 6);
  for (const key of made) assert.equal(key.bits, 512);
});

function certificateFrom(seed: string): Buffer {
  const source = new SeededRandom(seed);
  const [key] = createRsaKeys(source, 1024, 1);
  return certificateOf(createEcKey(source, "P-256"), key!);
}
