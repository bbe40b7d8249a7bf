import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { planLines } from "../../../src/cli/actions/backfill.ts";
import { exitCodeFor, reportLines } from "../../../src/cli/actions/reconcile.ts";
import { crlClasses, crlClassMeanings } from "../../../src/reconcile/compare-crls.ts";
import { classMeanings, requestClasses } from "../../../src/reconcile/compare-row.ts";
import type { ReconcileReport } from "../../../src/reconcile/reconcile.ts";

const none = Object.fromEntries(
  requestClasses.map((each) => [each, 0]),
) as ReconcileReport["counts"];
const noCrls = Object.fromEntries(crlClasses.map((each) => [each, 0])) as ReconcileReport["crls"];
const report: ReconcileReport = {
  ca: "Contoso\u202eCA",
  comparedWith: "journal",
  mode: "full",
  coveredSince: "2026-01-05T00:00:00.000Z",
  rows: 1000,
  counts: { ...none, both: 990, missing: 7, changed: 1, deleted: 2 },
  crls: { ...noCrls, both: 12, missing: 1 },
  otherCa: 3,
  findings: [
    {
      class: "missing",
      requestId: 17,
      missing: ["certificate.issued", "certificate.revoked"],
      time: "2026-03-01T12:00:00.000Z",
    },
    { class: "changed", requestId: 4000, missing: [], detail: "other\u001b[31m certificates" },
    { class: "missing", crl: "crl/0/base/4113", missing: ["crl.issued"] },
  ],
  unlisted: 8,
  findingsFile: "/state/reconcile/findings.ndjson",
  isInterrupted: false,
};

test("the report shows each class with its number, and the requests to check", () => {
  assert.deepEqual(reportLines(report), [
    'CA "Contoso·CA": 1000 requests of the database compared, every row, journal since 2026-01-05T00:00:00.000Z',
    "  both     990  journal and database say the same",
    "  missing  7    only in the database: never recorded",
    "  changed  1    in both, with different certificates",
    "  deleted  2    only in the journal: the row was deleted",
    "CRLs:",
    "  both     12  journal and database say the same",
    "  missing  1   only in the database: never recorded",
    "3 records of the journal of another CA left out",
    "",
    "request          class    time                      what",
    "17               missing  2026-03-01T12:00:00.000Z  certificate.issued and certificate.revoked",
    "4000             changed                            other·[31m certificates",
    "crl/0/base/4113  missing                            crl.issued",
    "all 11 are in /state/reconcile/findings.ndjson",
    "",
    "8 requests and 1 CRL to check",
  ]);
});

test("nothing to check is said as that, and a run that was stopped is not complete", () => {
  const good = {
    ...report,
    counts: { ...none, both: 1000 },
    crls: noCrls,
    otherCa: 0,
    findings: [],
    unlisted: 0,
  };
  const since = "2026-01-05T00:00:00.000Z";
  assert.equal(reportLines(good).at(-1), `the journal lacks nothing since ${since}`);
  assert.equal(exitCodeFor(good), 0);
  const young = { ...good, crls: { ...noCrls, unsettled: 1 } };
  assert.equal(
    reportLines(young).at(-1),
    `the journal lacks nothing since ${since}; a later run compares what is unsettled`,
  );
  const { coveredSince: _, ...empty } = { ...good, counts: { ...none, history: 1000 } };
  assert.equal(reportLines(empty).at(-1), "nothing could be compared: the journal is empty");
  assert.equal(exitCodeFor(empty), 65);
  const strange = { ...good, counts: { ...none, unknown: 1 } };
  assert.equal(reportLines(strange).at(-1), "1 request to check");
  assert.equal(exitCodeFor(strange), 4);
  const stopped = reportLines({ ...good, isInterrupted: true }).at(-1);
  assert.equal(stopped, "interrupted: the next run goes on where this one was");
});

test("the page about comparing explains every class as the command does", () => {
  const page = readFileSync("docs/how-to/reconcile-and-backfill.md", "utf8");
  for (const name of requestClasses) {
    assert.ok(page.includes(`| \`${name}\` | ${classMeanings[name]}`), name);
  }
  for (const name of crlClasses) {
    assert.ok(page.includes(`| \`${name}\` | ${crlClassMeanings[name]}`), name);
  }
});

test("a plan shows the events of each kind, and how long they take", () => {
  const kinds = { "certificate.issued": 250, "request.denied": 1 };
  const plan = { requests: 250, crls: 0, events: 251, kinds, history: 7 };
  const target = { toSink: "kafka", rate: 100 };
  const fewer = `fewer may be published: the "only" and "except" of the sink are not applied here`;
  assert.equal(planLines(plan, target, true).at(-1), fewer);
  assert.deepEqual(planLines(plan, target, false), [
    "to kafka: 251 events about 250 requests",
    "  certificate.issued  250",
    "  request.denied      1",
    "7 events from before what the journal covers; at 100 events per second at least 3 s",
  ]);
  const crls = { requests: 0, crls: 2, events: 2, kinds: { "crl.issued": 2 }, history: 0 };
  assert.equal(planLines(crls, target, false)[0], "to kafka: 2 events about 2 CRLs");
  const nothing = { requests: 0, crls: 0, events: 0, kinds: {}, history: 0 };
  assert.deepEqual(planLines(nothing, target, false), ["nothing to publish to kafka"]);
});
