/** The last part of every event type; the full type is `<prefix><kind>.v1`. */
export const eventKinds = [
  "certificate.issued",
  "certificate.revoked",
  "certificate.unrevoked",
  "certificate.imported",
  "request.pending",
  "request.denied",
  "request.failed",
  "request.retrieved",
  "crl.issued",
  "ca.started",
  "ca.changed",
  "ca.stopped",
  "ca.unrecognized",
  "journal.gap",
] as const;

/** What happened; an event's type without its prefix and version. */
export type EventKind = (typeof eventKinds)[number];

/** The CloudEvents 1.0 attributes of an event: everything except `data`. */
export interface EventAttributes {
  readonly specversion: "1.0";
  /** `<epoch id>-<sequence>-<index>`; the same on retry, restart and replay. */
  readonly id: string;
  /** The CA: `urn:certwire:ca:<CA id>`, or the configured name. */
  readonly source: string;
  /** `<prefix><kind>.v1`. */
  readonly type: string;
  /** What the event is about: `certificate/<serial number>`, `request/<id>` or `crl/<index>/<kind>/<number>`. */
  readonly subject?: string;
  /** When the CA called the exit module: RFC 3339 with milliseconds, UTC. */
  readonly time: string;
  readonly datacontenttype: "application/json";
  /** `urn:certwire:schema:<kind>:v1`. */
  readonly dataschema: string;
  /** Epoch number and sequence, zero-padded, so that it sorts as a string. */
  readonly sequence: string;
  /** Events with the same key keep their order. */
  readonly partitionkey: string;
  /** When the journal recorded the event, in the form of `time`. */
  readonly recordedtime: string;
  /** The same for what the CA's database keeps of the event; absent if the database keeps nothing, or it is not known. */
  readonly contentid?: string;
  /** Present on an event that `certwire replay` sent. */
  readonly replayed?: true;
}

/** A CloudEvents 1.0 event as Certwire publishes it; `TypedEvent` also types `data`. */
export interface CertwireEvent extends EventAttributes {
  /** What happened; its schema depends on the kind. */
  readonly data: Readonly<Record<string, unknown>>;
}
