import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { parseRequest } from "../../../src/x509/certification-request.ts";
import {
  algorithm,
  certificate,
  der,
  extension,
  name,
  oid,
  text,
} from "../../support/build-der.ts";
import {
  attribute,
  bmp,
  chunked,
  clientInfo,
  cmc,
  control,
  dnsNames,
  integer,
  open,
  pair,
  pkcs10,
  pkiData,
  publicKey,
  signed,
  signer,
  tagged,
  types,
  utf8,
} from "../../support/build-request.ts";

function parsed(raw: Buffer) {
  const { request, problems } = parseRequest(raw);
  return { request, problems: problems.map(({ part, reason }) => `${part}: ${reason}`) };
}

function wellFormed(raw: Buffer) {
  const { request, problems } = parsed(raw);
  assert.deepEqual(problems, []);
  return request;
}

const renewed = certificate([]);
const provider = der(
  0x30,
  integer(2),
  bmp("Microsoft Software Key Storage Provider"),
  der(0x03, Buffer.alloc(1)),
);

test("the attributes that Windows writes are read", () => {
  const raw = pkcs10([
    attribute(types.osVersion, text(0x16, "10.0.20348.2")),
    attribute(types.csp, provider),
    clientInfo(9, "web01.contoso.com", "CONTOSO\\alice", "certreq.exe"),
    attribute(types.pair, pair(bmp("CertificateTemplate"), bmp("WebServer"))),
    attribute(types.renewalCertificate, renewed),
    attribute(types.microsoftExtensions, der(0x30, extension("1.3.6.1.4.1.311.20.2", bmp("User")))),
  ]);
  const { publicKey: _, subject: __, ...rest } = wellFormed(raw);
  assert.deepEqual(rest, {
    format: "pkcs10",
    osVersion: "10.0.20348.2",
    csp: "Microsoft Software Key Storage Provider",
    clientInfo: {
      clientId: "certReq",
      clientIdCode: 9,
      machineName: "web01.contoso.com",
      userName: "CONTOSO\\alice",
      processName: "certreq.exe",
    },
    attributes: [{ name: "CertificateTemplate", value: "WebServer" }],
    renewalCertificate: {
      serialNumber: "05",
      issuer: { distinguishedName: "CN=ca", commonName: ["ca"] },
      subject: { distinguishedName: "CN=x", commonName: ["x"] },
      sha256: createHash("sha256").update(renewed).digest("hex"),
    },
    template: { name: "User" },
  });
});

test("client info may lack its last fields, and its number need not be known", () => {
  const infoOf = (...fields: Buffer[]) =>
    wellFormed(pkcs10([attribute(types.clientInfo, der(0x30, ...fields))])).clientInfo;
  assert.deepEqual(infoOf(), {});
  assert.deepEqual(infoOf(utf8("host")), { machineName: "host" });
  assert.deepEqual(infoOf(der(0x02, Buffer.from([0x03, 0xe8]))), {
    clientId: "unknown",
    clientIdCode: 1000,
  });
});

test("several pairs in one value, in one attribute and in several attributes all count", () => {
  const one = (value: string) => pair(bmp(value), bmp(""));
  const raw = pkcs10([
    attribute(types.pair, der(0x30, one("a"), one("b")), one("c")),
    attribute(types.pair, one("d")),
  ]);
  const names = wellFormed(raw).attributes?.map((found) => found.name);
  assert.deepEqual(names, ["a", "b", "c", "d"]);
});

const issuerAndSerial = der(0x30, name(utf8("ca")), integer(5));
const addedTo = (type: string, value: Buffer) =>
  control(type, der(0x30, integer(0), der(0x30, integer(1)), value));

test("a CMC message: request, controls, signers and its certificate", () => {
  const raw = cmc({
    controls: [
      addedTo(types.addExtensions, der(0x30, dnsNames("added.contoso.com"))),
      addedTo(types.addAttributes, der(0x31, clientInfo(8, "pc", "CONTOSO\\agent", "mmc.exe"))),
      control(types.registrationInfo, der(0x04, Buffer.from("ccm=pc.contoso.com&rmd=zoë"))),
      control(types.archivedKey, der(0x04, Buffer.from("0102"))),
    ],
    requests: [
      tagged(
        pkcs10([
          attribute(
            types.extensionRequest,
            der(0x30, extension("2.5.29.15", der(0x03, Buffer.from([5, 0xa0])))),
          ),
        ]),
      ),
    ],
    certificates: [renewed],
    signers: [
      signer(der(0x80, Buffer.from("c0ffee", "hex"))),
      signer(
        issuerAndSerial,
        attribute("1.2.840.113549.1.9.3", oid(types.pkiData)),
        attribute(types.pair, pair(bmp("RequesterName"), bmp("CONTOSO\\bob"))),
      ),
    ],
  });
  const { publicKey: key, ...rest } = wellFormed(raw);
  assert.equal(key?.algorithm.name, "Ed25519");
  assert.deepEqual(rest, {
    format: "cmc",
    subject: { distinguishedName: "CN=x", commonName: ["x"] },
    subjectAlternativeNames: { dns: ["added.contoso.com"] },
    keyUsage: ["digitalSignature", "keyEncipherment"],
    clientInfo: {
      clientId: "enrollOnBehalfOf",
      clientIdCode: 8,
      machineName: "pc",
      userName: "CONTOSO\\agent",
      processName: "mmc.exe",
    },
    attributes: [
      { name: "RequesterName", value: "CONTOSO\\bob" },
      { name: "ccm", value: "pc.contoso.com" },
      { name: "rmd", value: "zoë" },
    ],
    otherAttributes: [{ oid: types.archivedKey, name: "archivedKey" }],
    signers: [
      { subjectKeyIdentifier: "c0ffee" },
      {
        serialNumber: "05",
        issuer: { distinguishedName: "CN=ca", commonName: ["ca"] },
        subject: { distinguishedName: "CN=x", commonName: ["x"] },
        sha256: createHash("sha256").update(renewed).digest("hex"),
      },
    ],
  });
});

test("registration info in UTF-16 is read as well", () => {
  const octets = Buffer.from("ccm=pc&rmd=zoë", "utf16le");
  const raw = cmc({
    controls: [control(types.registrationInfo, der(0x04, octets))],
    requests: [tagged(pkcs10([]))],
  });
  assert.deepEqual(wellFormed(raw).attributes, [
    { name: "ccm", value: "pc" },
    { name: "rmd", value: "zoë" },
  ]);
});

test("BER: indefinite lengths and chunks of any size change nothing", () => {
  const parts = { requests: [tagged(pkcs10([attribute(types.osVersion, text(0x16, "10.0"))]))] };
  const content = pkiData({
    ...parts,
    controls: [control(types.registrationInfo, chunked(Buffer.from("a=b"), 1))],
  });
  const expected = wellFormed(cmc(parts));
  for (const octets of [
    ...Array.from({ length: 60 }, (_, size) => chunked(content, size + 1)),
    open(0x24, chunked(content.subarray(0, 9), 4), der(0x04, content.subarray(9))),
  ]) {
    const data = open(
      0x30,
      integer(3),
      der(0x31),
      open(0x30, oid(types.pkiData), open(0xa0, octets)),
      open(0x31),
    );
    const raw = open(0x30, oid(types.signedData), open(0xa0, data));
    assert.deepEqual(wellFormed(raw), {
      ...expected,
      attributes: [{ name: "a", value: "b" }],
    });
  }
});

test("PKCS#7 1.5 has its content without an OCTET STRING", () => {
  const raw = signed(types.data, pkcs10([]));
  assert.equal(wellFormed(raw).subject?.distinguishedName, "CN=x");
  assert.equal(wellFormed(raw).format, "pkcs7");
});

test("a request in a message in a message is read, with the signers of each, the outermost first", () => {
  const key = (hex: string) => [signer(der(0x80, Buffer.from(hex, "hex")))];
  const inner = signed(types.data, der(0x04, pkcs10([])), { signers: key("02") });
  for (const outer of [
    cmc({ messages: [der(0x30, integer(2), inner)], signers: key("01") }),
    signed(types.data, der(0x04, inner), { signers: key("01") }),
  ]) {
    const request = wellFormed(outer);
    assert.equal(request.subject?.distinguishedName, "CN=x");
    assert.deepEqual(request.signers, [
      { subjectKeyIdentifier: "01" },
      { subjectKeyIdentifier: "02" },
    ]);
  }
});

test("a template of CRMF in CMC is read", () => {
  const key = Buffer.from(publicKey);
  key[0] = 0xa6;
  const names = der(0xa9, dnsNames("crmf.contoso.com"));
  const template = der(0x30, der(0xa5, name(utf8("crmf"))), key, names);
  const request = der(0xa1, der(0x30, integer(1), template, der(0x30)));
  const { publicKey: found, ...rest } = wellFormed(cmc({ requests: [request] }));
  assert.deepEqual(rest, {
    format: "cmc",
    subject: { distinguishedName: "CN=crmf", commonName: ["crmf"] },
    subjectAlternativeNames: { dns: ["crmf.contoso.com"] },
  });
  assert.deepEqual(found, wellFormed(pkcs10([])).publicKey);
});

test("of the form of Netscape the key is read, and not the challenge", () => {
  const keyAndChallenge = der(0x30, publicKey, text(0x16, "correct-horse-battery"));
  const raw = der(0x30, keyAndChallenge, algorithm, der(0x03, Buffer.alloc(2)));
  assert.deepEqual(wellFormed(raw), {
    format: "keygen",
    publicKey: wellFormed(pkcs10([])).publicKey,
  });
});

test("the same attribute in the request and around it is no problem, another one is", () => {
  const info = (user: string) => clientInfo(5, "pc", user, "a.exe");
  const around = (user: string) =>
    cmc({
      controls: [addedTo(types.addAttributes, der(0x31, info(user)))],
      requests: [tagged(pkcs10([info("alice")]))],
    });
  assert.equal(wellFormed(around("alice")).clientInfo?.userName, "alice");
  const { request, problems } = parsed(around("bob"));
  assert.equal(request.clientInfo?.userName, "bob");
  assert.deepEqual(problems, [`${types.clientInfo}: occurs twice; the first one counts`]);
});

test("an extension in two lists is named as in one", () => {
  const list = (value: string) =>
    der(0x30, extension("1.3.6.1.4.1.311.20.2", bmp(value)), dnsNames(`${value}.example`));
  const { request, problems } = parsed(
    pkcs10([
      attribute(types.extensionRequest, list("User")),
      attribute(types.microsoftExtensions, list("Admin")),
    ]),
  );
  assert.deepEqual(request.template, { name: "User" });
  assert.deepEqual(request.subjectAlternativeNames?.dns, ["User.example", "Admin.example"]);
  assert.deepEqual(problems, [
    "1.3.6.1.4.1.311.20.2: occurs twice; the first one counts",
    "2.5.29.17: occurs twice",
  ]);
});

test("of two requests the first one counts", () => {
  const other = pkcs10([], name(utf8("y")));
  const { request, problems } = parsed(cmc({ requests: [tagged(pkcs10([])), tagged(other)] }));
  assert.equal(request.subject?.distinguishedName, "CN=x");
  assert.deepEqual(problems, ["requests: more than one; the first one counts"]);
});

test("of two certificates for one signer none is taken", () => {
  const forged = certificate([], name(utf8("administrator")));
  const { request, problems } = parsed(
    cmc({
      requests: [tagged(pkcs10([]))],
      certificates: [forged, renewed],
      signers: [signer(issuerAndSerial)],
    }),
  );
  assert.deepEqual(request.signers, [
    { serialNumber: "05", issuer: { distinguishedName: "CN=ca", commonName: ["ca"] } },
  ]);
  assert.deepEqual(problems, ["signers[0]: more than one certificate is that of this signer"]);
});

test("what is malformed costs only itself", () => {
  const broken = Buffer.from([0x05, 0]);
  const cases: readonly (readonly [raw: Buffer, problem: string])[] = [
    [pkcs10([broken]), "attributes[0]: tag 0x05 where 0x30 is expected"],
    [pkcs10([attribute(types.clientInfo, der(0x30, broken))]), `${types.clientInfo}: not a string`],
    [pkcs10([attribute(types.osVersion)]), `${types.osVersion}: ends where an element is expected`],
    [
      pkcs10([attribute(types.osVersion, utf8("1"), utf8("2"))]),
      `${types.osVersion}: more than is expected`,
    ],
    [
      pkcs10([attribute(types.renewalCertificate, der(0x30))]),
      `${types.renewalCertificate}: certificate: ends where an element is expected`,
    ],
    [pkcs10([attribute(types.pair, broken)]), `${types.pair}[0]: tag 0x05 where 0x30 is expected`],
    [pkcs10([], undefined, broken), "attributes: element with tag 0x05 is not expected here"],
    [Buffer.concat([pkcs10([]), broken]), "request: bytes after the request"],
    [
      cmc({ controls: [broken], requests: [tagged(pkcs10([]))] }),
      "controls[0]: tag 0x05 where 0x30 is expected",
    ],
    [
      cmc({ signers: [broken], requests: [tagged(pkcs10([]))] }),
      "signers[0]: tag 0x05 where 0x30 is expected",
    ],
    [
      cmc({ certificates: [der(0x30)], signers: [broken], requests: [tagged(pkcs10([]))] }),
      "certificates[0]: certificate: ends where an element is expected",
    ],
    [
      cmc({ messages: [broken], requests: [tagged(pkcs10([]))] }),
      "messages[0]: tag 0x05 where 0x30 is expected",
    ],
    [
      cmc({ requests: [broken, tagged(pkcs10([]))] }),
      "requests[0]: request of another kind than PKCS#10 and CRMF",
    ],
  ];
  for (const [raw, problem] of cases) {
    const { request, problems } = parsed(raw);
    assert.ok(problems.includes(problem), `${problem}: ${problems.join()}`);
    assert.equal(request.subject?.distinguishedName, "CN=x", problem);
    assert.equal(request.publicKey?.bits, 256, problem);
  }
});

test("a bad subject hides neither key nor attributes", () => {
  const { request, problems } = parsed(
    pkcs10([attribute(types.osVersion, text(0x16, "10.0"))], text(0x05, "")),
  );
  assert.deepEqual(problems, ["subject: tag 0x05 where 0x30 is expected"]);
  assert.equal(request.osVersion, "10.0");
  assert.equal(request.publicKey?.bits, 256);
});

test("line ends after a request are no problem", () => {
  wellFormed(Buffer.concat([pkcs10([]), Buffer.from("\r\n")]));
});

test("what is not a request is named", () => {
  for (const [raw, problem] of [
    [Buffer.alloc(0), "request: ends where an element is expected"],
    [Buffer.from("hello"), "request: tag 0x68 where 0x30 is expected"],
    [der(0x30, oid(types.data)), `request: content ${types.data} is not signed data`],
    [cmc({}), "request: has no certification request"],
  ] as const) {
    assert.deepEqual(parsed(raw).problems, [problem]);
  }
});
