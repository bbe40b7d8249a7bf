import type { Frame } from "../journal/frame.ts";
import type { CertwireEvent, EventKind, TimeBasis } from "./event.ts";
import { filetimeText } from "./times.ts";

/**
 * How much an event says: `standard` leaves out what the certificate or CRL in the same event says already, `full`
 * has every property that the exit module read.
 */
export type Detail = "standard" | "full";

/** How events are built from records. */
export interface EventOptions {
  /** CloudEvents `source`. Default `urn:certwire:ca:<CA id>`. */
  readonly source?: string | undefined;
  /** Prefix of every event type. Default `io.certwire.`. */
  readonly typePrefix?: string | undefined;
  /**
   * True to publish whole requests, with the challenge password blanked. Default false: only their length
   * and SHA-256.
   */
  readonly includeRawRequest?: boolean | undefined;
  /** Default `standard`. */
  readonly detail?: Detail | undefined;
  /** True to mark the events as replayed. Default false. */
  readonly replayed?: boolean | undefined;
}

/** What an event is about, wherever it is from. */
export interface EventContent {
  readonly kind: EventKind;
  readonly caId: string;
  /** Decimal. Becomes part of the partition key; absent for an event of the CA itself. */
  readonly requestId?: string | undefined;
  /** CloudEvents `subject`; absent if there is none. */
  readonly subject?: string | undefined;
  /** CloudEvents extension `contentid`; absent if there is none. */
  readonly contentId?: string | undefined;
  readonly data: Record<string, unknown>;
}

/** What differs between the events of one frame, besides what they are about. */
export interface EventPlace {
  /** Index within the frame; the last part of the event's id. */
  readonly index: number;
  /** When it happened: 100 ns since 1601-01-01 UTC (FILETIME). */
  readonly time: bigint;
}

/** Major version of all event types and of their schemas. */
const version = "v1";

/** URI of the JSON Schema for `data` of an event of this kind. */
export function schemaUri(kind: EventKind): string {
  return `urn:certwire:schema:${kind}:${version}`;
}

/** Adds the CloudEvents attributes to the data of an event that is in the journal. */
export function envelope(
  frame: Frame,
  content: EventContent,
  { index, time }: EventPlace,
  options: EventOptions,
): CertwireEvent {
  const place = {
    id: `${frame.epochId}-${frame.sequence}-${index}`,
    time,
    recordedTime: frame.time,
    inJournal: { sequence: sortableSequence(frame) },
    ...(frame.hashes && {
      evidence: { previoushash: frame.hashes.previous, recordhash: frame.hashes.record },
    }),
  };
  return cloudEvent(place, content, options);
}

/** What an event has that was made of a row of the CA's database. */
export interface RowParts {
  readonly id: string;
  /** When it happened, in the form of `EventPlace.time`. */
  readonly time: bigint;
  /** Where `time` is from; absent for the column that is meant for such an event. */
  readonly timeBasis: TimeBasis | undefined;
  /** When the row was read. */
  readonly readTime: bigint;
}

/** Adds the CloudEvents attributes to the data of an event that is from the CA's database. */
export function rowEnvelope(
  parts: EventContent,
  { id, time, timeBasis, readTime }: RowParts,
  options: EventOptions,
): CertwireEvent {
  const inDatabase = {
    origin: "database" as const,
    ...(timeBasis === undefined ? {} : { timebasis: timeBasis }),
  };
  return cloudEvent({ id, time, recordedTime: readTime, inDatabase }, parts, options);
}

/** What depends on where an event is from. */
interface Provenance {
  readonly id: string;
  readonly time: bigint;
  readonly recordedTime: bigint;
  readonly inJournal?: Pick<CertwireEvent, "sequence">;
  readonly evidence?: Pick<CertwireEvent, "previoushash" | "recordhash">;
  readonly inDatabase?: Pick<CertwireEvent, "origin" | "timebasis">;
}

function cloudEvent(
  { id, time, recordedTime, inJournal, evidence, inDatabase }: Provenance,
  { kind, caId, requestId, subject, contentId, data }: EventContent,
  options: EventOptions,
): CertwireEvent {
  const owner = options.source ?? caId;
  return {
    specversion: "1.0",
    id,
    source: options.source ?? `urn:certwire:ca:${caId}`,
    type: `${options.typePrefix ?? "io.certwire."}${kind}.${version}`,
    ...(subject === undefined ? {} : { subject }),
    time: filetimeText(time),
    datacontenttype: "application/json",
    dataschema: schemaUri(kind),
    ...inJournal,
    partitionkey: requestId === undefined ? owner : `${owner}:${requestId}`,
    recordedtime: filetimeText(recordedTime),
    ...evidence,
    ...(contentId === undefined ? {} : { contentid: contentId }),
    ...inDatabase,
    ...(options.replayed ? { replayed: true as const } : {}),
    data,
  };
}

function sortableSequence({ epochNumber, sequence }: Frame): string {
  return `${epochNumber.toString().padStart(10, "0")}-${sequence.toString().padStart(20, "0")}`;
}
