import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCertificate } from "../../../src/x509/certificate.ts";
import { certificate, der, extension, extensions, oid, text } from "../../support/build-der.ts";

const [san, ntdsSecurity] = ["2.5.29.17", "1.3.6.1.4.1.311.25.2"];
const [alice, bob] = ["S-1-5-21-3623811015-3361044348-30300820-1013", "S-1-5-21-1-2-3-500"];

const tagged = (sid: string) => text(0x86, `tag:microsoft.com,2022-09-14:sid:${sid}`);
const inUri = (...sids: string[]) => extension(san, der(0x30, ...sids.map(tagged)));
const inExtension = (...sids: string[]) => {
  const names = sids.map((sid) =>
    der(0xa0, oid("1.3.6.1.4.1.311.25.2.1"), der(0xa0, text(0x04, sid))),
  );
  return extension(ntdsSecurity, der(0x30, ...names));
};

function sidsOf(...members: Buffer[]) {
  const { certificate: found, problems } = parseCertificate(certificate([extensions(...members)]));
  const { sid, sidSource, otherSids } = found;
  return {
    sids: { sid, sidSource, otherSids },
    problems: problems.map(({ part, reason }) => `${part}: ${reason}`),
    uris: found.subjectAlternativeNames?.uri,
  };
}

test("the SID of the extension says so", () => {
  assert.deepEqual(sidsOf(inExtension(alice)), {
    sids: { sid: alice, sidSource: "extension", otherSids: undefined },
    problems: [],
    uris: undefined,
  });
});

test("the SID of a URI says so, and the URI stays among the names", () => {
  assert.deepEqual(sidsOf(inUri(alice)), {
    sids: { sid: alice, sidSource: "subjectAltName", otherSids: undefined },
    problems: [],
    uris: [`tag:microsoft.com,2022-09-14:sid:${alice}`],
  });
});

test("the same SID in both places is one, of the extension", () => {
  for (const members of [
    [inUri(alice), inExtension(alice)],
    [inExtension(alice), inUri(alice)],
  ]) {
    const { sids, problems } = sidsOf(...members);
    assert.deepEqual(sids, { sid: alice, sidSource: "extension", otherSids: undefined });
    assert.deepEqual(problems, []);
  }
});

test("of two SIDs that of the extension counts, wherever it stands, and the other one is named", () => {
  const expected = { sid: alice, sidSource: "extension", otherSids: [bob] };
  const first = sidsOf(inUri(bob), inExtension(alice));
  assert.deepEqual(first.sids, expected);
  assert.deepEqual(first.problems, [`${ntdsSecurity}[0]: more than one SID`]);
  const last = sidsOf(inExtension(alice), inUri(bob));
  assert.deepEqual(last.sids, expected);
  assert.deepEqual(last.problems, [`${san}: more than one SID`]);
});

test("more than one SID in a place is named, and each is there", () => {
  const { sids, problems } = sidsOf(inUri(alice, bob));
  assert.deepEqual(sids, { sid: alice, sidSource: "subjectAltName", otherSids: [bob] });
  assert.deepEqual(problems, [`${san}: more than one SID`]);
});

test("a URI with something else than a SID is named; another tag is only a URI", () => {
  const { sids, problems } = sidsOf(inUri(`${alice}x`));
  assert.equal(sids.sid, undefined);
  assert.deepEqual(problems, [`${san}: a URI of a SID has no SID`]);
  const other = text(0x86, `tag:example.com,2022-09-14:sid:${alice}`);
  const plain = sidsOf(extension(san, der(0x30, other)));
  assert.equal(plain.sids.sid, undefined);
  assert.deepEqual(plain.problems, []);
});

const guidName = (value: Buffer) => der(0xa0, oid("1.3.6.1.4.1.311.25.1"), der(0xa0, value));
const guidOctets = Buffer.from("33221100554477668899aabbccddeeff", "hex");

test("the GUID of a domain controller is in the form of Windows", () => {
  const chunked = der(
    0x24,
    der(0x04, guidOctets.subarray(0, 5)),
    der(0x04, guidOctets.subarray(5)),
  );
  for (const value of [der(0x04, guidOctets), chunked]) {
    const names = der(0x30, guidName(value), text(0x82, "dc1.contoso.com"));
    const parsed = parseCertificate(certificate([extensions(extension(san, names))]));
    assert.deepEqual(parsed.certificate.subjectAlternativeNames, {
      dsObjectGuid: ["00112233-4455-6677-8899-aabbccddeeff"],
      dns: ["dc1.contoso.com"],
    });
    assert.deepEqual(parsed.problems, []);
  }
});

test("what is not a GUID is named, and shown as it is", () => {
  for (const value of [der(0x04, guidOctets.subarray(1)), text(0x0c, "00112233")]) {
    const names = der(0x30, guidName(value));
    const parsed = parseCertificate(certificate([extensions(extension(san, names))]));
    assert.deepEqual(parsed.certificate.subjectAlternativeNames, {
      other: [{ type: "1.3.6.1.4.1.311.25.1", der: value.toString("base64") }],
    });
    assert.deepEqual(parsed.problems, [
      { part: `${san}[0]`, reason: "DS object GUID is not an OCTET STRING of 16 octets" },
    ]);
  }
});
