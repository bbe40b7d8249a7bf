import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type AlternativeNames, readGeneralNames } from "../../../src/x509/general-names.ts";
import { integerDecimal, integerHex } from "../../../src/x509/integer.ts";
import { readName } from "../../../src/x509/name.ts";
import { oidText as oidTextOf } from "../../../src/x509/oid.ts";
import { DerError, DerReader } from "../../../src/x509/reader.ts";
import { timeText } from "../../../src/x509/time.ts";

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
  for (const bad of ["", "2a86", "80".repeat(65)]) {
    assert.throws(() => oidText(Buffer.from(bad, "hex")), DerError);
  }
});

test("serial numbers are upper-case hex of whole bytes without leading zero bytes", () => {
  const hex = (text: string) => integerHex(Buffer.from(text, "hex"));
  assert.deepEqual(["00", "0a", "00ff", "0000ff", "ff", "7fab"].map(hex), [
    "00",
    "0A",
    "FF",
    "FF",
    "FF",
    "7FAB",
  ]);
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

test("times that do not exist, or not in the form of RFC 5280, are malformed", () => {
  const bad = ["010229000000Z", "011301000000Z", "010001000000Z", "010100000000Z", "010132000000Z"];
  bad.push("010431000000Z", "010101240000Z", "010101006000Z", "010101000060Z", "0101010000Z");
  bad.push("010101000000+0100", "010101000000", "");
  for (const text of bad) assert.throws(() => time(0x17, text), DerError, text);
  assert.throws(() => time(0x18, "20010101000000.5Z"), DerError);
});

function names(...content: Buffer[]): AlternativeNames {
  const found: AlternativeNames = {};
  readGeneralNames(new DerReader(der(0x30, ...content)), found);
  return found;
}

test("IPv6 addresses have the form of RFC 5952", () => {
  const address = (hex: string) => names(der(0x87, Buffer.from(hex, "hex"))).ip?.[0];
  assert.equal(address("20010db8000000000001000000000001"), "2001:db8::1:0:0:1");
  assert.equal(address("20010db8000000000000000000000000"), "2001:db8::");
  assert.equal(address("00000000000000000000000000000001"), "::1");
  assert.equal(address("00100000000000010000000000000000"), "10:0:0:1::");
  assert.equal(address("00010000000200000003000000040000"), "1:0:2:0:3:0:4:0");
});

test("names in front of a malformed one are kept", () => {
  const found: AlternativeNames = {};
  const content = der(0x30, der(0x82, Buffer.from("a.example")), der(0x87, Buffer.alloc(3)));
  assert.throws(() => readGeneralNames(new DerReader(content), found), DerError);
  assert.deepEqual(found, { dns: ["a.example"] });
});

function nameOf(tag: number, value: Buffer, type = "550403"): string {
  const attribute = der(0x30, der(0x06, Buffer.from(type, "hex")), der(tag, value));
  const reader = new DerReader(der(0x30, der(0x31, attribute)));
  return readName(reader, reader.next()).distinguishedName;
}

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
  assert.throws(() => nameOf(0x1e, Buffer.alloc(3)), DerError);
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
