import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
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
