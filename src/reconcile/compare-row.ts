import { contentId } from "../events/content-id.ts";
import { findingDetails } from "../events/finding-event.ts";
import { rowDateMs, rowFacts, type ScannedFact } from "../events/row-events.ts";
import { dispositions } from "../exit/ca-codes.ts";
import type { ExitRecord, RecordValue } from "../exit/record.ts";
import { hasContentId, type IndexEntry } from "./content-index.ts";
import type { Contents } from "./journal-contents.ts";

/** What a comparison says of a request, and what that means. The how-to has the same (tested). */
export const classMeanings = {
  both: "journal and database say the same",
  missing: "only in the database: never recorded",
  state: "in both, and one lacks what happened last",
  changed: "in both, with different certificates",
  backfilled: "not in the journal, and published by a backfill",
  history: "from before what the journal covers",
  unsettled: "too young to compare, or being processed",
  own: "the CA's own certificates, of which there are no events",
  unknown: "a state of the database that this version does not know",
  deleted: "only in the journal: the row was deleted",
  unstored: "only in the journal: its template is not stored",
} as const;

/** One of `classMeanings`. */
export type RequestClass = keyof typeof classMeanings;

/** The classes, in the order in which they are shown. */
export const requestClasses = Object.keys(classMeanings) as readonly RequestClass[];

/** What is found of one request. */
export interface Comparison {
  readonly class: RequestClass;
  /** What the journal does not have, in the order in which it happened. */
  readonly missing: readonly ScannedFact[];
  /** What differs, for people; absent if nothing does. */
  readonly detail?: string;
}

/** What a comparison needs to know. */
export interface ComparisonLimits {
  /** When the row was read, in ms since 1970. */
  readonly readMs: number;
  /** When the journal was read, in ms since 1970; `undefined`: with the row. */
  readonly knownUntilMs: number | undefined;
  /** How long before both something may have happened that is not in the journal yet, in ms. */
  readonly settleMs: number;
  /** From when on the journal's contents are whole, in ms since 1970; `undefined` if they are empty. */
  readonly coveredSinceMs: number | undefined;
  /** How else than the row they write the name of its CA, which is a part of content ids. */
  readonly otherNames: readonly string[];
  /** What to call them. */
  readonly noun: Contents["noun"];
}

const ownDispositions: ReadonlySet<RecordValue | undefined> = new Set([
  dispositions.caCertificate,
  dispositions.caCertificateChain,
  dispositions.kraCertificate,
]);

/** A date of the database may have been rounded to another second than that of the exit module, in s. */
const roundings = [-1, 1] as const;

/** Compares a row of the database, as a scan reads it, with what the journal says of the same request. */
export function compareRow(
  row: ExitRecord,
  entries: readonly IndexEntry[],
  limits: ComparisonLimits,
): Comparison {
  const disposition = row.request.get("Disposition");
  if (ownDispositions.has(disposition)) return { class: "own", missing: [] };
  if (disposition === dispositions.active) return { class: "unsettled", missing: [] };
  const facts = rowFacts(row);
  if (facts.length === 0) {
    const state = typeof disposition === "number" ? String(disposition) : "unreadable";
    return { class: "unknown", missing: [], detail: findingDetails.unknown(state) };
  }
  const isKnown = (fact: ScannedFact) => entries.some((entry) => isOf(entry, fact, row, limits));
  const missing = facts.filter((fact) => !isKnown(fact));
  if (!isSettled(row, limits)) return { class: "unsettled", missing: [] };
  if (missing.length === 0) return compareStates(facts, entries, row, limits);
  const changed = changedCertificate(missing, entries, limits);
  if (changed !== undefined) {
    const others = missing.filter(({ kind }) => groupOf(kind) !== "certificate.issued");
    return { class: "changed", missing: others, detail: changed };
  }
  const lost = missing.filter((fact) => !isHistory(fact, limits));
  if (lost.length === 0) return { class: "history", missing };
  const isUnknown = entries.length === 0 && missing.length === facts.length;
  if (isUnknown) return { class: "missing", missing };
  const detail = findingDetails.state(
    limits.noun,
    lost.map(({ kind }) => kind),
  );
  return { class: "state", missing, detail };
}

/** What the journal says of a request that the database does not have; `undefined` while that may still change. */
export function compareAbsent(
  entries: readonly IndexEntry[],
  limits: ComparisonLimits,
): Comparison | undefined {
  if (entries.some(({ timeSeconds }) => isYoung(timeSeconds * 1000, limits))) return undefined;
  const isUnstored = entries.some((entry) => entry.isUnstored);
  return { class: isUnstored ? "unstored" : "deleted", missing: [] };
}

function isOf(
  entry: IndexEntry,
  fact: ScannedFact,
  row: ExitRecord,
  { otherNames }: ComparisonLimits,
): boolean {
  // Without an id on one side, only the request and what happened to it can be compared.
  if (entry.contentId === undefined || fact.contentId === undefined) {
    return isSameKind(entry, fact);
  }
  if (hasContentId(entry, fact.contentId)) return true;
  if (!isSameKind(entry, fact)) return false;
  const named = [row, ...otherNames.map((name) => renamed(row, name))];
  const others = named.flatMap((each) => roundings.map((seconds) => shifted(each, seconds)));
  return [...named.slice(1), ...others].some((each) => {
    const other = contentId(fact.kind, each);
    return other !== undefined && hasContentId(entry, other);
  });
}

/** A scan does not tell issued from imported. */
function isSameKind(entry: IndexEntry, { kind }: ScannedFact): boolean {
  return groupOf(entry.kind) === groupOf(kind);
}

function groupOf(kind: string): string {
  return kind === "certificate.imported" ? "certificate.issued" : kind;
}

/** The row of a CA that writes its name in another way. */
function renamed(row: ExitRecord, name: string): ExitRecord {
  return { ...row, ca: new Map(row.ca).set("SanitizedCAName", name) };
}

/** The row with its dates some seconds later. */
function shifted(row: ExitRecord, seconds: number): ExitRecord {
  const request = new Map(row.request);
  for (const name of ["SubmittedWhen", "RevokedWhen"]) {
    const value = request.get(name);
    if (typeof value !== "object" || !("oleDate" in value)) continue;
    const oleDate = Buffer.alloc(8);
    oleDate.writeDoubleLE(value.oleDate.readDoubleLE() + seconds / 86_400);
    request.set(name, { oleDate });
  }
  return { ...row, request };
}

/** A settled row says the same as the last thing that the journal knows of the request. */
function compareStates(
  facts: readonly ScannedFact[],
  entries: readonly IndexEntry[],
  row: ExitRecord,
  limits: ComparisonLimits,
): Comparison {
  const { noun } = limits;
  const settled = entries.filter(({ timeSeconds }) => !isYoung(timeSeconds * 1000, limits));
  const last = noun === "journal" ? settled.slice(-1) : newestOf(settled);
  const isSame = last.some((entry) => facts.some((fact) => isOf(entry, fact, row, limits)));
  if (last.length === 0 || isSame) return { class: "both", missing: [] };
  const detail = `the ${noun} goes on with ${last.at(-1)?.kind}, and the database does not`;
  return { class: "state", missing: [], detail };
}

/** Those of the newest second. A replay or another partition may bring what is older later, so their order says nothing. */
function newestOf(entries: readonly IndexEntry[]): IndexEntry[] {
  const newest = entries.reduce((most, { timeSeconds }) => Math.max(most, timeSeconds), 0);
  return entries.filter(({ timeSeconds }) => timeSeconds === newest);
}

function changedCertificate(
  missing: readonly ScannedFact[],
  entries: readonly IndexEntry[],
  { noun }: ComparisonLimits,
): string | undefined {
  const isChanged = missing.some(
    (fact) =>
      groupOf(fact.kind) === "certificate.issued" &&
      entries.some((entry) => isSameKind(entry, fact)),
  );
  return isChanged ? findingDetails.changed(noun) : undefined;
}

function isHistory({ timeMs }: ScannedFact, { coveredSinceMs }: ComparisonLimits): boolean {
  return coveredSinceMs === undefined || (timeMs !== undefined && timeMs < coveredSinceMs);
}

function isSettled(row: ExitRecord, limits: ComparisonLimits): boolean {
  const dates = ["SubmittedWhen", "ResolvedWhen", "RevokedWhen"];
  return !dates.some((name) => isYoung(rowDateMs(row, name) ?? 0, limits));
}

/**
 * True for what may not be in the journal yet, or happened between the reading of one and the other, however far apart these
 * are. A date after both is the fault of a clock, and is not waited for.
 */
export function isYoung(
  ms: number,
  {
    readMs,
    knownUntilMs = readMs,
    settleMs,
  }: Pick<ComparisonLimits, "readMs" | "knownUntilMs" | "settleMs">,
): boolean {
  const [first, last] = [Math.min(readMs, knownUntilMs), Math.max(readMs, knownUntilMs)];
  return ms > first - settleMs && ms <= last + settleMs;
}
