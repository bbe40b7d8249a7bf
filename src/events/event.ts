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
  "reconcile.finding",
] as const;

/** What happened; an event's type without its prefix and version. */
export type EventKind = (typeof eventKinds)[number];

/** Column of the CA's database that a time is from; `observed`: no column has one, and it is that of the reading. */
export type TimeBasis = "revokedWhen" | "resolvedWhen" | "submittedWhen" | "observed";

/** The CloudEvents 1.0 attributes of an event: everything except `data`. */
export interface EventAttributes {
  readonly specversion: "1.0";
  /**
   * `<epoch id>-<sequence>-<index>`, of an event from the CA's database `db-` and 22 characters, of a finding `rf-` and 22
   * characters; the same on retry, restart and replay.
   */
  readonly id: string;
  /** The CA: `urn:certwire:ca:<CA id>`, or the configured name. */
  readonly source: string;
  /** `<prefix><kind>.v1`. */
  readonly type: string;
  /** What the event is about: `certificate/<serial number>`, `request/<id>` or `crl/<index>/<kind>/<number>`. */
  readonly subject?: string;
  /** When the CA called the exit module, or what the database says: RFC 3339 with milliseconds, UTC. */
  readonly time: string;
  readonly datacontenttype: "application/json";
  /** `urn:certwire:schema:<kind>:v1`. */
  readonly dataschema: string;
  /** Epoch number and sequence, zero-padded, so that it sorts as a string; absent on an event from the CA's database. */
  readonly sequence?: string;
  /** Events with the same key keep their order. */
  readonly partitionkey: string;
  /** When the journal recorded the event, or the row of the database was read, in the form of `time`. */
  readonly recordedtime: string;
  /** `recordhash` of the record before it in the journal; absent if `recordhash` is. */
  readonly previoushash?: string;
  /**
   * The journal's chain value of the record: SHA-256 in hex, over the record and `previoushash`. The events of one record
   * have the same. Absent from a gap that the service found, which has no record.
   */
  readonly recordhash?: string;
  /** The same for what the CA's database keeps of the event; absent if the database keeps nothing, or it is not known. */
  readonly contentid?: string;
  /** Present on an event that comes from reading the CA's database, not from the journal. */
  readonly origin?: "database";
  /** Present on an event from the CA's database whose `time` is not from the column that is meant for it. */
  readonly timebasis?: TimeBasis;
  /** Present on an event that `certwire replay` sent. */
  readonly replayed?: true;
}

/** A CloudEvents 1.0 event as Certwire publishes it; `TypedEvent` also types `data`. */
export interface CertwireEvent extends EventAttributes {
  /** What happened; its schema depends on the kind. */
  readonly data: Readonly<Record<string, unknown>>;
}
