import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRequest } from "../../../src/x509/certification-request.ts";
import { secretRequestAttributes } from "../../../src/x509/secret-attributes.ts";
import { certificate, der, extension, name, oid, text } from "../../support/build-der.ts";
import {
  attribute,
  bmp,
  chunked,
  cmc,
  control,
  integer,
  pair,
  pkcs10,
  signed,
  signer,
  tagged,
  types,
  utf8,
} from "../../support/build-request.ts";

const secret = "correct-horse-battery";

/** All that an event would show of a request, octets of problems included. */
function shown(raw: Buffer) {
  const { request, problems } = parseRequest(raw);
  const octets = problems.flatMap((problem) => (problem.octets ? [problem.octets] : []));
  return { request, problems, json: JSON.stringify({ request, problems }), octets };
}

/** Fails if the secret is shown in any encoding. */
function assertHidden(raw: Buffer, what: string) {
  const found = shown(raw);
  const utf16 = Buffer.from(secret, "utf16le");
  for (const form of [Buffer.from(secret), utf16, Buffer.from(utf16).swap16()]) {
    for (const octets of found.octets) assert.equal(octets.includes(form), false, what);
    // Text of one encoding that is read as another one is shown as other characters.
    const even = form.subarray(0, form.length & ~1);
    const misread = [even.toString("utf16le"), Buffer.from(even).swap16().toString("utf16le")];
    const base64 = form.toString("base64").slice(0, 20);
    for (const visible of [secret, ...misread, form.toString("hex"), base64]) {
      assert.equal(found.json.includes(visible), false, what);
    }
  }
  return found;
}

test("the value of a secret attribute or control is never read, and its OID is named", () => {
  for (const [type, rule] of secretRequestAttributes) {
    if (rule !== "always") continue;
    for (const value of [utf8(secret), der(0x04, Buffer.from(secret)), der(0x30, bmp(secret))]) {
      for (const raw of [
        pkcs10([attribute(type, value)]),
        cmc({ controls: [control(type, value)], requests: [tagged(pkcs10([]))] }),
        cmc({
          requests: [tagged(pkcs10([]))],
          signers: [signer(der(0x80, Buffer.from([1])), attribute(type, value))],
        }),
      ]) {
        const { request, problems } = assertHidden(raw, type);
        assert.deepEqual(
          request.otherAttributes?.map((other) => other.oid),
          [type],
        );
        assert.deepEqual(problems, []);
      }
    }
  }
});

test("a pair with the name of a secret shows the name and no value", () => {
  const raw = pkcs10([
    attribute(
      types.pair,
      pair(bmp("Challenge"), bmp(secret)),
      pair(utf8("Ｐａｓｓｗｏｒｄ"), utf8(secret)),
      pair(bmp("note"), bmp(`password is ${secret}`)),
      pair(bmp(`password is ${secret}`), bmp("x")),
      pair(bmp("rmd"), bmp("dc1.contoso.com")),
    ),
  ]);
  const { request, problems } = assertHidden(raw, "pairs");
  assert.deepEqual(request.attributes, [
    { name: "Challenge", redacted: true },
    { name: "Ｐａｓｓｗｏｒｄ", redacted: true },
    { name: "note", redacted: true },
    { redacted: true },
    { name: "rmd", value: "dc1.contoso.com" },
  ]);
  assert.deepEqual(problems, []);
});

test("a pair whose strings have the wrong type shows no secret either", () => {
  const asBmp = (value: string) => der(0x1e, Buffer.from(value.padEnd(30, " ")));
  const asUtf16 = (tag: number, value: string) => der(tag, Buffer.from(value, "utf16le"));
  for (const one of [
    pair(asBmp("Password"), asBmp(secret)),
    pair(asBmp(`Password=${secret}`), asBmp("")),
    pair(asUtf16(0x0c, "Password"), asUtf16(0x0c, secret)),
    pair(asUtf16(0x1e, "Password"), asUtf16(0x1e, secret)),
    pair(asUtf16(0x0c, "Ｐａｓｓｗｏｒｄ"), asUtf16(0x0c, secret)),
    pair(utf8("Password"), der(0x0c, Buffer.from(`${secret}\xff`, "latin1"))),
    pair(utf8("Password"), der(0x2c, utf8(secret.slice(0, 4)), utf8(secret.slice(4)))),
  ]) {
    const { request } = assertHidden(pkcs10([attribute(types.pair, one)]), one.toString("hex"));
    assert.equal(request.attributes?.[0]?.redacted, true);
  }
});

test("what a client says about itself is left out where it mentions a secret, and so are its octets", () => {
  const command = `certreq.exe -attrib Challenge:${secret}`;
  const texts = [
    utf8(command),
    bmp(command),
    utf8(`P\u0301assword=${secret}`),
    utf8(`Password=${secret}\0`),
    text(0x0c, `Password=${secret}\xff`),
    text(0x16, `Password=${secret}\xff`),
    der(0x0c, Buffer.from(`Password=${secret} `, "utf16le")),
    der(0x0c, Buffer.from(`Ｐａｓｓｗｏｒｄ=${secret} `, "utf16le")),
    der(0x0c, Buffer.from(` Ｐａｓｓｗｏｒｄ=${secret}`, "utf16le").subarray(1)),
    der(0x0c, Buffer.from(`Ｐａｓｓｗｏｒｄ=${secret}`, "utf16le").swap16()),
    der(0x2c, utf8("Pass"), utf8(`word=${secret}`)),
    der(0x3e, ...Array.from(`Password=${secret}`, (character) => bmp(character))),
  ];
  const hidden = "has the name of a secret in it";
  for (const one of texts) {
    const info = der(0x30, integer(9), utf8("pc"), one, utf8("a.exe"));
    const raw = pkcs10([
      attribute(types.csp, der(0x30, integer(1), one, der(0x03, Buffer.from([0])))),
      attribute(types.osVersion, one),
      attribute(types.clientInfo, info),
    ]);
    const { request, problems } = assertHidden(raw, one.toString("hex"));
    assert.equal(request.csp, undefined);
    assert.equal(request.osVersion, undefined);
    assert.deepEqual(request.clientInfo, {
      clientId: "certReq",
      clientIdCode: 9,
      machineName: "pc",
      processName: "a.exe",
    });
    assert.deepEqual(
      problems,
      [types.csp, types.osVersion, types.clientInfo].map((part) => ({
        part,
        reason: hidden,
        isWithheld: true,
      })),
    );
  }
  const { request, problems } = shown(pkcs10([attribute(types.osVersion, utf8("10.0\0"))]));
  assert.equal(request.osVersion, "10.0\ufffd");
  assert.deepEqual(problems, [
    { part: types.osVersion, reason: "text has a U+0000", octets: Buffer.from("10.0\0") },
  ]);
});

test("registration info shows the names of secrets and no values, in any encoding", () => {
  const line = `ccm=pc&Challenge=${secret}&note=password ${secret}&x`;
  const utf16 = Buffer.from(line, "utf16le");
  const infoOf = (octets: Buffer) =>
    cmc({
      controls: [control(types.registrationInfo, chunked(octets, 7))],
      requests: [tagged(pkcs10([]))],
    });
  for (const octets of [Buffer.from(line), utf16]) {
    assert.deepEqual(assertHidden(infoOf(octets), "known encoding").request.attributes, [
      { name: "ccm", value: "pc" },
      { name: "Challenge", redacted: true },
      { name: "note", redacted: true },
      { name: "x", value: "" },
    ]);
  }
  const { problems } = assertHidden(infoOf(Buffer.from(utf16).swap16()), "other encoding");
  assert.deepEqual(problems, [
    {
      part: `${types.registrationInfo}[0]`,
      reason: "has the name of a secret in another encoding",
      isWithheld: true,
    },
  ]);
  assertHidden(infoOf(Buffer.from(`${line}\xff`, "latin1")), "not UTF-8");
});

test("a secret in a name is left out, and so is one in a value that is shown as it is", () => {
  const challenge = der(0x31, der(0x30, oid(types.challengePassword), utf8(secret)));
  const common = der(0x31, der(0x30, oid("2.5.4.3"), utf8("x")));
  const subject = assertHidden(pkcs10([], der(0x30, challenge, common)), "subject");
  assert.equal(subject.request.subject?.distinguishedName, "CN=x");
  assert.deepEqual(subject.problems, [
    {
      part: "subject[0][0]",
      reason: `the value of ${types.challengePassword} is a secret`,
      isWithheld: true,
    },
  ]);
  const hidden = attribute(types.challengePassword, utf8(secret));
  const inHex = der(0x30, der(0x31, der(0x30, oid("1.2.3.4"), hidden)));
  assertHidden(pkcs10([], inHex), "value in hex");
  for (const other of [
    der(0xa0, oid(types.challengePassword), der(0xa0, utf8(secret))),
    der(0xa0, oid("1.2.3.4"), der(0xa0, hidden)),
    der(0xa3, hidden),
  ]) {
    const names = der(0x30, extension("2.5.29.17", der(0x30, other, text(0x82, "a.example"))));
    const { request, problems } = assertHidden(
      pkcs10([attribute(types.extensionRequest, names)]),
      other.toString("hex"),
    );
    assert.deepEqual(request.subjectAlternativeNames, { dns: ["a.example"] });
    assert.equal(problems[0]?.isWithheld, true);
  }
});

const times = (count: number, make: (index: number) => Buffer) =>
  Array.from({ length: count }, (_, index) => make(index));

test("lists without end are cut, and the rest is counted", () => {
  const raw = cmc({
    controls: [
      control(types.pair, ...times(1000, (index) => pair(utf8(`n${index}`), utf8("")))),
      ...times(100, (index) => control(`1.2.3.${index}`)),
    ],
    requests: [tagged(pkcs10([]))],
    signers: times(100, (index) => signer(der(0x80, Buffer.from([index])))),
  });
  const { request, problems } = shown(raw);
  assert.equal(request.attributes?.length, 128);
  assert.equal(request.otherAttributes?.length, 32);
  assert.equal(request.signers?.length, 8);
  assert.ok(problems.length < 120, `${problems.length}`);
  for (const [part, rest] of [
    ["attributes", 1000 - 128 - 32],
    ["otherAttributes", 100 - 32 - 32],
    ["signers", 100 - 8 - 32],
  ] as const) {
    const reason = `${rest} more problems of this part are not named`;
    assert.ok(
      problems.some((problem) => problem.part === part && problem.reason === reason),
      part,
    );
  }
});

test("messages nested without end are left out", () => {
  let message = pkcs10([]);
  for (let depth = 0; depth < 100; depth++) message = signed(types.data, der(0x04, message));
  const { request, problems } = shown(message);
  assert.deepEqual(request, { format: "pkcs7" });
  assert.deepEqual(problems, [{ part: "request", reason: "more than 8 messages" }]);
});

test("chunks nested without end are left out", () => {
  let octets = der(0x04, pkcs10([]));
  for (let depth = 0; depth < 100; depth++) octets = der(0x24, octets);
  assert.deepEqual(shown(signed(types.data, octets)).problems, [
    { part: "request", reason: "nested too deeply" },
  ]);
});

test("no request of 64 KiB makes an event that is many times larger", () => {
  const bytes = 60_000;
  const broken = Buffer.from([0x05, 0]);
  const list = (make: (index: number) => Buffer) => times(Math.floor(bytes / make(0).length), make);
  const longName = name(utf8("x".repeat(bytes / 2)));
  const inTagged = (...attributes: Buffer[]) => cmc({ requests: [tagged(pkcs10(attributes))] });
  const nullAttribute = (index: number) => attribute(`1.2.3.${index}`, broken);
  const cases: Readonly<Record<string, Buffer>> = {
    "broken attributes": pkcs10(list(() => broken)),
    "unknown attributes": pkcs10(list(nullAttribute)),
    "broken values": pkcs10(list(() => attribute(types.osVersion, broken))),
    "broken extensions": pkcs10(list(() => attribute(types.extensionRequest, der(0x30, broken)))),
    "broken pairs": inTagged(attribute(types.pair, ...list(() => broken))),
    "broken controls": cmc({ controls: list(() => broken) }),
    "broken requests": cmc({ requests: list(() => broken) }),
    "many requests": cmc({ requests: list(() => tagged(pkcs10([]))) }),
    "many messages": cmc({ messages: list(() => der(0x30, integer(1), cmc({}))) }),
    "broken signers": cmc({ signers: list(() => broken) }),
    "many certificates": cmc({
      certificates: list(() => certificate([])),
      signers: [signer(der(0x80, Buffer.from([1])))],
    }),
    "one certificate for many signers": cmc({
      requests: [tagged(pkcs10([]))],
      certificates: [certificate([], longName)],
      signers: times(300, () => signer(der(0x30, name(utf8("ca")), integer(5)))),
    }),
    "subject in hex": pkcs10(
      [],
      der(0x30, ...list(() => der(0x31, der(0x30, oid("1.2.3"), broken)))),
    ),
  };
  for (const [what, raw] of Object.entries(cases)) {
    const { json } = shown(raw);
    assert.ok(json.length < 10 * raw.length, `${what}: ${json.length} of ${raw.length}`);
  }
});
