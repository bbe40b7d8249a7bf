import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { type ParsedCertificate, parseCertificate } from "../../../src/x509/certificate.ts";
import { certificateFixtures, fixture } from "../../support/exit-records.ts";

function parsed(name: string): ParsedCertificate {
  const { certificate, problems } = parseCertificate(fixture(name));
  assert.deepEqual(problems, []);
  return certificate;
}

/** A name as node shows it (one line for each part, in the order of the DER), in RFC 4514 order. */
function rfc4514(nodeName: string | undefined): string {
  return (nodeName ?? "")
    .split("\n")
    .toReversed()
    .map((part) => part.replaceAll(" + ", "+").replace("emailAddress=", "E="))
    .join(",");
}

const colonless = (hex: string) => hex.replaceAll(":", "").toLowerCase();

for (const name of certificateFixtures) {
  const node = new X509Certificate(fixture(name));

  test(`names, serial number, times and fingerprints of ${name} are those of node`, () => {
    const certificate = parsed(name);
    assert.equal(certificate.serialNumber, node.serialNumber);
    assert.equal(certificate.subject?.distinguishedName, rfc4514(node.subject));
    assert.equal(certificate.issuer?.distinguishedName, rfc4514(node.issuer));
    assert.equal(Date.parse(certificate.notBefore ?? ""), Date.parse(node.validFrom));
    assert.equal(Date.parse(certificate.notAfter ?? ""), Date.parse(node.validTo));
    assert.equal(certificate.fingerprints.sha1, colonless(node.fingerprint));
    assert.equal(certificate.fingerprints.sha256, colonless(node.fingerprint256));
  });

  test(`public key and extensions of ${name} are those of node`, () => {
    const { basicConstraints, extendedKeyUsage, publicKey, subjectAlternativeNames } = parsed(name);
    const details = node.publicKey.asymmetricKeyDetails;
    assert.equal(basicConstraints?.ca ?? false, node.ca);
    assert.deepEqual(
      extendedKeyUsage?.map(({ oid }) => oid),
      node.keyUsage,
    );
    assert.equal(publicKey?.bits, bitsOf(details));
    assert.equal(publicKey?.exponent, details?.publicExponent?.toString());
    for (const dns of subjectAlternativeNames?.dns ?? []) {
      assert.ok(node.subjectAltName?.includes(`DNS:${dns}`));
    }
  });
}

const curveBits: Record<string, number> = { prime256v1: 256, secp384r1: 384, secp521r1: 521 };

function bitsOf(details: { modulusLength?: number; namedCurve?: string } | undefined): number {
  return details?.modulusLength ?? curveBits[details?.namedCurve ?? ""] ?? 256;
}

test("the names of a certificate come apart by kind", () => {
  assert.deepEqual(parsed("ecdsa-v2-template").subjectAlternativeNames, {
    dns: ["host.contoso.com", "*.apps.contoso.com"],
    ip: ["192.0.2.17", "2001:db8::17", "::", "2001:db8:0:1:1:1:1:1"],
    email: ["alice@contoso.com"],
    uri: ["spiffe://contoso.com/host"],
    registeredId: ["1.2.3.4"],
    // openssl reads this section byte by byte, whence the broken letters.
    directoryName: ["CN=Alice,O=MÃ¼ller & SÃ¶hne,C=DE"],
    upn: ["alice@contoso.com"],
    other: [{ type: "1.2.3.4.5", der: Buffer.from("\x0c\x0esomething else").toString("base64") }],
  });
});

test("key usages, key purposes, template and SID of a Microsoft certificate are read", () => {
  const certificate = parsed("ecdsa-v2-template");
  assert.deepEqual(certificate.keyUsage, [
    "digitalSignature",
    "nonRepudiation",
    "dataEncipherment",
    "keyAgreement",
    "encipherOnly",
    "decipherOnly",
  ]);
  assert.deepEqual(certificate.extendedKeyUsage, [
    { oid: "1.3.6.1.5.5.7.3.2", name: "clientAuth" },
    { oid: "1.3.6.1.5.5.7.3.4", name: "emailProtection" },
    { oid: "1.3.6.1.4.1.311.20.2.2", name: "smartCardLogon" },
    { oid: "1.2.3.4.5" },
  ]);
  assert.deepEqual(certificate.template, {
    oid: "1.3.6.1.4.1.311.21.8.1174692.16553431.10109582.10256707.16056698.204.1677771.1",
    majorVersion: 100,
    minorVersion: 7,
  });
  assert.equal(certificate.sid, "S-1-5-21-3623811015-3361044348-30300820-1013");
  assert.equal(certificate.version, 3);
  assert.deepEqual(certificate.signatureAlgorithm, {
    oid: "1.2.840.10045.4.3.3",
    name: "ECDSA-SHA384",
  });
  assert.deepEqual(certificate.publicKey?.algorithm, { oid: "1.2.840.10045.2.1", name: "EC" });
  assert.equal(certificate.publicKey?.curve, "P-256");
});

test("the template of a version 1 certificate is its name", () => {
  assert.deepEqual(parsed("rsa-v1-template").template, { name: "WebServer" });
});

test("the parts of a subject are lists in the order of the certificate", () => {
  const { subject, issuer } = parsed("rsa-v1-template");
  assert.deepEqual(subject, {
    distinguishedName:
      "CN=www.contoso.com,OU=Ops+OU=Web,O=Contoso\\, Inc.,L=Redmond,ST=Washington,C=US",
    country: ["US"],
    stateOrProvince: ["Washington"],
    locality: ["Redmond"],
    organization: ["Contoso, Inc."],
    organizationalUnit: ["Ops", "Web"],
    commonName: ["www.contoso.com"],
  });
  assert.equal(issuer?.distinguishedName, "CN=Contoso Issuing CA 1,DC=contoso,DC=com");
  assert.deepEqual(issuer?.domainComponent, ["com", "contoso"]);
});

test("a CA certificate shows its path length and both key identifiers", () => {
  const ca = parsed("ca-rsa");
  assert.deepEqual(ca.basicConstraints, { ca: true, pathLength: 1 });
  const { authorityKeyIdentifier } = parsed("rsa-v1-template");
  assert.match(ca.subjectKeyIdentifier ?? "", /^[0-9a-f]{40}$/);
  assert.equal(authorityKeyIdentifier, ca.subjectKeyIdentifier);
});

test("the hash of a public key is that of its SubjectPublicKeyInfo", async () => {
  const { createHash } = await import("node:crypto");
  const spki = new X509Certificate(fixture("ca-rsa")).publicKey.export({
    type: "spki",
    format: "der",
  });
  assert.equal(parsed("ca-rsa").publicKey?.sha256, createHash("sha256").update(spki).digest("hex"));
});
