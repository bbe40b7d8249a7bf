import assert from "node:assert/strict";
import { test } from "node:test";
import { eventRow, headerLine, rowLine } from "../../../src/cli/event-row.ts";
import type { CertwireEvent } from "../../../src/events/event.ts";

function eventOf(kind: string, data: Record<string, unknown>): CertwireEvent {
  return {
    specversion: "1.0",
    id: "0123456789abcdef0123456789abcdef-2-0",
    source: "urn:certwire:ca:test",
    type: `io.certwire.${kind}.v1`,
    time: "2026-01-05T08:00:00.250Z",
    datacontenttype: "application/json",
    dataschema: `urn:certwire:schema:${kind}:v1`,
    sequence: "0000000001-00000000000000000002",
    partitionkey: "test:7",
    recordedtime: "2026-01-05T08:00:00.250Z",
    data,
  };
}

const issued = eventOf("certificate.issued", {
  request: { requestId: 7, requesterName: "CORP\\WS-1$" },
  certificate: {
    subject: { distinguishedName: "CN=a\\,b,DC=example" },
    serialNumber: "610000000700112233445566770000000000007a",
  },
  attributes: [{ name: "CertificateTemplate", value: "CorpWorkstation" }],
});

test("a row shows time, kind, request, subject, requester, template and serial number", () => {
  assert.deepEqual(eventRow(issued), {
    time: "08:00:00.250",
    kind: "certificate.issued",
    requestId: "7",
    about: "CN=a\\,b  CORP\\WS-1$",
    template: "*CorpWorkstation",
    serialNumber: "610000000700112233445566770000000000007a",
  });
});

test("a CRL is shown with its kind, number and entries, a gap with its reason", () => {
  const crl = eventOf("crl.issued", { crl: { kind: "delta", number: "12", entryCount: 3 } });
  assert.equal(eventRow(crl).about, "delta CRL 12, 3 entries");
  assert.equal(eventRow(eventOf("journal.gap", { reason: "disk-full" })).about, "disk-full");
});

test("lines keep to their width, and columns stand below their names", () => {
  for (const width of [20, 80, 90, 110, 140, 220]) {
    for (const age of [undefined, "12 ms"]) {
      const header = headerLine(width, age !== undefined);
      const line = rowLine({ ...eventRow(issued), ...(age && { age }) }, width);
      assert.ok(line.length <= width && header.length <= width, String(width));
      assert.equal(line.indexOf("certificate.issued"), width < 80 ? -1 : header.indexOf("event"));
      assert.equal(line.indexOf("*CorpWorkstation"), header.indexOf("template"));
      if (age && width >= 80) assert.equal(line.indexOf(age) + 2, header.indexOf("age"));
    }
  }
});

test("a narrow line has no serial number and no template, so that the subject has space", () => {
  const columnsAt = (width: number) => headerLine(width, true).split(/ {2,}/);
  const narrow = ["time (UTC)", "event", "request", "age", "subject, requester"];
  assert.deepEqual(columnsAt(80), narrow);
  assert.deepEqual(columnsAt(110), [...narrow, "template, *requested"]);
  assert.deepEqual(columnsAt(140), [...narrow, "template, *requested", "serial number"]);
  assert.ok(rowLine({ ...eventRow(issued), age: "12 ms" }, 80).includes("CN=a\\,b  CORP\\WS-1$"));
});

test("control characters from a request cannot reach the terminal", () => {
  const hostile = eventOf("request.denied", { request: { requesterName: "x\u001B[2Jy\nz" } });
  assert.ok(rowLine(eventRow(hostile), 140).includes("x·[2Jy·z"));
});
