import type { ExitRecord } from "../exit/record.ts";
import { ownCaId } from "./ca-identity.ts";
import { crlContentId } from "./content-id.ts";
import { crlParts, issuedCrls } from "./crl-data.ts";
import { type EventOptions, rowEnvelope } from "./envelope.ts";
import type { CertwireEvent } from "./event.ts";
import { Problems } from "./problems.ts";
import { PropertyGroups } from "./property-groups.ts";
import { rowHash } from "./row-events.ts";
import { filetimeOf } from "./times.ts";

/** A CRL of the CA's database. */
export interface CrlRow {
  /** Record with the properties of the CA and at most one CRL. */
  readonly record: ExitRecord;
  /** When the CA published it, in ms since 1970; `undefined` if that is not known. */
  readonly publishedMs: number | undefined;
}

/** What a row says of its CRL. */
export interface CrlFact {
  /** Subject of its event. */
  readonly subject: string;
  /** The content id of its event. */
  readonly contentId: string;
  /** When it was published, else from when on it is valid, in ms since 1970; `undefined` if neither is known. */
  readonly timeMs: number | undefined;
  /** Which of the CA's certificates it is about, from 1; `undefined` for a CRL about all of them. */
  readonly partition: number | undefined;
}

/** What a row says of its CRL; `undefined` if it holds none. */
export function crlRowFact({ record, publishedMs }: CrlRow): CrlFact | undefined {
  const [issued] = issuedCrls(record);
  const contentId = crlContentId(issued?.sha256);
  if (issued === undefined || contentId === undefined) return undefined;
  const { subject, thisUpdate, partition } = issued;
  const timeMs = publishedMs ?? (thisUpdate === undefined ? undefined : Date.parse(thisUpdate));
  return { subject, contentId, timeMs, partition };
}

/**
 * The event of a CRL in the CA's database; `undefined` if the row holds none. Every reading of the same CRL gives the same
 * id.
 */
export function crlRowEvent(
  { record, publishedMs }: CrlRow,
  options: EventOptions,
): CertwireEvent | undefined {
  if (record.crls.length === 0) return undefined;
  const kind = "crl.issued";
  const caId = ownCaId(record) ?? "unknown";
  const problems = new Problems(record.problems);
  const groups = new PropertyGroups(problems, options.detail);
  const ca = groups.ca(caId, record.ca, "brief");
  const [part] = crlParts(record, problems);
  // Which others were current then, the row does not say.
  const { current: _current, ...crlData } = part?.data ?? {};
  const contentId = crlContentId(part?.sha256);
  const data = { ca, ...groups.unknownMember, ...crlData };
  const content = { kind, caId, subject: part?.subject, contentId, data } as const;
  const id = `db-${contentId ?? rowHash(kind, record)}`;
  const when =
    publishedMs === undefined
      ? ({ time: record.time, timeBasis: "observed" } as const)
      : ({ time: filetimeOf(publishedMs), timeBasis: undefined } as const);
  return rowEnvelope(content, { id, ...when, readTime: record.time }, options);
}
