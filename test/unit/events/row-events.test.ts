import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { CertwireEvent } from "../../../src/events/event.ts";
import { kindOf } from "../../../src/events/event-kind.ts";
import { rowEvents } from "../../../src/events/row-events.ts";
import { decodeRecord } from "../../../src/exit/decode-record.ts";
import {
  assertValid,
  encodeRecord,
  eventContext,
  eventOf,
  fixture,
  oleDate,
  type RecordParts,
} from "../../support/exit-records.ts";

const ca = {
  Name: "Contoso",
  SanitizedCAName: "Contoso",
  CAType: 1,
  RawCACertificate: fixture("ca-rsa"),
};
const submitted = { SubmittedWhen: oleDate("2026-03-01T11:00:00.000Z") };
const resolved = { ...submitted, ResolvedWhen: oleDate("2026-03-01T11:00:01.000Z") };
const revoked = {
  ...resolved,
  RevokedReason: 1,
  RevokedWhen: oleDate("2026-03-05T08:00:00.000Z"),
  RevokedEffectiveWhen: oleDate("2030-01-01T00:00:00.000Z"),
};
const certificate = { RawCertificate: fixture("rsa-v1-template") };

/** The events of a row. Each keeps to its schema. */
function eventsOfRow(parts: RecordParts, options = {}): CertwireEvent[] {
  const request = { RequestID: 7, ...(parts["request"] as RecordParts | undefined) };
  const row = decodeRecord(encodeRecord({ certificate, ca, ...parts, event: 0, request }));
  const events = rowEvents(row, options);
  for (const event of events) assertValid(event);
  return events;
}

/** Dispositions that no document has, or that are not those of a request. */
const unused = [10, 11, 13, 14, 18, 19, 22, 23, 24, 25, 26, 27, 28, 29, 32, 99, -1];

const states: [
  disposition: number,
  request: RecordParts,
  events: [kind: string, time: string][],
][] = [
  [8, submitted, []],
  [9, submitted, [["request.pending", "2026-03-01T11:00:00.000Z"]]],
  [12, resolved, [["certificate.imported", "2026-03-01T11:00:01.000Z"]]],
  [15, resolved, []],
  [16, resolved, []],
  [17, resolved, []],
  [20, resolved, [["certificate.issued", "2026-03-01T11:00:01.000Z"]]],
  [
    20,
    { ...revoked, RevokedReason: -1 },
    [
      ["certificate.issued", "2026-03-01T11:00:01.000Z"],
      ["certificate.unrevoked", "2026-03-05T08:00:00.000Z"],
    ],
  ],
  [
    20,
    { ...revoked, RevokedReason: 0xffffffff },
    [
      ["certificate.issued", "2026-03-01T11:00:01.000Z"],
      ["certificate.unrevoked", "2026-03-05T08:00:00.000Z"],
    ],
  ],
  [
    21,
    revoked,
    [
      ["certificate.issued", "2026-03-01T11:00:01.000Z"],
      ["certificate.revoked", "2026-03-05T08:00:00.000Z"],
    ],
  ],
  [30, resolved, [["request.failed", "2026-03-01T11:00:01.000Z"]]],
  [31, resolved, [["request.denied", "2026-03-01T11:00:01.000Z"]]],
  // On hold, removed from a CRL, and reasons that no document has.
  ...[6, 8, 99, -2].map((reason): (typeof states)[number] => [
    21,
    { ...revoked, RevokedReason: reason },
    [
      ["certificate.issued", "2026-03-01T11:00:01.000Z"],
      ["certificate.revoked", "2026-03-05T08:00:00.000Z"],
    ],
  ]),
  ...unused.map((disposition): (typeof states)[number] => [disposition, resolved, []]),
];

for (const [disposition, request, expected] of states) {
  const reason =
    "RevokedReason" in request ? ` with reason ${String(request["RevokedReason"])}` : "";
  const kinds = expected.map(([kind]) => kind).join(" and ") || "nothing";
  test(`a row with disposition ${disposition}${reason} stands for ${kinds}`, () => {
    const events = eventsOfRow({ request: { ...request, Disposition: disposition } });
    assert.deepEqual(
      events.map((event) => [kindOf(event), event.time]),
      expected,
    );
    for (const event of events) {
      assert.equal(event.origin, "database");
      assert.equal(event.timebasis, undefined);
      assert.equal(event.sequence, undefined);
    }
  });
}

test("a row without a disposition, or with another type of it, stands for nothing", () => {
  assert.deepEqual(eventsOfRow({ request: resolved }), []);
  assert.deepEqual(eventsOfRow({ request: { ...resolved, Disposition: "20" } }), []);
});

test("the issue of a certificate says nothing of what came later", () => {
  const state = { Disposition: 21, StatusCode: 0, DispositionMessage: "Revoked by CONTOSO\\bob" };
  const [issued, revocation] = eventsOfRow({
    request: { ...revoked, ...state, RequesterName: "CONTOSO\\alice" },
  });
  assert.deepEqual(issued?.data["request"], {
    requestId: 7,
    submittedWhen: "2026-03-01T11:00:00.000Z",
    resolvedWhen: "2026-03-01T11:00:01.000Z",
    requesterName: "CONTOSO\\alice",
  });
  assert.equal(issued.data["revocation"], undefined);
  const later = Object(revocation?.data["request"]) as { disposition?: string };
  assert.equal(later.disposition, "revoked");
});

test("a certificate of the CA that came by import is imported, one for the exchange of keys is issued", () => {
  const extensions = [["2.5.29.15", 0x60001, Buffer.from("030205a0", "hex")]];
  const kindsOf = (request: RecordParts, more: RecordParts = { extensions }) =>
    eventsOfRow({ request: { ...resolved, Disposition: 20, ...request }, ...more }).map(kindOf);
  assert.deepEqual(kindsOf({}), ["certificate.imported"]);
  assert.deepEqual(kindsOf({ RawRequest: Buffer.alloc(0) }), ["certificate.imported"]);
  assert.deepEqual(kindsOf({ RequestFlags: 0xc }), ["certificate.issued"]);
  assert.deepEqual(kindsOf({ RawRequest: Buffer.from([0x30, 0]) }), ["certificate.issued"]);
  assert.deepEqual(kindsOf({}, {}), ["certificate.issued"]);
});

const times: [request: RecordParts, time: string, basis: string | undefined][] = [
  [resolved, "2026-03-01T11:00:01.000Z", undefined],
  [submitted, "2026-03-01T11:00:00.000Z", "submittedWhen"],
  [{}, "2026-03-01T12:00:00.123Z", "observed"],
];

for (const [request, time, basis] of times) {
  test(`the time of an issue with ${Object.keys(request).join(", ") || "no date"} is ${basis ?? "its own"}`, () => {
    const [event] = eventsOfRow({ request: { ...request, Disposition: 20 } });
    assert.deepEqual([event?.time, event?.timebasis], [time, basis]);
  });
}

test("no time is taken from the certificate, nor from a date that is not one", () => {
  const request = { Disposition: 21, RevokedReason: 1, RevokedWhen: 5 };
  const own = { ...certificate, NotBefore: oleDate("2026-02-28T00:00:00.000Z") };
  const events = eventsOfRow({ request, certificate: own });
  assert.deepEqual(
    events.map(({ timebasis }) => timebasis),
    ["observed", "observed"],
  );
});

test("the id is that of what happened, so that a second reading gives the same", () => {
  const request = { ...revoked, Disposition: 21 };
  const first = eventsOfRow({ request });
  const second = eventsOfRow({ request, time: 134_168_500_000_000_000n });
  assert.deepEqual(
    first.map(({ id }) => id),
    second.map(({ id }) => id),
  );
  for (const { id, contentid } of first) assert.equal(id, `db-${contentid}`);
  assert.equal(new Set(first.map(({ id }) => id)).size, 2);
});

test("a row that lacks a part of its content id has an id of its own", () => {
  const bare = { request: { Disposition: 21 }, certificate: {} };
  const [issued, revocation] = eventsOfRow(bare);
  const [other] = eventsOfRow({ ...bare, context: 8 });
  const ids = [issued, revocation, other].map((event) => {
    assert.equal(event?.contentid, undefined);
    assert.match(event?.id ?? "", /^db-[\w-]{22}$/);
    return event?.id;
  });
  assert.equal(new Set(ids).size, 3);
});

/** What an exit module sees and a row has, for one kind of event. */
interface Lived {
  readonly event: number;
  readonly disposition: number;
}

const lives: readonly Lived[] = [
  { event: 0x1, disposition: 20 },
  { event: 0x2, disposition: 9 },
  { event: 0x4, disposition: 31 },
  { event: 0x4, disposition: 30 },
  { event: 0x8, disposition: 21 },
  { event: 0x200, disposition: 12 },
];

const seconds = fc.integer({ min: 0, max: 200_000_000 });
const date = seconds.map((second) =>
  oleDate(new Date(Date.parse("2020-01-01T00:00:00Z") + second * 1000).toISOString()),
);
const history = fc.record({
  lived: fc.constantFrom(...lives),
  hasCertificate: fc.boolean(),
  request: fc.record(
    {
      RequesterName: fc.string(),
      DispositionMessage: fc.string(),
      StatusCode: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      RequestFlags: fc.nat(0xffff),
      SubmittedWhen: date,
      ResolvedWhen: date,
      RevokedWhen: date,
      RevokedReason: fc.constantFrom(0, 1, 4, 5, 6),
      RawRequest: fc.constant(fixture("plain-request")),
    },
    { requiredKeys: [] },
  ),
  attributes: fc.array(fc.tuple(fc.string(), fc.string()), { maxLength: 3 }),
});

test("for any history, exit module and database agree about everything that both can know", () => {
  fc.assert(
    fc.property(history, ({ lived, hasCertificate, request, attributes }) => {
      const parts = {
        request: { ...request, RequestID: 7, Disposition: lived.disposition },
        certificate: hasCertificate ? certificate : {},
        attributes,
        ca,
      };
      const live = eventOf({ ...parts, event: lived.event }, eventContext());
      const stored = eventsOfRow(parts).find((event) => kindOf(event) === kindOf(live));
      assert.ok(stored);
      const { sequence: _s, previoushash: _p, recordhash: _r, data, ...attributesOfLive } = live;
      const { notify: _notify, ...known } = data;
      const { origin, timebasis: _basis, ...own } = stored;
      const provenance = { id: own.id, time: own.time, recordedtime: own.recordedtime };
      assert.deepEqual(own, { ...attributesOfLive, ...provenance, data: known });
      assert.equal(origin, "database");
    }),
  );
});
