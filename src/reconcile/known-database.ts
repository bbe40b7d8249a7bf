import { hash } from "node:crypto";
import type { CaDatabase } from "../ca-database/ca-database.ts";
import { CertwireError } from "../errors/certwire-error.ts";
import { isSameCaName } from "../events/ca-identity.ts";
import { rowDateMs } from "../events/row-events.ts";
import type { ExitRecord } from "../exit/record.ts";
import type { NativeCaFacts } from "../native/ca-database.ts";
import type { Contents } from "./journal-contents.ts";
import type { KnownDatabase, RunFile, RunState } from "./run-file.ts";
import { type Compared, ownCas } from "./walk-database.ts";

/** What is known of database and journal. */
export interface Identified {
  readonly run: RunFile;
  /** True to accept a database that was restored from a backup, and compare every row. Default false. */
  readonly acceptsRestored?: boolean;
  /** True to wait for a CA that does not answer at first, as it is waited for between two pages. Default false. */
  readonly waitsForCa?: boolean;
  /** Called with the number of records that were read of the journal before the first row. */
  readonly journalProgress?: (records: number) => void;
}

/**
 * Asks the CA who it is, reads the journal, and makes sure that they belong together, and that the database is the one of
 * earlier runs and not an older copy of it. Rejects with CERTWIRE_CA_DATABASE_OTHER, CERTWIRE_CA_DATABASE_RESTORED, and as
 * `CaDatabase.readableFacts` (or `factsOnceReady`), `CaDatabase.row` and `JournalContents.update` do.
 */
export async function identifyBoth(
  {
    database,
    contents,
    journal,
    run,
    acceptsRestored = false,
    waitsForCa = false,
    journalProgress,
  }: Compared & Identified,
  signal: AbortSignal,
): Promise<NativeCaFacts> {
  // Retention may delete what was not read, while the database waits for hours. What fails is reported by the reading after it.
  // A topic is read once, when it is due.
  if (contents.noun === "journal") {
    database.whileWaiting = (each) => contents.update(journal, each).catch(() => undefined);
  }
  const facts = waitsForCa
    ? await database.factsOnceReady(signal)
    : await database.readableFacts(signal);
  const known = await identify({ database, facts }, run.state, acceptsRestored, signal);
  await contents.update(journal, signal, journalProgress);
  refuseOther(contents, facts);
  // A run that is stopped has to compare every row of a restored database all the same.
  const anew = { running: undefined, completeMs: undefined, isRestored: true };
  await run.save({ database: known, ...(acceptsRestored && anew) });
  return facts;
}

async function identify(
  { database, facts }: { readonly database: CaDatabase; readonly facts: NativeCaFacts },
  { database: known }: RunState,
  acceptsRestored: boolean,
  signal: AbortSignal,
): Promise<KnownDatabase> {
  const certificates = facts.certificates.map((der) => hash("sha256", der));
  const { sanitizedName: name } = facts;
  if (known !== undefined) {
    const isSame =
      isSameCaName(known.name, name) &&
      known.certificates.every((each) => certificates.includes(each));
    if (!isSame) {
      const message = `the CA is "${name}", and "${known.name}" was compared before`;
      const hint = "Give each CA a state directory of its own.";
      throw new CertwireError("CERTWIRE_CA_DATABASE_OTHER", message, { hint });
    }
  }
  const newest = await database.newest(signal);
  if (!acceptsRestored) await refuseRestored(database, { known, newest }, signal);
  return { name, certificates, ...(newest && { newest: markOf(newest) }) };
}

function refuseOther({ cas, noun }: Contents, facts: NativeCaFacts): void {
  const named = cas.filter(({ name, certificate }) => name !== "" || certificate !== "");
  const [first] = named;
  if (first === undefined || ownCas({ cas: named }, facts).includes(true)) return;
  const message = `the ${noun} is of the CA "${first.name}", and the database of "${facts.sanitizedName}"`;
  throw new CertwireError("CERTWIRE_CA_DATABASE_OTHER", message);
}

/** The mark of the newest row: a restored database does not have it, or another one in its place. */
function markOf(row: ExitRecord): NonNullable<KnownDatabase["newest"]> {
  const certificateHash = row.certificate.get("CertificateHash");
  return {
    id: row.context,
    submittedMs: rowDateMs(row, "SubmittedWhen") ?? null,
    certificateHash: typeof certificateHash === "string" ? certificateHash : null,
  };
}

async function refuseRestored(
  database: CaDatabase,
  { known, newest: now }: { known: KnownDatabase | undefined; newest: ExitRecord | undefined },
  signal: AbortSignal,
): Promise<void> {
  const mark = known?.newest;
  if (mark === undefined) return;
  const text = `row ${mark.id}, the newest of an earlier run`;
  if (now === undefined || now.context < mark.id) {
    throw restored(`${text}, is not there, and there is no later one`);
  }
  const row = now.context === mark.id ? now : await database.row(mark.id, signal, "scan");
  if (row === undefined) return; // deleted: it is not the last one
  const found = markOf(row);
  const isSame =
    found.submittedMs === mark.submittedMs &&
    // A request that was pending may have got its certificate since.
    (mark.certificateHash === null || found.certificateHash === mark.certificateHash);
  if (!isSame) throw restored(`${text}, is another request now`);
}

function restored(message: string): CertwireError {
  return new CertwireError("CERTWIRE_CA_DATABASE_RESTORED", message);
}
