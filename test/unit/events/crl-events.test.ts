import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { DerReader } from "../../../src/x509/reader.ts";
import { cut, eventOf, eventsOf, fixture } from "../../support/exit-records.ts";

const base = fixture("base-crl"); // number 4112
const delta = fixture("delta-crl"); // number 4113
const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

/** The fixture with another CRL number of the same length. */
function numbered(crl: Buffer, number: number): Buffer {
  const copy = Buffer.from(crl);
  const at = copy.indexOf("0603551d14", 0, "hex");
  copy.writeUInt16BE(number, at + 9);
  return copy;
}

/** The fixture, which has three entries, with 20,000 more. */
function manyEntries(crl: Buffer): Buffer {
  const reader = new DerReader(crl).sequence();
  const body = reader.next();
  const inner = reader.inside(body);
  const members: Buffer[] = [];
  while (inner.hasMore) members.push(inner.whole(inner.next()));
  // Version, algorithm, issuer, two dates, then the entries.
  const at = 5;
  const entries = members[at]!;
  const start = new DerReader(entries).next().start;
  const entry = entries.subarray(start, new DerReader(entries, start).next().after);
  const more = Array.from({ length: 20_000 }, () => entry);
  members[at] = sequence(entries.subarray(start), ...more);
  return sequence(sequence(...members), crl.subarray(body.after));
}

function sequence(...content: Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const head = Buffer.from([0x30, 0x84, 0, 0, 0, 0]);
  head.writeUInt32BE(body.length, 2);
  return Buffer.concat([head, body]);
}

const withoutAbsent = (value: unknown) =>
  JSON.parse(JSON.stringify(value)) as Record<string, unknown>;
const reasons = (problems: unknown) =>
  (problems as { property: string; reason: string }[]).map(
    ({ property, reason }) => `${property} ${reason}`,
  );

const publish = (...crls: [index: number, kind: number, der: unknown][]) =>
  eventsOf({ event: 0x20, crls });
const ids = (events: readonly { id: string }[]) => events.map(({ id }) => id.split("-")[2]);

test("each CRL with the highest number makes an event, and the others are named in it", () => {
  const newBase = numbered(base, 4113);
  const events = publish([0, 0, base], [1, 0, newBase], [1, 1, delta]);
  assert.deepEqual(ids(events), ["1", "2"]);
  assert.deepEqual(
    events.map(({ subject }) => subject),
    ["crl/1/base/4113", "crl/1/delta/4113"],
  );
  assert.deepEqual(events[0]?.data["current"], [
    { index: 0, kind: "base", number: "4112", sha256: sha256(base) },
    { index: 1, kind: "delta", number: "4113", sha256: sha256(delta) },
  ]);
  const crl = events[1]?.data["crl"] as Record<string, unknown>;
  assert.equal(crl["number"], "4113");
  assert.equal(crl["baseNumber"], "4112");
  assert.equal(crl["sha256"], sha256(delta));
  assert.equal(crl["der"], delta.toString("base64"));
});

test("a base CRL that could not be hashed in time stands in the events without its hash", () => {
  const large = manyEntries(base);
  const ends = [large.subarray(0, 8192), large.subarray(-8192)] as const;
  const value = cut(large.length, Buffer.alloc(0), ...ends);
  const [event, ...others] = publish([0, 0, value], [0, 1, delta]);
  assert.deepEqual(others, []);
  const crl = event?.data["crl"] as Record<string, unknown>;
  assert.equal(crl["sha256"], sha256(delta));
  assert.deepEqual(event?.data["current"], [{ index: 0, kind: "base", number: "4112" }]);
  const alone = eventOf({ event: 0x20, crls: [[0, 0, value]] });
  assert.equal("sha256" in (alone.data["crl"] as object), false);
  assert.deepEqual(alone.data["problems"], [
    {
      property: "ca.RawCRL.0",
      reason: "cut",
      length: large.length,
      first: ends[0].toString("base64"),
      last: ends[1].toString("base64"),
    },
  ]);
});

test("a delta CRL alone has one event, with the base it does not replace in `current`", () => {
  const events = publish([0, 0, base], [0, 1, delta]);
  assert.deepEqual(ids(events), ["1"]);
});

test("a republished CRL has the same number and hash", () => {
  const [first] = publish([0, 0, base]);
  const [second] = publish([0, 0, base]);
  assert.deepEqual(first?.data["crl"], second?.data["crl"]);
});

test("numbers are compared as numbers", () => {
  const events = publish([0, 0, numbered(base, 0x0fff)], [1, 0, numbered(base, 0x1000)]);
  assert.deepEqual(ids(events), ["1"]);
});

test("a CRL that cannot be parsed or was cut has its event too", () => {
  const cutDer = cut(5_000_000, Buffer.alloc(32, 1), Buffer.from("a"), Buffer.from("b"));
  const events = publish([0, 0, base], [1, 0, Buffer.from("3003020101", "hex")], [2, 0, cutDer]);
  assert.deepEqual(ids(events), ["0", "1", "2"]);
  const [good, malformed, large] = events;
  assert.deepEqual(good?.data["problems"], []);
  const [problem] = (malformed?.data["problems"] ?? []) as Record<string, unknown>[];
  assert.equal(problem?.["reason"], "malformed");
  const crl = large?.data["crl"] as Record<string, unknown>;
  assert.equal(crl["length"], 5_000_000);
  assert.equal(crl["sha256"], "01".repeat(32));
});

/** A CRL as the exit module records one that is too large: its first and last 8 KiB. */
function cutOf(crl: Buffer) {
  const hash = createHash("sha256").update(crl).digest();
  return cut(crl.length, hash, crl.subarray(0, 8192), crl.subarray(-8192));
}

test("a CRL that was cut shows what stands around its entries", () => {
  const whole = eventOf({ event: 0x20, crls: [[0, 0, manyEntries(base)]] }).data["crl"];
  const event = eventOf({ event: 0x20, crls: [[0, 0, cutOf(manyEntries(base))]] });
  const crl = withoutAbsent(event.data["crl"]);
  const { der: _, entryCount, ...expected } = whole as Record<string, unknown>;
  assert.equal(entryCount, 20_003);
  assert.deepEqual(crl, expected);
  assert.equal(event.subject, "crl/0/base/4112");
  assert.deepEqual(reasons(event.data["problems"]), ["ca.RawCRL.0 cut"]);
});

test("a base CRL that was cut has no event where only the delta was published anew", () => {
  const events = publish([0, 0, cutOf(manyEntries(base))], [0, 1, delta]);
  assert.deepEqual(
    events.map(({ subject }) => subject),
    ["crl/0/delta/4113"],
  );
  const [current] = (events[0]?.data["current"] ?? []) as { number: string }[];
  assert.equal(current?.number, "4112");
});

test("a CRL cut within its entries or its extensions has its event, and says what is missing", () => {
  const crl = manyEntries(base);
  const hash = createHash("sha256").update(crl).digest();
  const event = eventOf({
    event: 0x20,
    crls: [[0, 0, cut(crl.length, hash, crl.subarray(0, 8192), crl.subarray(-100))]],
  });
  const shown = event.data["crl"] as Record<string, unknown>;
  assert.equal(shown["number"], undefined);
  assert.match(String(shown["thisUpdate"]), /^20/);
  const [problem, ...others] = event.data["problems"] as { detail: string }[];
  assert.deepEqual(problem, {
    property: "crl.crl",
    reason: "malformed",
    detail: "what follows the entries was cut",
  });
  assert.deepEqual(reasons(others), ["ca.RawCRL.0 cut"]);
});

test("a publication without any readable CRL still has its event", () => {
  const event = eventOf({ event: 0x20, errors: [["ca.RawCRL.0", 0x80070002]] });
  assert.equal(event.data["crl"], undefined);
  assert.deepEqual(event.data["current"], []);
  assert.equal((event.data["problems"] as unknown[]).length, 1);
});

test("CRLs that come with an event of no known kind are shown in it", () => {
  const event = eventOf({ event: 0x800, crls: [[0, 0, base]] });
  const [crl] = event.data["crls"] as Record<string, unknown>[];
  assert.equal(crl?.["number"], "4112");
});
