import type { CaDatabase, RevokedSelection } from "../ca-database/ca-database.ts";
import type { ExitRecord } from "../exit/record.ts";

/** With more changed rows than this, every row is compared: they are not kept in memory. */
const mostChanged = 32_768;

/**
 * The rows that were submitted, resolved or revoked since a time, by their RequestID; `undefined` if there are too many.
 * `progress` is called with the number of rows so far. Rejects as `CaDatabase.rowsSince` does.
 */
export async function changedRows(
  {
    database,
    progress,
  }: {
    readonly database: CaDatabase;
    readonly progress?: (done: number, total: undefined) => void;
  },
  { sinceMs, upTo }: RevokedSelection,
  signal: AbortSignal,
): Promise<Map<number, ExitRecord> | undefined> {
  const rows = new Map<number, ExitRecord>();
  for (const pages of [
    () => database.rowsSince("SubmittedWhen", sinceMs, signal),
    () => database.rowsSince("ResolvedWhen", sinceMs, signal),
    () => database.revokedSince({ sinceMs, upTo }, signal),
  ]) {
    for await (const page of pages()) {
      for (const row of page.rows) rows.set(row.context, row);
      if (rows.size > mostChanged) return undefined;
      progress?.(rows.size, undefined);
    }
  }
  return rows;
}
