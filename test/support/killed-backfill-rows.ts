import { dispositions } from "../../src/exit/ca-codes.ts";
import type { CaRow } from "./fake-ca-database.ts";
import { ReconcileScene } from "./reconcile-scene.ts";

const begin = Date.UTC(2026, 0, 5);
const { issued, revoked, denied } = dispositions;

/** The rows of a backfill that is killed: the same ones in each of its processes. */
export function killedRows(count: number): CaRow[] {
  return Array.from({ length: count }, (_, index): CaRow => {
    const id = 1 + index * 97;
    const at = begin + index * 1000;
    const dates = { submitted: at, resolved: at + 500 };
    if (index % 7 === 0) return { id, disposition: denied, ...dates, status: -index };
    const certificate = ReconcileScene.certificate(id);
    const row = { id, disposition: issued, ...dates, certificate };
    return index % 5 === 0 ? { ...row, disposition: revoked, revoked: at + 900, reason: 1 } : row;
  });
}
