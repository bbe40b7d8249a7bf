import { dispositions } from "../exit/ca-codes.ts";
import type { ExitRecord, RecordValue } from "../exit/record.ts";
import { ownCaId } from "./ca-identity.ts";
import { contentHash, contentId } from "./content-id.ts";
import { type EventOptions, rowEnvelope } from "./envelope.ts";
import type { CertwireEvent, EventKind, TimeBasis } from "./event.ts";
import { requestEvent } from "./request-event.ts";
import { filetimeOf, oleDateMs } from "./times.ts";

/** Columns of the request that tell about a later state than the issue of the certificate. */
const laterState: ReadonlySet<string> = new Set([
  "Disposition",
  "DispositionMessage",
  "StatusCode",
  "RevokedReason",
  "RevokedWhen",
  "RevokedEffectiveWhen",
]);

/** RequestFlags of a certificate that the CA made for the exchange of keys: 0x4 and 0x8. */
const exchangeFlags = 0xc;
const originImported = 6;

/** What a row says has happened, from the state in which it is now. */
interface RowFact {
  readonly kind: EventKind;
  /** The column with the time when it happened. */
  readonly when: RowTime;
  /** The row, without what came later. */
  readonly record: ExitRecord;
}

type RowTime = Exclude<TimeBasis, "observed">;

const columnOf = {
  revokedWhen: "RevokedWhen",
  resolvedWhen: "ResolvedWhen",
  submittedWhen: "SubmittedWhen",
} as const satisfies Record<RowTime, string>;

/** Something that a row says has happened, as far as a scan of the database shows it. */
export interface ScannedFact {
  readonly kind: EventKind;
  /** The content id of its event; `undefined` if a part of it is missing. */
  readonly contentId: string | undefined;
  /** When it happened, in ms since 1970; `undefined` if the row does not say. */
  readonly timeMs: number | undefined;
}

/**
 * What a row says has happened, in that order: what `rowEvents` makes events of. The columns of a scan are enough; they do
 * not tell an imported certificate of this CA from one that was issued, and neither does its content id.
 */
export function rowFacts(row: ExitRecord): ScannedFact[] {
  return factsOf(row).map(({ kind, when, record }) => ({
    kind,
    contentId: contentId(kind, record),
    timeMs: rowDateMs(row, columnOf[when]),
  }));
}

/** A date of the request in ms since 1970; `undefined` if the row has none. */
export function rowDateMs({ request }: ExitRecord, column: string): number | undefined {
  return msOf(request.get(column));
}

/**
 * The events that a row of the CA's database stands for, in the order in which they happened; none for a request that
 * is being processed, for the CA's own certificates, and for a state that is not known. The database keeps only the last
 * state of a request: what was before, such as that it was pending, cannot be told, and is not made up. `row` is the
 * record of a whole row with the properties of the CA. Every reading of the same row gives the same ids.
 */
export function rowEvents(row: ExitRecord, options: EventOptions): CertwireEvent[] {
  const caId = ownCaId(row) ?? "unknown";
  return factsOf(row).map((fact) => {
    const { kind } = fact;
    const content = requestEvent(fact.record, kind, caId, options);
    const id = `db-${content.contentId ?? rowHash(kind, row)}`;
    return rowEnvelope(content, { id, ...timeOf(fact, row), readTime: row.time }, options);
  });
}

function factsOf(row: ExitRecord): RowFact[] {
  const disposition = row.request.get("Disposition");
  switch (disposition) {
    case dispositions.pending:
      return [{ kind: "request.pending", when: "submittedWhen", record: row }];
    case dispositions.denied:
      return [{ kind: "request.denied", when: "resolvedWhen", record: row }];
    case dispositions.failed:
      return [{ kind: "request.failed", when: "resolvedWhen", record: row }];
    case dispositions.foreign:
      return [{ kind: "certificate.imported", when: "resolvedWhen", record: row }];
    case dispositions.revoked:
      return [
        { kind: issueKind(row), when: "resolvedWhen", record: asIssued(row) },
        { kind: "certificate.revoked", when: "revokedWhen", record: row },
      ];
    case dispositions.issued:
      if (!isReleased(row)) return [{ kind: issueKind(row), when: "resolvedWhen", record: row }];
      return [
        { kind: issueKind(row), when: "resolvedWhen", record: asIssued(row) },
        { kind: "certificate.unrevoked", when: "revokedWhen", record: row },
      ];
    default:
      return [];
  }
}

/** A certificate of this CA that was imported has no request, and extensions that say so. */
function issueKind({ request, extensions }: ExitRecord): EventKind {
  const flags = request.get("RequestFlags");
  const isExchange = typeof flags === "number" && (flags & exchangeFlags) === exchangeFlags;
  const raw = request.get("RawRequest");
  const hasRequest = raw !== undefined && !(Buffer.isBuffer(raw) && raw.length === 0);
  const isImported = extensions.some(({ flags: each }) => ((each >> 16) & 0xf) === originImported);
  return !hasRequest && !isExchange && isImported ? "certificate.imported" : "certificate.issued";
}

/** The end of a hold leaves -1 as the reason, signed or not. */
function isReleased({ request }: ExitRecord): boolean {
  const reason = request.get("RevokedReason");
  return typeof reason === "number" && (reason | 0) === -1;
}

function asIssued(row: ExitRecord): ExitRecord {
  const request = new Map([...row.request].filter(([name]) => !laterState.has(name)));
  return { ...row, request };
}

/** The time of the fact's column, else of the best one there is, else of the reading; and which, unless the first. */
function timeOf(
  { when }: RowFact,
  { request, time }: ExitRecord,
): { time: bigint; timeBasis: TimeBasis | undefined } {
  for (const basis of [when, "resolvedWhen", "submittedWhen"] as const) {
    const ms = msOf(request.get(columnOf[basis]));
    if (ms === undefined) continue;
    return { time: filetimeOf(ms), timeBasis: basis === when ? undefined : basis };
  }
  return { time, timeBasis: "observed" };
}

function msOf(value: RecordValue | undefined): number | undefined {
  return typeof value === "object" && "oleDate" in value ? oleDateMs(value.oleDate) : undefined;
}

/** Stands in the id of an event that lacks a part of its content id. */
export function rowHash(kind: EventKind, { ca, context }: ExitRecord): string {
  const name = ca.get("SanitizedCAName");
  return contentHash(["row", typeof name === "string" ? name : "", context, kind]);
}
