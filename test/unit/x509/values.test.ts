import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type DerProblem, DerReport } from "../../../src/x509/der-report.ts";
import { type AlternativeNames, readGeneralNames } from "../../../src/x509/general-names.ts";
import { integerDecimal, integerHex } from "../../../src/x509/integer.ts";
import { readName } from "../../../src/x509/name.ts";
import { oidText as oidTextOf } from "../../../src/x509/oid.ts";
import { readPublicKey } from "../../../src/x509/public-key.ts";
import { DerError, DerReader } from "../../../src/x509/reader.ts";
import { timeText } from "../../../src/x509/time.ts";
import { der as longDer } from "../../support/build-der.ts";

const oidText = (content: Buffer) => oidTextOf(content, { start: 0, end: content.length });

const der = (tag: number, ...content: Buffer[]) => {
  const body = Buffer.concat(content);
  assert.ok(body.length < 128);
  return Buffer.concat([Buffer.from([tag, body.length]), body]);
};

test("OIDs are exact, also with arcs beyond 64 bits", () => {
  assert.equal(oidText(Buffer.from("2a864886f70d010101", "hex")), "1.2.840.113549.1.1.1");
  assert.equal(oidText(Buffer.from("8837", "hex")), "2.999");
  // 2.25 with a UUID of all ones as its arc.
  const uuid = Buffer.from("6983ffffffffffffffffffffffffffffffffff7f", "hex");
  assert.equal(oidText(uuid), `2.25.${2n ** 128n - 1n}`);
  for (const bad of ["", "2a86", "80".repeat(65), "55801d11", "80551d", "2a8001"]) {
    assert.throws(() => oidText(Buffer.from(bad, "hex")), DerError);
  }
});

test("serial numbers are upper-case hex of whole bytes without leading zero bytes", () => {
  const hex = (text: string) => integerHex(Buffer.from(text, "hex"));
  assert.deepEqual(["00", "0a", "00ff", "0000ff", "7fab"].map(hex), [
    "00",
    "0A",
    "FF",
    "FF",
    "7FAB",
  ]);
});

test("a negative serial number stays apart from the positive one with its octets", () => {
  const hex = (text: string) => integerHex(Buffer.from(text, "hex"));
  assert.deepEqual(["ff85a1", "00ff85a1", "ff", "80", "ff00"].map(hex), [
    "-7A5F",
    "FF85A1",
    "-01",
    "-80",
    "-0100",
  ]);
  assert.equal(integerDecimal(Buffer.from("ff85a1", "hex")), "-31327");
});

test("integers in decimal are exact", () => {
  assert.equal(
    integerDecimal(Buffer.from("00ffffffffffffffffff", "hex")),
    (2n ** 72n - 1n).toString(),
  );
  assert.throws(() => integerDecimal(Buffer.alloc(65, 1)), DerError);
  assert.throws(() => integerDecimal(Buffer.alloc(0)), DerError);
});

const time = (tag: number, text: string) => {
  const reader = new DerReader(der(tag, Buffer.from(text)));
  return timeText(reader, reader.next());
};

test("times of both kinds become RFC 3339", () => {
  assert.equal(time(0x17, "491231235959Z"), "2049-12-31T23:59:59Z");
  assert.equal(time(0x17, "500101000000Z"), "1950-01-01T00:00:00Z");
  assert.equal(time(0x18, "99991231235959Z"), "9999-12-31T23:59:59Z");
  assert.equal(time(0x17, "000229000000Z"), "2000-02-29T00:00:00Z");
});

test("a time with an offset is converted", () => {
  assert.equal(time(0x17, "250101003000+0100"), "2024-12-31T23:30:00Z");
  assert.equal(time(0x17, "500101000000-0130"), "1950-01-01T01:30:00Z");
  assert.equal(time(0x18, "20240301000000+0001"), "2024-02-29T23:59:00Z");
  for (const edge of ["99991231235959-0100", "00000101000000+0100"]) {
    assert.throws(() => time(0x18, edge), DerError, edge);
  }
});

test("times that do not exist, or not in the form of RFC 5280, are malformed", () => {
  const bad = ["010229000000Z", "011301000000Z", "010001000000Z", "010100000000Z", "010132000000Z"];
  bad.push("010431000000Z", "010101240000Z", "010101006000Z", "010101000060Z", "0101010000Z");
  bad.push("010101000000+2400", "010101000000+01", "010101000000", "");
  for (const text of bad) assert.throws(() => time(0x17, text), DerError, text);
  assert.throws(() => time(0x18, "20010101000000.5Z"), DerError);
});

function names(...content: Buffer[]): AlternativeNames {
  return namesAndProblems(...content).found;
}

function namesAndProblems(...content: Buffer[]): {
  found: AlternativeNames;
  problems: DerProblem[];
} {
  const found: AlternativeNames = {};
  const report = new DerReport("san");
  readGeneralNames(new DerReader(der(0x30, ...content)), found, report);
  return { found, problems: report.problems };
}

test("IPv6 addresses have the form of RFC 5952", () => {
  const address = (hex: string) => names(der(0x87, Buffer.from(hex, "hex"))).ip?.[0];
  assert.equal(address("20010db8000000000001000000000001"), "2001:db8::1:0:0:1");
  assert.equal(address("20010db8000000000000000000000000"), "2001:db8::");
  assert.equal(address("00000000000000000000000000000001"), "::1");
  assert.equal(address("00100000000000010000000000000000"), "10:0:0:1::");
  assert.equal(address("00010000000200000003000000040000"), "1:0:2:0:3:0:4:0");
});

test("names on both sides of a malformed one are kept, and it is named with its place", () => {
  const { found, problems } = namesAndProblems(
    der(0x82, Buffer.from("a.example")),
    der(0x87, Buffer.alloc(3)),
    der(0x89, Buffer.from([0x99])),
    der(0x82, Buffer.from("b.example")),
  );
  assert.deepEqual(found, { dns: ["a.example", "b.example"] });
  assert.deepEqual(
    problems.map(({ part }) => part),
    ["san[1]", "san[2]"],
  );
});

test("a name whose length is wrong ends the list, with a problem", () => {
  const { found, problems } = namesAndProblems(
    der(0x82, Buffer.from("a.example")),
    Buffer.from([0x82, 0x70, 0x61]),
  );
  assert.deepEqual(found, { dns: ["a.example"] });
  assert.deepEqual(problems, [{ part: "san[1]", reason: "element exceeds its container" }]);
});

test("names in BER and with tags of several bytes do not hide those after them", () => {
  const { found, problems } = namesAndProblems(
    // A directoryName of indefinite length with CN=x, all inside of indefinite length too.
    Buffer.from("a4803080310a3008060355040313017800000000", "hex"),
    Buffer.from("bf876902dead", "hex"),
    Buffer.from("828300000162", "hex"),
    der(0x82, Buffer.from("c.example")),
  );
  assert.deepEqual(found, { directoryName: ["CN=x"], dns: ["b", "c.example"] });
  assert.deepEqual(
    problems.map(({ part }) => part),
    ["san[1]"],
  );
});

test("an otherName without its explicit tag is shown and named, and hides nothing", () => {
  const upn = Buffer.from("2b060104018237140203", "hex");
  const { found, problems } = namesAndProblems(
    der(0xa0, der(0x06, upn), der(0x0c, Buffer.from("a@b"))),
    der(0xa0, der(0x06, Buffer.from("550403", "hex")), der(0x0c, Buffer.from("x"))),
    der(0x82, Buffer.from("c")),
  );
  const other = [{ type: "2.5.4.3", der: Buffer.from("0c0178", "hex").toString("base64") }];
  assert.deepEqual(found, { upn: ["a@b"], other, dns: ["c"] });
  assert.deepEqual(
    problems.map(({ part }) => part),
    ["san[0]", "san[1]"],
  );
});

test("a list of broken members names the first 32 and counts the rest", () => {
  const broken = Array.from({ length: 40 }, () => der(0x87));
  const { found, problems } = namesAndProblems(...broken, der(0x82, Buffer.from("a")));
  assert.deepEqual(found, { dns: ["a"] });
  assert.equal(problems.length, 33);
  assert.deepEqual(problems.at(-1), {
    part: "san",
    reason: "8 more problems of this list are not named",
  });
});

test("a name that is not ASCII is reported with its octets, and read as UTF-8 if it is", () => {
  const utf8 = Buffer.from("mü.example");
  const latin1 = Buffer.from("mü.example", "latin1");
  const { found, problems } = namesAndProblems(der(0x82, utf8), der(0x81, latin1));
  assert.deepEqual(found, { dns: ["mü.example"], email: ["mü.example"] });
  assert.deepEqual(problems, [
    { part: "san[0]", reason: "text is not ASCII", octets: utf8 },
    { part: "san[1]", reason: "text is not ASCII", octets: latin1 },
  ]);
});

function nameOf(tag: number, value: Buffer, type = "550403"): string {
  return nameAndProblems([tag, value, type]).name.distinguishedName;
}

function nameAndProblems(...attributes: [tag: number, value: Buffer, type: string][]) {
  const sets = attributes.map(([tag, value, type]) =>
    der(0x31, der(0x30, der(0x06, Buffer.from(type, "hex")), der(tag, value))),
  );
  const reader = new DerReader(der(0x30, ...sets));
  const report = new DerReport("name");
  return { name: readName(reader, reader.next(), report), problems: report.problems };
}

test("a broken attribute drops itself and not the name", () => {
  const { name, problems } = nameAndProblems(
    [0x0c, Buffer.from("Contoso"), "55040a"],
    [0x0c, Buffer.from("x"), "558003"],
    [0x1e, Buffer.alloc(3), "550403"],
    [0x0c, Buffer.from("b"), "550403"],
  );
  assert.deepEqual(name, {
    distinguishedName: "CN=b,CN=#1e03000000,O=Contoso",
    organization: ["Contoso"],
    commonName: ["b"],
  });
  assert.deepEqual(
    problems.map(({ part }) => part),
    ["name[1][0]", "name[2][0]"],
  );
});

test("a U+0000 is escaped in the name, replaced in its part, and reported", () => {
  const { name, problems } = nameAndProblems([0x0c, Buffer.from("a\0b"), "550403"]);
  assert.deepEqual(name, { distinguishedName: "CN=a\\00b", commonName: ["a\ufffdb"] });
  assert.deepEqual(problems, [
    { part: "name[0][0]", reason: "text has a U+0000", octets: Buffer.from("a\0b") },
  ]);
});

test("special characters of a name are escaped as RFC 4514 says", () => {
  const cases: [string, string][] = [
    ["a,b", "CN=a\\,b"],
    [" a ", "CN=\\ a\\ "],
    [" ", "CN=\\ "],
    ["#1", "CN=\\#1"],
    ['q"+;<>\\', 'CN=q\\"\\+\\;\\<\\>\\\\'],
    ["nul\0", "CN=nul\\00"],
    ["a=b", "CN=a=b"],
  ];
  for (const [value, expected] of cases) assert.equal(nameOf(0x0c, Buffer.from(value)), expected);
});

test("string types are decoded by their own character sets", () => {
  assert.equal(nameOf(0x1e, Buffer.from("00410416", "hex")), "CN=AЖ");
  assert.equal(nameOf(0x1c, Buffer.from("0001f600", "hex")), "CN=😀");
  assert.equal(nameOf(0x14, Buffer.from("e9", "hex")), "CN=é");
  assert.equal(nameOf(0x1e, Buffer.from("d800", "hex")), "CN=\ufffd");
  assert.equal(nameOf(0x1e, Buffer.alloc(3)), "CN=#1e03000000");
});

test("an unknown type and a value that is not a string appear in hex", () => {
  assert.equal(nameOf(0x0c, Buffer.from("x"), "2a0304"), "1.2.3.4=#0c0178");
  assert.equal(nameOf(0x02, Buffer.from([5])), "CN=#020105");
});

test("any octets as an OID or an integer are read or malformed", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      for (const read of [oidText, integerHex, integerDecimal]) {
        try {
          assert.equal(typeof read(Buffer.from(bytes)), "string");
        } catch (error) {
          assert.ok(error instanceof DerError);
        }
      }
    }),
  );
});

test("the size of an ML-DSA key follows from its parameter set", () => {
  for (const [oid, name, bits] of [
    ["608648016503040311", "ML-DSA-44", 10_496],
    ["608648016503040312", "ML-DSA-65", 15_616],
    ["608648016503040313", "ML-DSA-87", 20_736],
  ] as const) {
    const algorithm = der(0x30, der(0x06, Buffer.from(oid, "hex")));
    const reader = new DerReader(
      longDer(0x30, algorithm, longDer(0x03, Buffer.alloc(1 + bits / 8))),
    );
    const report = new DerReport();
    const key = readPublicKey(reader, reader.next(), report);
    assert.equal(key.algorithm.name, name);
    assert.equal(key.bits, bits);
    assert.deepEqual(report.problems, []);
  }
});
