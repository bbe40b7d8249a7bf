import { databasePlace } from "../ca/database-place.ts";
import { CaDatabase } from "../ca-database/ca-database.ts";
import { mayRead } from "../ca-database/rights.ts";
import { CertwireError } from "../errors/certwire-error.ts";
import { errorCodes } from "../errors/codes.ts";
import { describeCause } from "../errors/describe-cause.ts";
import type { Status } from "../health/status.ts";
import type { NativeCaDatabase } from "../native/ca-database.ts";
import type { NativeWindows } from "../native/windows-system.ts";
import { caution, type Finding, findings, problem, skipped } from "./finding.ts";

/** What this account may do with the CA's database. */
export type DatabaseRight =
  /** The CA has answered; `roles`: CA_ACCESS_* bits. */
  | { readonly config: string; readonly roles: number }
  /** It refuses to answer. */
  | { readonly config: string; readonly refusal: string }
  /** Nothing is known. */
  | { readonly unknown: string };

const docs = "how-to/reconcile-and-backfill.md";
const hint = `Only certwire reconcile and backfill need it. ${errorCodes.CERTWIRE_CA_DATABASE_REFUSED.hint}`;

/** Asks the CA of this machine what this account may do. Never rejects for what is wrong with the CA. */
export async function readDatabaseRight(
  windows: NativeWindows,
  native: NativeCaDatabase,
  timeoutMs: number,
): Promise<DatabaseRight> {
  try {
    const { config } = databasePlace(windows);
    try {
      const { roles } = await new CaDatabase(native, { config, stuckAfterMs: timeoutMs }).facts();
      return { config, roles };
    } catch (error) {
      const isRefusal =
        error instanceof CertwireError && error.code === "CERTWIRE_CA_DATABASE_REFUSED";
      return isRefusal ? { config, refusal: error.message } : { unknown: describeCause(error) };
    }
  } catch (error) {
    return { unknown: describeCause(error) };
  }
}

/** What that means. */
export function judgeDatabase(right: DatabaseRight): Finding[] {
  if ("unknown" in right) return [skipped("ca-database", right.unknown)];
  const refused = (seen: string): Finding[] =>
    findings("ca-database", seen, [caution(seen, hint, docs)]);
  if ("refusal" in right) return refused(right.refusal);
  const { config, roles } = right;
  if (mayRead(roles)) return findings("ca-database", `this account may read ${config}`);
  return refused(`this account may not read ${config}`);
}

/** Whether the account of the service may read the database, as the CA has answered the service. */
export function judgeServiceRight(reconcile: Status["reconcile"]): Finding[] {
  if (reconcile === undefined) {
    return [skipped("ca-database-service", "only a running service knows, from its own attempts")];
  }
  const { mayRead: isAllowed } = reconcile;
  if (isAllowed === undefined) {
    return [skipped("ca-database-service", "the CA has not answered the service yet")];
  }
  if (isAllowed) return findings("ca-database-service", "the account of the service may read it");
  const seen = "reconcile is configured, and the account of the service may not read the database";
  const { hint: steps } = errorCodes.CERTWIRE_CA_DATABASE_REFUSED;
  return findings("ca-database-service", seen, [problem(seen, steps, docs)]);
}
