import { contentHash } from "./content-id.ts";
import { type EventOptions, rowEnvelope } from "./envelope.ts";
import type { CertwireEvent } from "./event.ts";
import { filetimeOf } from "./times.ts";

/** What a comparison of journal and CA's database may say of a request or CRL that somebody should check. */
export const findingClasses = ["missing", "state", "changed", "unknown", "deleted"] as const;

/** One of `findingClasses`. */
export type FindingClass = (typeof findingClasses)[number];

/** `open` when a comparison finds it, `resolved` when a later one does not find it any more. */
export const findingStates = ["open", "resolved"] as const;

/** One of `findingStates`. */
export type FindingState = (typeof findingStates)[number];

/** What the scheduled comparison reports of one finding. Times are in ms since 1970. */
export interface ReportedFinding {
  /** Number of the report, from 1: the same finding may be open again after it was resolved. */
  readonly number: number;
  readonly state: FindingState;
  readonly class: FindingClass;
  readonly ca: { readonly id: string; readonly name: string };
  /** Absent for a CRL. */
  readonly requestId?: number | undefined;
  /** Subject of the CRL's own event; absent for a request. */
  readonly crl?: string | undefined;
  /** Kinds of the events that the journal lacks. */
  readonly missing: readonly string[];
  /** When the last of it happened; absent if that is not known. */
  readonly happenedMs?: number | undefined;
  /** What differs, for people. */
  readonly detail?: string | undefined;
  /** When it was found, and if it is resolved, when that was found. */
  readonly foundMs: number;
  readonly resolvedMs?: number | undefined;
}

/** What differs, for people. `noun`: what the database was compared with, such as `journal`. */
export const findingDetails = {
  state: (noun: string, kinds: readonly string[]): string =>
    `the ${noun} lacks ${kinds.join(" and ")}`,
  changed: (noun: string): string => `${noun} and database have different certificates`,
  deleted: (noun: string, kind: string): string =>
    `the ${noun} has ${kind}, and the database has no row`,
  unknown: (disposition: number | string): string => `disposition ${disposition}`,
} as const;

/** The event of a report. The same report always gives the same id. */
export function findingEvent(report: ReportedFinding, options: EventOptions): CertwireEvent {
  const { number, state, ca, requestId, crl, missing, happenedMs, detail, foundMs } = report;
  const data = {
    ca,
    state,
    class: report.class,
    ...(requestId !== undefined && { request: { requestId } }),
    missing,
    ...(happenedMs !== undefined && { happenedTime: new Date(happenedMs).toISOString() }),
    foundTime: new Date(foundMs).toISOString(),
    ...(detail !== undefined && { detail }),
    problems: [],
  };
  const subject = crl ?? `request/${requestId}`;
  const lines = ["finding", ca.id, String(number), state, report.class, subject];
  const time = filetimeOf(report.resolvedMs ?? foundMs);
  const parts = { id: `rf-${contentHash(lines)}`, time, timeBasis: undefined, readTime: time };
  const about = requestId === undefined ? {} : { requestId: String(requestId) };
  const content = { kind: "reconcile.finding", caId: ca.id, subject, data, ...about } as const;
  return rowEnvelope(content, parts, options);
}
