import assert from "node:assert/strict";
import { createPublicKey, verify, X509Certificate } from "node:crypto";
import { test } from "node:test";
import type { DistinguishedName } from "../../../src/simulate/distinguished-name.ts";
import { SeededRandom } from "../../../src/simulate/seeded-random.ts";
import {
  createEcKey,
  createRsaKey,
  createRsaKeys,
  type SigningKey,
} from "../../../src/simulate/signing-key.ts";
import { buildCertificate, buildCrl, buildRequest } from "../../../src/simulate/x509-builder.ts";
import * as extensions from "../../../src/simulate/x509-extensions.ts";

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
          { upn: "zoe@corp.example" },
          { registeredId: "1.2.3.4" },
          { directory: [["CN", "ws-1"]] },
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
    assert.match(certificate.subjectAltName ?? "", /UPN:zoe@corp\.example/);
    assert.deepEqual(certificate.keyUsage, ["1.3.6.1.5.5.7.3.1"]);
    assert.equal(certificate.publicKey.asymmetricKeyType, key.kind);
  });
}

test("a request carries its own key and a signature made with it", () => {
  for (const key of Object.values(keys)) {
    const request = buildRequest(
      { subject: issuer, extensions: [extensions.subjectAltName([{ dns: "a.example" }])] },
      key,
    );
    const { body, signature } = signedParts(request);
    const publicKey = createPublicKey({ key: key.publicKeyInfo, format: "der", type: "spki" });
    assert.ok(verify(hashOf(key), body, publicKey, signature));
    assert.ok(body.includes(key.publicKeyInfo));
  }
});

test("a delta CRL holds its number, the number of its base and its entries", () => {
  const crl = buildCrl(
    {
      issuer,
      thisUpdate: new Date("2026-01-01T00:00:00Z"),
      nextUpdate: new Date("2026-01-02T00:00:00Z"),
      entries: [{ serialNumber: "61aa", revokedAt: new Date("2026-01-01T00:00:00Z"), reason: 1 }],
      extensions: [extensions.crlNumber(300), extensions.deltaCrlIndicator(298)],
    },
    rsa,
  );
  const { body, signature } = signedParts(crl);
  const publicKey = createPublicKey({ key: rsa.publicKeyInfo, format: "der", type: "spki" });
  assert.ok(verify("sha256", body, publicKey, signature));
  assert.ok(body.includes(Buffer.from("0603551d1404040202012c", "hex")), "CRL number 300");
  assert.ok(body.includes(Buffer.from("0603551d1b0101ff04040202012a", "hex")), "base number 298");
  assert.ok(body.includes(Buffer.from("020261aa", "hex")), "serial number");
  assert.ok(body.includes(Buffer.from("0603551d1504030a0101", "hex")), "reason 1");
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

function hashOf(key: SigningKey): string {
  return key.bits === 384 ? "sha384" : "sha256";
}

/** Splits SEQUENCE { body, algorithm, BIT STRING } by hand. */
function signedParts(bytes: Buffer): { body: Buffer; signature: Buffer } {
  const outer = elementAt(bytes, 0);
  const body = elementAt(bytes, outer.contentStart);
  const algorithm = elementAt(bytes, body.end);
  const signature = elementAt(bytes, algorithm.end);
  assert.equal(signature.end, bytes.length);
  return {
    body: bytes.subarray(outer.contentStart, body.end),
    signature: bytes.subarray(signature.contentStart + 1, signature.end),
  };
}

function elementAt(bytes: Buffer, start: number): { contentStart: number; end: number } {
  const first = bytes.readUInt8(start + 1);
  const lengthSize = first < 0x80 ? 0 : first & 0x7f;
  const length = lengthSize === 0 ? first : bytes.readUIntBE(start + 2, lengthSize);
  const contentStart = start + 2 + lengthSize;
  return { contentStart, end: contentStart + length };
}
