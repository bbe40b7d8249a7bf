import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { parseRequest } from "../../../src/x509/certification-request.ts";
import { fixture } from "../../support/exit-records.ts";

function wellFormed(raw: Buffer) {
  const { request, problems } = parseRequest(raw);
  assert.deepEqual(problems, []);
  return request;
}

const sid = "S-1-5-21-3623811015-3361044348-30300820-1013";

/** What test/fixtures/certificates/make.sh asks for; the key is random. */
const full = {
  subject: {
    distinguishedName: "CN=Alice,DC=contoso,DC=com",
    domainComponent: ["com", "contoso"],
    commonName: ["Alice"],
  },
  keyUsage: ["digitalSignature", "keyEncipherment"],
  extendedKeyUsage: [
    { oid: "1.3.6.1.5.5.7.3.2", name: "clientAuth" },
    { oid: "1.3.6.1.4.1.311.20.2.2", name: "smartCardLogon" },
  ],
  subjectAlternativeNames: {
    dns: ["web01.contoso.com"],
    upn: ["alice@contoso.com"],
    dsObjectGuid: ["00112233-4455-6677-8899-aabbccddeeff"],
    uri: [`tag:microsoft.com,2022-09-14:sid:${sid}`],
  },
  sid,
  sidSource: "subjectAltName",
  template: {
    oid: "1.3.6.1.4.1.311.21.8.1174692.16553431.10109582.10256707.16056698.204.1677771.1",
    majorVersion: 100,
    minorVersion: 7,
  },
  applicationPolicies: [{ oid: "1.3.6.1.5.5.7.3.2", name: "clientAuth" }],
};

test("a PKCS#10 request of openssl is read", () => {
  const { publicKey: key, subjectKeyIdentifier, ...rest } = wellFormed(fixture("full-request"));
  assert.deepEqual(rest, { format: "pkcs10", ...full });
  assert.deepEqual(key?.algorithm, { oid: "1.2.840.10045.2.1", name: "EC" });
  assert.equal(key?.curve, "P-384");
  assert.equal(key?.bits, 384);
  assert.match(subjectKeyIdentifier ?? "", /^[0-9a-f]{40}$/);
});

/** What node says of a certificate, in the form of a signer. */
function referenceTo(fixtureName: string, subject: object) {
  const node = new X509Certificate(fixture(fixtureName));
  return {
    serialNumber: node.serialNumber,
    issuer: {
      distinguishedName: "CN=Contoso Issuing CA 1,DC=contoso,DC=com",
      domainComponent: ["com", "contoso"],
      commonName: ["Contoso Issuing CA 1"],
    },
    subject,
    sha256: node.fingerprint256.replaceAll(":", "").toLowerCase(),
  };
}

const agent = referenceTo("agent", {
  distinguishedName: "CN=Agent,O=Contoso",
  organization: ["Contoso"],
  commonName: ["Agent"],
});

for (const form of ["full-pkcs7", "full-pkcs7-ber"]) {
  test(`${form}: the request in it, and its signer with the certificate`, () => {
    const { publicKey: _, subjectKeyIdentifier: __, ...rest } = wellFormed(fixture(form));
    assert.deepEqual(rest, { format: "pkcs7", ...full, signers: [agent] });
  });
}

test("signers that name only their keys are found among the certificates", () => {
  const secondAgent = referenceTo("second-agent", {
    distinguishedName: "CN=Second Agent,O=Contoso",
    organization: ["Contoso"],
    commonName: ["Second Agent"],
  });
  const signers = wellFormed(fixture("two-signers")).signers ?? [];
  const keys = signers.map(({ subjectKeyIdentifier }) => subjectKeyIdentifier);
  for (const key of keys) assert.match(key ?? "", /^[0-9a-f]{40}$/);
  assert.deepEqual(
    new Set(signers.map(({ sha256 }) => sha256)),
    new Set([agent.sha256, secondAgent.sha256]),
  );
  for (const { subjectKeyIdentifier: _, ...reference } of signers) {
    assert.deepEqual(reference, reference.sha256 === agent.sha256 ? agent : secondAgent);
  }
});
