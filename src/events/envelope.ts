import type { Frame } from "../journal/frame.ts";
import type { CertwireEvent, EventKind } from "./event.ts";
import { filetimeText } from "./times.ts";

/** How events are named. */
export interface EventOptions {
  /** CloudEvents `source`; default `urn:certwire:ca:<CA id>`. */
  readonly source?: string | undefined;
  /** What stands in front of every type. Default `io.certwire.`. */
  readonly typePrefix?: string | undefined;
  /**
   * Publishes requests as a whole, with the challenge password blanked; default false: only their
   * length and SHA-256.
   */
  readonly includeRawRequest?: boolean | undefined;
  /** Marks the events as replayed. Default false. */
  readonly replayed?: boolean | undefined;
}

/** What differs between the events of one frame. */
export interface EventParts {
  readonly kind: EventKind;
  /** Index within the frame, part of the id. */
  readonly index: number;
  readonly caId: string;
  /** FILETIME of what happened. */
  readonly time: bigint;
  readonly requestId?: number | string | undefined;
  readonly subject?: string | undefined;
  readonly data: Record<string, unknown>;
}

/** Major version of all event types and of their schemas. */
const version = "v1";

/** URI of the JSON Schema of the data of a kind of event. */
export function schemaUri(kind: EventKind): string {
  return `urn:certwire:schema:${kind}:${version}`;
}

/** Wraps the data of an event into its CloudEvents attributes. */
export function envelope(frame: Frame, parts: EventParts, options: EventOptions): CertwireEvent {
  const { kind, caId, requestId, subject } = parts;
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
    ...(options.replayed ? { replayed: true as const } : {}),
    data: parts.data,
  };
}

function sortableSequence({ epochNumber, sequence }: Frame): string {
  return `${epochNumber.toString().padStart(10, "0")}-${sequence.toString().padStart(20, "0")}`;
}
