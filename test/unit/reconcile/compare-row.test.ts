import assert from "node:assert/strict";
import { test } from "node:test";
import { CaDatabase } from "../../../src/ca-database/ca-database.ts";
import { rowFacts } from "../../../src/events/row-events.ts";
import { dispositions } from "../../../src/exit/ca-codes.ts";
import type { ExitRecord } from "../../../src/exit/record.ts";
import {
  type ComparisonLimits,
  compareAbsent,
  compareRow,
} from "../../../src/reconcile/compare-row.ts";
import { type IndexEntry, keptContentId } from "../../../src/reconcile/content-index.ts";
import { type CaRow, FakeCaDatabase } from "../../support/fake-ca-database.ts";
import { ReconcileScene } from "../../support/reconcile-scene.ts";

const { issued, pending, revoked } = dispositions;
const minute = 60_000;
const day = 86_400_000;
const begin = Date.UTC(2026, 0, 5);
const limits: ComparisonLimits = {
  readMs: begin + day,
  knownUntilMs: begin + day,
  settleMs: 10 * minute,
  coveredSinceMs: begin - day,
  otherNames: [],
  noun: "journal",
};

/** A row with a certificate, as a scan reads it. */
async function scanned(changes: Partial<CaRow> = {}): Promise<ExitRecord> {
  const certificate = ReconcileScene.certificate(2);
  const dates = { submitted: begin, resolved: begin };
  const native = new FakeCaDatabase([
    { id: 2, disposition: issued, ...dates, certificate, ...changes },
  ]);
  const database = new CaDatabase(native, { config: "CA01\\Contoso" });
  const row = await database.row(2, new AbortController().signal, "scan");
  assert.ok(row);
  return row;
}

/** What the journal has if it has recorded everything that the row says. */
function entriesOf(row: ExitRecord): IndexEntry[] {
  return rowFacts(row).map(({ kind, contentId = "", timeMs = 0 }) => ({
    requestId: 2,
    kind: kind as IndexEntry["kind"],
    contentId: keptContentId(contentId),
    timeSeconds: timeMs / 1000,
    ca: 0,
    isUnstored: false,
  }));
}

test("a row is young by the earlier one of its reading and that of the journal", async () => {
  const at = begin + day - 15 * minute;
  const row = await scanned({ disposition: revoked, revoked: at, reason: 1 });
  const entries = entriesOf(await scanned());
  assert.equal(compareRow(row, entries, limits).class, "state");
  const early = { ...limits, knownUntilMs: at - minute };
  assert.equal(compareRow(row, entries, early).class, "unsettled");
  assert.equal(compareRow(row, entries, { ...limits, readMs: at + minute }).class, "unsettled");
});

test("what was recorded between the reading of a row and that of the journal is not taken for a difference, however long that took", async () => {
  const late = { ...limits, knownUntilMs: begin + day + 16 * 60 * minute };
  const row = await scanned({ disposition: pending });
  const [issue] = entriesOf(await scanned());
  assert.ok(issue);
  const later = (ms: number) => ({ ...issue, timeSeconds: (begin + day + ms) / 1000 });
  const classOf = (ms: number) => compareRow(row, [...entriesOf(row), later(ms)], late).class;
  assert.equal(classOf(60 * minute), "both");
  assert.equal(classOf(-60 * minute), "state");
  assert.equal(compareAbsent([later(60 * minute)], late), undefined);
});

test("a date in the future is not waited for", async () => {
  const ahead = { submitted: begin + 400 * day, resolved: begin + 400 * day };
  const row = await scanned(ahead);
  assert.equal(compareRow(row, [], limits).class, "missing");
  const entries = entriesOf(row);
  assert.equal(compareRow(row, entries, limits).class, "both");
  assert.equal(compareAbsent(entries, limits)?.class, "deleted");
  // The same clock may be a little ahead of the one that reads.
  const soon = await scanned({ resolved: begin + day + minute });
  assert.equal(compareRow(soon, [], limits).class, "unsettled");
  assert.equal(compareAbsent(entriesOf(soon), limits), undefined);
});

test("a request with another certificate also says what else is missing", async () => {
  const other = await scanned({ certificate: ReconcileScene.certificate(7) });
  const row = await scanned({ disposition: revoked, revoked: begin + minute, reason: 1 });
  const found = compareRow(row, entriesOf(other), limits);
  assert.equal(found.class, "changed");
  assert.deepEqual(
    found.missing.map(({ kind }) => kind),
    ["certificate.revoked"],
  );
});
