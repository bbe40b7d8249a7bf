import assert from "node:assert/strict";
import { dispositions } from "../../src/exit/ca-codes.ts";
import type { ReconcileReport } from "../../src/reconcile/reconcile.ts";
import type { CaRow } from "./fake-ca-database.ts";
import { ReconcileScene } from "./reconcile-scene.ts";

const { issued } = dispositions;

/** A request that was issued, with a certificate of its own. */
export function issuedRow(
  { begin }: ReconcileScene,
  id: number,
  changes: Partial<CaRow> = {},
): CaRow {
  const certificate = ReconcileScene.certificate(id);
  const dates = { submitted: begin, resolved: begin + 1000 };
  return { id, disposition: issued, ...dates, certificate, ...changes };
}

/** The classes with their numbers, without those that nothing is in. */
export function classesOf({ counts }: ReconcileReport): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

/** What each finding about a request says. */
export function findingsOf({ findings }: ReconcileReport): unknown[] {
  return findings.map((each) => {
    assert.ok("requestId" in each);
    return [each.requestId, each.class, each.missing, each.detail];
  });
}
