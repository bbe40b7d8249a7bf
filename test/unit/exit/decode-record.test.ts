import assert from "node:assert/strict";
import { test } from "node:test";
import { decode, Tagged } from "cborg";
import fc from "fast-check";
import { CertwireError } from "../../../src/errors/certwire-error.ts";
import { decodeGap } from "../../../src/exit/decode-gap.ts";
import { decodeRecord } from "../../../src/exit/decode-record.ts";
import {
  cut,
  encodeCbor,
  encodeRecord,
  oleDateOf,
  redacted,
  secretDigest,
  utf16,
} from "../../support/exit-records.ts";
import { scaled } from "../../support/scale.ts";

const undecodable = { code: "CERTWIRE_RECORD_UNDECODABLE" };

/** CBOR by hand, for what an encoder refuses to write. */
const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");
const text = (value: string) => {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([0x60 + bytes.length]), bytes]);
};

test("a record is read as it was written", () => {
  const record = decodeRecord(
    encodeRecord({
      event: 0x20,
      context: -1,
      request: { RequestID: -5, RequesterName: "CONTOSO\\zoë", RawRequest: Buffer.from([0, 1]) },
      certificate: {
        NotBefore: oleDateOf(45_000.5),
        RawCertificate: cut(9, Buffer.alloc(32), Buffer.from("a"), Buffer.from("b")),
      },
      ca: { Name: "Contoso" },
      attributes: [
        ["ccm", "host"],
        ["Challenge", redacted()],
      ],
      extensions: [["2.5.29.17", 0x20001, Buffer.from([0x30, 0])]],
      crls: [[0, 1, Buffer.from([0x30])]],
      errors: [
        ["request.StatusCode", 0x80094004],
        ["ca.RawCRL.0", "budget"],
      ],
    }),
  );
  assert.equal(record.event, 0x20);
  assert.equal(record.context, -1);
  assert.equal(record.processId, 4711);
  assert.equal(record.threadId, 4712);
  assert.equal(record.request.get("RequestID"), -5);
  assert.equal(record.request.get("RequesterName"), "CONTOSO\\zoë");
  assert.deepEqual(record.request.get("RawRequest"), Buffer.from([0, 1]));
  const date = record.certificate.get("NotBefore") as { oleDate: Buffer };
  assert.equal(date.oleDate.readDoubleLE(), 45_000.5);
  assert.deepEqual(record.certificate.get("RawCertificate"), {
    length: 9,
    sha256: Buffer.alloc(32),
    first: Buffer.from("a"),
    last: Buffer.from("b"),
  });
  assert.equal(record.attributes[0]?.[1], "host");
  assert.deepEqual({ ...(record.attributes[1]?.[1] as object) }, { redacted: true });
  assert.deepEqual(record.extensions, [
    { oid: "2.5.29.17", flags: 0x20001, der: Buffer.from([0x30, 0]) },
  ]);
  assert.deepEqual(record.crls, [{ index: 0, kind: "delta", der: Buffer.from([0x30]) }]);
  assert.deepEqual(record.problems, [
    { name: "request.StatusCode", reason: 0x80094004 },
    { name: "ca.RawCRL.0", reason: "budget" },
  ]);
});

test("of a secret binary there are length and hash, and nothing else is taken for one", () => {
  const sha256 = Buffer.alloc(32, 7);
  const { request } = decodeRecord(
    encodeRecord({ request: { AttestationChallenge: secretDigest(900, sha256) } }),
  );
  assert.deepEqual(request.get("AttestationChallenge"), { length: 900, sha256 });
  for (const content of [[1], [1, "x"], ["x", sha256], [1, sha256, sha256], null]) {
    const record = encodeRecord({ request: { A: new Tagged(1129775109, content) } });
    assert.throws(() => decodeRecord(record), undecodable);
  }
});

test("numbers beyond 2^53 stay exact", () => {
  const big = 2n ** 63n + 1n;
  const { request, time } = decodeRecord(encodeRecord({ request: { Big: big, Negative: -big } }));
  assert.equal(request.get("Big"), big);
  assert.equal(request.get("Negative"), -big);
  assert.equal(time, 134_168_400_001_234_567n);
});

test("a byte order mark at the start of a text stays", () => {
  const long = `\ufeff${"x".repeat(50)}`;
  const { request } = decodeRecord(encodeRecord({ request: { Text: long } }));
  assert.equal(request.get("Text"), long);
});

test("text that is not valid UTF-16 keeps its bytes", () => {
  const bytes = hex("00d8 4100");
  const { request } = decodeRecord(encodeRecord({ request: { Text: utf16(bytes) } }));
  assert.deepEqual(request.get("Text"), { utf16: bytes });
});

const envelope = [
  [text("event"), hex("01")],
  [text("context"), hex("00")],
  [text("time"), hex("00")],
  [text("pid"), hex("00")],
  [text("tid"), hex("00")],
];
const handMade = (...more: Buffer[]) =>
  Buffer.concat([
    hex(`a${(envelope.length + more.length / 2).toString(16)}`),
    ...envelope.flat(),
    ...more,
  ]);

const malformed: [title: string, payload: Buffer][] = [
  ["nothing", Buffer.alloc(0)],
  ["no map", hex("80")],
  ["bytes after the map", Buffer.concat([handMade(), hex("00")])],
  ["a key twice", handMade(text("event"), hex("01"))],
  ["a name twice in a group", handMade(text("ca"), hex("a2 6141 01 6141 02"))],
  ["a map of indefinite length", handMade(text("ca"), hex("bf ff"))],
  ["a number that is not in its shortest form", handMade(text("ca"), hex("a1 6141 1801"))],
  ["a length that is not in its shortest form", handMade(text("ca"), hex("a1 6141 7801 41"))],
  ["a floating-point number", handMade(text("ca"), hex("a1 6141 f93c00"))],
  ["a boolean", handMade(text("ca"), hex("a1 6141 f5"))],
  ["text that is not UTF-8", handMade(text("ca"), hex("a1 6141 61ff"))],
  ["an unknown tag", handMade(text("ca"), hex("a1 6141 c1 01"))],
  ["a string that runs over the end", handMade(text("ca"), hex("a1 6141 5a7fffffff"))],
  [
    "an array that claims four thousand million members",
    handMade(text("errors"), hex("9affffffff")),
  ],
  ["a map that claims 2^63 members", handMade(text("ca"), hex("bb8000000000000000"))],
  ["deep nesting", handMade(text("errors"), Buffer.alloc(100_000, 0x81))],
  ["deeply nested tags", handMade(text("errors"), Buffer.alloc(100_000, 0xc1))],
  ["many items", encodeRecord({ errors: Array.from({ length: 40_000 }, () => ["a", 1]) })],
  ["no event", encodeCbor({ context: 0, time: 0, pid: 0, tid: 0 })],
  ["a negative event", encodeRecord({ event: -1 })],
  ["an event beyond 2^53", encodeRecord({ event: 2n ** 60n })],
  ["a time beyond the year 9999", encodeRecord({ time: 2n ** 63n })],
  ["a group that is not a map", encodeRecord({ ca: [] })],
  ["a group that is null", encodeRecord({ ca: null })],
  [
    "a name that is not text",
    encodeCbor(
      new Map<unknown, unknown>([
        ["event", 1],
        ["context", 1],
        ["time", 1],
        ["pid", 1],
        ["tid", 1],
        ["ca", new Map([[1, 1]])],
      ]),
    ),
  ],
  ["a property that is an array", encodeRecord({ request: { RequestID: [1] } })],
  ["a property that is null", encodeRecord({ request: { RequestID: null } })],
  ["an attribute of three members", encodeRecord({ attributes: [["a", "b", "c"]] })],
  ["an attribute without a text", encodeRecord({ attributes: [["a", 1]] })],
  ["an extension whose DER is text", encodeRecord({ extensions: [["1.2", 0, "x"]] })],
  ["a CRL of kind 2", encodeRecord({ crls: [[0, 2, Buffer.alloc(1)]] })],
  ["a CRL without DER", encodeRecord({ crls: [[0, 0]] })],
  ["a CRL of five members", encodeRecord({ crls: [[0, 0, Buffer.alloc(1), 1, 1]] })],
  ["a CRL of a partition that is text", encodeRecord({ crls: [[0, 0, Buffer.alloc(1), "1"]] })],
  ["a date of 7 bytes", handMade(text("ca"), hex("a1 6141 da434d5442 47 00000000000000"))],
  ["an error without a reason", encodeRecord({ errors: [["a", null]] })],
];

for (const [title, payload] of malformed) {
  test(`a record with ${title} is refused`, () => {
    assert.throws(() => decodeRecord(payload), undecodable);
  });
}

test("the hand-made record that the malformed ones are made from is itself fine", () => {
  assert.equal(decodeRecord(handMade()).event, 1);
});

test("a payload above 16 MiB is refused unread", () => {
  assert.throws(() => decodeRecord(Buffer.alloc(16 * 1024 * 1024 + 1)), undecodable);
});

test("any bytes decode or are refused with the one error", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => decodesOrRefuses(Buffer.from(bytes))),
    { numRuns: scaled(2000) },
  );
});

test("a record with any byte changed decodes or is refused with the one error", () => {
  const record = encodeRecord({
    request: { RequestID: 1, RequesterName: "x", SubmittedWhen: oleDateOf(1) },
    attributes: [["a", redacted()]],
    extensions: [["1.2.3", 1, cut(1, Buffer.alloc(32), Buffer.alloc(3), Buffer.alloc(3))]],
    errors: [["request.UPN", 1]],
  });
  for (let offset = 0; offset < record.length; offset++) {
    decodesOrRefuses(record.subarray(0, offset));
    for (const value of [0x00, 0x1b, 0x5f, 0x7f, 0x9b, 0xbf, 0xdb, 0xf6, 0xff]) {
      const changed = Buffer.from(record);
      changed[offset] = value;
      decodesOrRefuses(changed);
    }
  }
});

test("what an ordinary strict decoder reads, the tokenizer reads alike", () => {
  const value = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.string({ unit: "binary" }),
  );
  fc.assert(
    fc.property(fc.dictionary(fc.string(), value), (ca) => {
      const payload = encodeRecord({ ca });
      const expected = decode(payload, { useMaps: true, strict: true }) as Map<string, unknown>;
      assert.deepEqual(decodeRecord(payload).ca, expected.get("ca"));
    }),
  );
});

test("a gap is read as it was written", () => {
  const gap = { reason: "retention", count: 3, firstSequence: 2n ** 60n, requestIds: [5, -1] };
  assert.deepEqual(decodeGap(encodeCbor(gap)), {
    ...gap,
    lastSequence: undefined,
    firstTime: undefined,
    lastTime: undefined,
  });
});

for (const [title, gap] of [
  ["no reason", { count: 1 }],
  ["a reason that is not text", { reason: 1 }],
  ["a negative count", { reason: "corrupt", count: -1 }],
  ["request IDs that are not integers", { reason: "corrupt", requestIds: ["1"] }],
] as const) {
  test(`a gap with ${title} is refused`, () => {
    assert.throws(() => decodeGap(encodeCbor(gap)), undecodable);
  });
}

function decodesOrRefuses(payload: Buffer): void {
  try {
    decodeRecord(payload);
  } catch (error) {
    if (!(error instanceof CertwireError)) throw error;
    assert.equal(error.code, "CERTWIRE_RECORD_UNDECODABLE");
  }
}
