import type { Pool } from "pg";

/** The questions of the report, each with its query. */
const questions = [
  {
    title: "Certificates by state",
    query: `SELECT CASE WHEN state = 'valid' AND not_after < now() THEN 'expired' ELSE state END AS state,
              count(*)::int AS certificates FROM certificate GROUP BY 1 ORDER BY 1`,
  },
  {
    title: "Expiring within 30 days",
    query: `SELECT to_char(not_after, 'YYYY-MM-DD') AS ends, 
              CASE WHEN is_renewed THEN 'renewed' ELSE 'not renewed' END AS renewal, subject, requester
              FROM expiring_soon ORDER BY not_after`,
  },
  {
    title: "CRLs overdue",
    query: "SELECT issuer, kind, number, state, overdue_for::text FROM crl_overdue",
  },
  {
    title: "Requests that wait for a CA manager",
    query: "SELECT request_id, requester, waits_for::text FROM waiting_request",
  },
  {
    title: "Events that were lost on the way",
    query: `SELECT source, reason, coalesce(lost::text, 'unknown') AS lost, first_time, last_time
              FROM gap ORDER BY first_time`,
  },
] as const;

/** What needs attention, as text; the answer to a question without rows is `none`. */
export async function attentionText(pool: Pick<Pool, "query">): Promise<string> {
  const sections: string[] = [];
  for (const { title, query } of questions) {
    const { rows } = await pool.query<Record<string, Cell>>(query);
    const lines = rows.map((row) => `  ${Object.values(row).map(cellText).join("  ")}`);
    sections.push([title, ...(lines.length > 0 ? lines : ["  none"])].join("\n"));
  }
  return sections.join("\n\n");
}

type Cell = string | number | boolean | Date | null;

/** Names in certificates come from requesters: nothing in them may act on the terminal. */
function cellText(value: Cell): string {
  const text = value instanceof Date ? value.toISOString() : String(value ?? "-");
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, "\uFFFD");
}
