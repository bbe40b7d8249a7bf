import type { Frame } from "../journal/frame.ts";
import type { CertwireEvent, EventKind } from "./event.ts";
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

/** What differs between the events of one frame. */
export interface EventParts {
  readonly kind: EventKind;
  /** Index within the frame; the last part of the event's id. */
  readonly index: number;
  readonly caId: string;
  /** When it happened: 100 ns since 1601-01-01 UTC (FILETIME). */
  readonly time: bigint;
  /** Decimal. Becomes part of the partition key; absent for an event of the CA itself. */
  readonly requestId?: string | undefined;
  /** CloudEvents `subject`; absent if there is none. */
  readonly subject?: string | undefined;
  /** CloudEvents extension `contentid`; absent if there is none. */
  readonly contentId?: string | undefined;
  readonly data: Record<string, unknown>;
}

/** Major version of all event types and of their schemas. */
const version = "v1";

/** URI of the JSON Schema for `data` of an event of this kind. */
export function schemaUri(kind: EventKind): string {
  return `urn:certwire:schema:${kind}:${version}`;
}

/** Adds the CloudEvents attributes to the data of an event. */
export function envelope(frame: Frame, parts: EventParts, options: EventOptions): CertwireEvent {
  const { kind, caId, requestId, subject, contentId } = parts;
  const owner = options.source ?? caId;
  return {
    specversion: "1.0",
    id: `${frame.epochId}-${frame.sequence}-${parts.index}`,
    source: options.source ?? `urn:certwire:ca:${caId}`,
    type: `${options.typePrefix ?? "io.certwire."}${kind}.${version}`,
    ...(subject === undefined ? {} : { subject }),
    time: filetimeText(parts.time),
    datacontenttype: "application/json",
    dataschema: schemaUri(kind),
    sequence: sortableSequence(frame),
    partitionkey: requestId === undefined ? owner : `${owner}:${requestId}`,
    recordedtime: filetimeText(frame.time),
    ...(contentId === undefined ? {} : { contentid: contentId }),
    ...(options.replayed ? { replayed: true as const } : {}),
    data: parts.data,
  };
}

function sortableSequence({ epochNumber, sequence }: Frame): string {
  return `${epochNumber.toString().padStart(10, "0")}-${sequence.toString().padStart(20, "0")}`;
}
