import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { oidOctets } from "../../../src/x509/oid.ts";
import { redactRequest } from "../../../src/x509/redact-request.ts";
import { secretRequestAttributes } from "../../../src/x509/secret-attributes.ts";
import { isSecretName, mentionsSecret } from "../../../src/x509/secret-names.ts";
import { fixture } from "../../support/exit-records.ts";
import { scaled } from "../../support/scale.ts";

const secret = "correct-horse-battery";

const der = (tag: number, ...content: Buffer[]) => {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag, 0x82, body.length >> 8, body.length & 0xff]), body]);
};
const oid = (hex: string) =>
  Buffer.concat([Buffer.from([0x06, hex.length / 2]), Buffer.from(hex, "hex")]);
const bmp = (text: string) => der(0x1e, Buffer.from(text, "utf16le").swap16());

test("the challenge password of a PKCS#10 request is blanked and the rest stays", () => {
  const raw = fixture("challenge-request");
  const at = raw.indexOf(secret);
  assert.ok(at > 0);
  const redacted = redactRequest(raw);
  const expected = Buffer.from(raw);
  expected.fill("-", at, at + secret.length);
  assert.deepEqual(redacted, expected);
  assert.ok(raw.includes(secret), "the record itself is not touched");
});

test("a request without a secret stays as it is", () => {
  const raw = fixture("plain-request");
  assert.deepEqual(redactRequest(raw), raw);
});

test("the challenge password of a request inside PKCS#7 is blanked", () => {
  const raw = fixture("challenge-pkcs7");
  assert.ok(raw.includes(secret));
  const redacted = redactRequest(raw);
  assert.equal(redacted?.length, raw.length);
  assert.equal(redacted?.includes(secret), false);
});

/**
 * A CMC request around the PKCS#10 fixture, with a control of the given attribute. `wrap` makes the eContent of
 * the PKIData.
 */
function cmc(control: Buffer, wrap = (pkiData: Buffer) => der(0x04, pkiData)): Buffer {
  const tagged = der(0x30, Buffer.from([0x02, 1, 1]), control);
  const request = der(0xa0, Buffer.from([0x02, 1, 1]), fixture("challenge-request"));
  const pkiData = der(0x30, der(0x30, tagged), der(0x30, request), der(0x30), der(0x30));
  const content = der(0x30, oid("2b06010505070c02"), der(0xa0, wrap(pkiData)));
  const signedData = der(0x30, Buffer.from([0x02, 1, 3]), der(0x31), content, der(0x31));
  return der(0x30, oid("2a864886f70d010702"), der(0xa0, signedData));
}

test("secrets in the request and in the controls of a CMC message are blanked", () => {
  const pair = der(0x30, bmp("Challenge"), bmp(secret));
  const attributes = Buffer.concat([
    oid("2b060104018237 0d0201".replaceAll(" ", "")),
    der(0x31, pair),
  ]);
  const info = der(
    0x31,
    der(0x04, Buffer.from(`ccm=host&Expected-Challenge=${secret}`, "utf16le")),
  );
  const registration = Buffer.concat([oid("2b06010505070712"), info]);
  for (const control of [attributes, registration]) {
    const raw = cmc(control);
    const redacted = redactRequest(raw);
    assert.equal(redacted?.length, raw.length);
    for (const encoding of ["latin1", "utf16le"] as const) {
      assert.equal(redacted?.includes(Buffer.from(secret, encoding)), false);
      assert.equal(redacted?.includes(Buffer.from(secret, "utf16le").swap16()), false);
    }
  }
});

const pairOid = oid("2b0601040182370d0201");
const infoOid = oid("2b06010505070712");
const utf16 = (text: string) => Buffer.from(text, "utf16le");

/** True if the secret stands anywhere in the bytes, in any encoding. */
function showsSecret(bytes: Buffer): boolean {
  const forms = [Buffer.from(secret), utf16(secret), utf16(secret).swap16()];
  return forms.some((form) => bytes.includes(form));
}

test("the name of a secret is found however it is written", () => {
  for (const name of [
    "Chal%6cenge",
    "Chal%256cenge",
    "%43hallenge",
    "EXPECTED_challenge",
    "Ｃｈａｌｌｅｎｇｅ",
    "Password",
    "proxyPass-Word",
    "Passphrase",
    "client_secret",
  ]) {
    const info = der(0x31, der(0x04, utf16(`ccm=host&${name}=${secret}`)));
    const pair = der(0x31, der(0x30, bmp(name), bmp(secret)));
    for (const control of [Buffer.concat([infoOid, info]), Buffer.concat([pairOid, pair])]) {
      const raw = cmc(control);
      assert.ok(showsSecret(raw));
      const redacted = redactRequest(raw);
      assert.equal(redacted?.length, raw.length, name);
      assert.equal(showsSecret(redacted), false, name);
    }
  }
});

test("keys, tokens and proofs in a request are blanked", () => {
  for (const type of [
    "2b060104018237150d", // archived key
    "2b060104018237151c", // attestation challenge
    "2b0601040182371523", // answer to a challenge of SCEP
    "2b0601040182371528", // secret of a SCEP server
    "2b0601050507050101", // registration token
    "2b0601050507050102", // authenticator
    "2b06010505070703", // identity proof
    "2b0601050507070a", // decrypted proof of possession
    "2b06010505070717", // proof that links to a shared secret
    "2b06010505070721", // the same, version 2
    "2b06010505070722", // identity proof, version 2
  ]) {
    const raw = cmc(Buffer.concat([oid(type), der(0x31, der(0x04, Buffer.from(secret)))]));
    const redacted = redactRequest(raw);
    assert.equal(redacted?.length, raw.length, type);
    assert.equal(showsSecret(redacted), false, type);
  }
});

/** An element of indefinite length. */
const open = (tag: number, ...content: Buffer[]) =>
  Buffer.concat([Buffer.from([tag, 0x80]), ...content, Buffer.from([0, 0])]);

/** A CMC message in BER around the PKCS#10 fixture, its content in chunks of the given size. */
function berCmc(chunkBytes: number): Buffer {
  const request = der(0xa0, Buffer.from([0x02, 1, 1]), fixture("challenge-request"));
  const pkiData = der(0x30, der(0x30), der(0x30, request), der(0x30), der(0x30));
  const chunks: Buffer[] = [];
  for (let at = 0; at < pkiData.length; at += chunkBytes) {
    chunks.push(der(0x04, pkiData.subarray(at, at + chunkBytes)));
  }
  const content = open(0x30, oid("2b06010505070c02"), open(0xa0, open(0x24, ...chunks)));
  const signedData = open(0x30, Buffer.from([0x02, 1, 3]), der(0x31), content, der(0x31));
  return open(0x30, oid("2a864886f70d010702"), open(0xa0, signedData));
}

test("CMC in BER is blanked, wherever its chunks part the password and its OID", () => {
  for (let chunkBytes = 1; chunkBytes < 60; chunkBytes++) {
    const raw = berCmc(chunkBytes);
    const redacted = redactRequest(raw);
    assert.equal(redacted?.length, raw.length, `chunks of ${chunkBytes}`);
    // The chunks of the redacted copy, put together again.
    let whole = Buffer.alloc(0);
    let at = redacted.indexOf(Buffer.from([0x24, 0x80])) + 2;
    while (redacted[at] === 0x04) {
      const length = redacted.readUInt16BE(at + 2);
      whole = Buffer.concat([whole, redacted.subarray(at + 4, at + 4 + length)]);
      at += 4 + length;
    }
    assert.equal(showsSecret(whole), false, `chunks of ${chunkBytes}`);
    assert.ok(whole.includes(Buffer.from("-".repeat(secret.length))));
  }
});

test("line ends after a request do not withhold it", () => {
  const raw = Buffer.concat([fixture("challenge-request"), Buffer.from("\r\n")]);
  const redacted = redactRequest(raw);
  assert.equal(redacted?.length, raw.length);
  assert.equal(showsSecret(redacted), false);
});

test("name and value pairs other than a challenge stay", () => {
  const pair = der(0x30, bmp("CertificateTemplate"), bmp("WebServer"));
  const raw = cmc(Buffer.concat([oid("2b0601040182370d0201"), der(0x31, pair)]));
  assert.ok(redactRequest(raw)?.includes(pair));
});

test("secrets are blanked in wrapped DER that has more after it", () => {
  const pair = Buffer.concat([pairOid, der(0x31, der(0x30, bmp("Password"), bmp(secret)))]);
  const key = Buffer.concat([oid("2b060104018237150d"), der(0x31, der(0x04, Buffer.from(secret)))]);
  for (const control of [pair, key]) {
    for (const more of ["00", "0a", "3005"]) {
      const wrap = (data: Buffer) => der(0x04, data, Buffer.from(more, "hex"));
      const redacted = redactRequest(cmc(control, wrap));
      assert.ok(redacted, more);
      assert.equal(showsSecret(redacted), false, more);
    }
  }
});

test("a request with a secret where the walk does not come is left out", () => {
  for (const type of secretRequestAttributes.keys()) {
    const value = der(0x31, der(0x30, bmp("Password"), bmp(secret)));
    const attribute = der(0x30, der(0x06, oidOctets(type)), value);
    for (const hidden of [
      der(0x03, Buffer.from([0]), attribute),
      der(0x80, attribute),
      der(0x04, Buffer.from([0]), attribute),
      der(0x04, der(0x30), attribute),
      // Chunks of which none has the whole OID.
      der(0x23, ...[...attribute].map((byte) => der(0x03, Buffer.from([0, byte])))),
      der(0xa0, ...[...attribute].map((byte) => der(0x04, Buffer.from([byte])))),
      der(0x24, ...[0, ...attribute].map((byte) => der(0x04, Buffer.from([byte])))),
    ]) {
      const control = Buffer.concat([oid("2a0304"), der(0x31, hidden)]);
      assert.equal(redactRequest(cmc(control)), undefined, `${type} ${hidden[0]}`);
    }
  }
});

test("an OCTET STRING that only begins like a SEQUENCE does not withhold a request", () => {
  const hash = Buffer.from("3003ff0102deadbeefdeadbeefdeadbeefdeadbe", "hex");
  const raw = cmc(Buffer.concat([oid("2a0304"), der(0x31, der(0x04, hash))]));
  assert.ok(redactRequest(raw)?.includes(hash));
});

test("the OID of a secret inside a value that is blanked does not withhold a request", () => {
  const inner = der(0x30, oid("2a864886f70d010907"), der(0x31, der(0x0c, Buffer.from(secret))));
  const raw = cmc(Buffer.concat([oid("2b060104018237150d"), der(0x31, der(0x04, inner))]));
  const redacted = redactRequest(raw);
  assert.equal(redacted?.length, raw.length);
  assert.equal(showsSecret(redacted), false);
});

test("the name of a secret is found in wide letters in UTF-8", () => {
  const utf8 = (text: string) => der(0x0c, Buffer.from(text));
  for (const before of [der(0x02, Buffer.from([1])), Buffer.alloc(0)]) {
    for (const string of [utf8, bmp]) {
      const pair = der(0x31, der(0x30, before, string("Ｐａｓｓｗｏｒｄ"), utf8(secret)));
      const redacted = redactRequest(cmc(Buffer.concat([pairOid, pair])));
      assert.ok(redacted);
      assert.equal(showsSecret(redacted), false);
    }
  }
});

test("digits after the word, and any number of encodings, leave a name that of a secret", () => {
  for (const name of [
    "Password1",
    "password-02",
    "Chal%2525256cenge",
    `Ch%${"25".repeat(9)}61llenge`,
  ]) {
    assert.ok(isSecretName(name), name);
    assert.ok(mentionsSecret(`a=b&${name}=c`), name);
  }
  assert.ok(isSecretName("Ch%%36%31llenge"));
  for (const name of ["ChallengeType", "Password1st", "Chal%6xenge", "50%", "%"]) {
    assert.equal(isSecretName(name), false, name);
  }
});

test("accents, combining or not, leave a name that of a secret", () => {
  for (const name of [
    "Pa\u0301ssword",
    "P\u00e1ssword",
    "Cha\u0301\u0323llenge",
    "\u1e69ecret",
    `Pass${"\u0301\u0323".repeat(1000)}word`,
  ]) {
    assert.ok(isSecretName(name), name);
    assert.ok(mentionsSecret(`a=b&${name}=c`), name);
  }
});

test("what is not a request, or malformed, is left out", () => {
  const request = fixture("challenge-request");
  const cases = [
    Buffer.alloc(0),
    Buffer.from("hello"),
    request.subarray(0, -1),
    Buffer.concat([request, Buffer.from([0])]),
    fixture("ca-rsa"),
    // Netscape's form: public key and challenge, where a request has its version.
    der(
      0x30,
      der(0x30, der(0x30), der(0x16, Buffer.from(secret))),
      der(0x30),
      der(0x03, Buffer.alloc(2)),
    ),
    der(0x30, oid("2a864886f70d010701"), der(0xa0, der(0x04, request))),
  ];
  for (const raw of cases) assert.equal(redactRequest(raw), undefined);
});

test("a request nested without end is left out", () => {
  let nested = der(0x30);
  for (let depth = 0; depth < 100; depth++) nested = der(0x30, nested);
  const raw = der(0x30, oid("2a864886f70d010702"), der(0xa0, nested));
  assert.equal(redactRequest(raw), undefined);
});

test("a request with any byte changed never shows its whole secret and never throws", () => {
  const raw = fixture("challenge-request");
  const secretAt = raw.indexOf(secret);
  fc.assert(
    fc.property(fc.nat(raw.length - 1), fc.nat(255), (offset, value) => {
      const changed = Buffer.from(raw);
      changed[offset] = value;
      const redacted = redactRequest(changed);
      // A changed OID is another attribute, which cannot be known to be secret.
      const isAttributeType = offset < secretAt && offset >= secretAt - 15;
      if (!isAttributeType) assert.notEqual(redacted?.includes(secret), true);
    }),
    { numRuns: scaled(3000), examples: [[339, 11]] },
  );
});
