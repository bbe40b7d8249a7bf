import assert from "node:assert/strict";
import { test } from "node:test";
import { crlRowEvent } from "../../../src/events/crl-row-event.ts";
import { decodeRecord } from "../../../src/exit/decode-record.ts";
import {
  assertValid,
  encodeRecord,
  eventsOf,
  fixture,
  type RecordParts,
} from "../../support/exit-records.ts";

const base = fixture("base-crl"); // number 4112
const delta = fixture("delta-crl"); // number 4113
const ca = { Name: "Contoso", SanitizedCAName: "Contoso", RawCACertificate: fixture("ca-rsa") };
const publishedMs = Date.parse("2026-03-01T11:00:00.000Z");

function eventOfRow(parts: RecordParts, published: number | undefined = publishedMs) {
  const record = decodeRecord(encodeRecord({ ca, context: 7, ...parts, event: 0 }));
  const event = crlRowEvent({ record, publishedMs: published }, {});
  if (event !== undefined) assertValid(event);
  return event;
}

test("a CRL of the database makes the event that the exit module's record of it makes", () => {
  const [live] = eventsOf({ event: 0x20, ca, crls: [[1, 1, delta]] });
  const event = eventOfRow({ crls: [[1, 1, delta]] });
  assert.ok(live && event);
  assert.equal(event.id, `db-${live.contentid}`);
  assert.equal(event.origin, "database");
  assert.equal(event.time, "2026-03-01T11:00:00.000Z");
  assert.equal(event.timebasis, undefined);
  assert.equal(event.sequence, undefined);
  for (const name of ["contentid", "type", "subject", "source", "partitionkey"] as const) {
    assert.equal(event[name], live[name], name);
  }
  // Which others were current then, the database does not say.
  const { notify: _notify, current: _current, ...data } = live.data;
  assert.deepEqual(event.data, data);
});

test("each partition has an event of its own, by subject and member", () => {
  const events = [1, 2].map((partition) => eventOfRow({ crls: [[0, 0, base, partition]] }));
  assert.deepEqual(
    events.map((event) => event?.subject),
    ["crl/0/base/1/4112", "crl/0/base/2/4112"],
  );
  assert.deepEqual(
    events.map((event) => Object(event?.data["crl"]).partition as unknown),
    [1, 2],
  );
  const whole = eventOfRow({ crls: [[0, 0, base]] });
  assert.equal(whole?.subject, "crl/0/base/4112");
  assert.ok(!("partition" in Object(whole.data["crl"])));
});

test("a CRL without the time of its publication has that of the reading, and says so", () => {
  const record = decodeRecord(encodeRecord({ ca, event: 0, crls: [[0, 0, base]] }));
  const event = crlRowEvent({ record, publishedMs: undefined }, {});
  assert.equal(event?.timebasis, "observed");
  assert.equal(event.time, event.recordedtime);
});

test("a row without a CRL makes no event", () => {
  assert.equal(eventOfRow({}), undefined);
});

test("two rows of which nothing can be hashed have different ids", () => {
  const ends = [base.subarray(0, 64), base.subarray(-64)] as const;
  const ids = [7, 8].map((context) => {
    const record = decodeRecord(encodeRecord({ ca, event: 0, context, crls: [[0, 0, base]] }));
    const cut = { length: base.length, sha256: Buffer.alloc(0), first: ends[0], last: ends[1] };
    const crls = record.crls.map((crl) => ({ ...crl, der: cut }));
    return crlRowEvent({ record: { ...record, crls }, publishedMs }, {})?.id;
  });
  assert.equal(new Set(ids).size, 2);
});
