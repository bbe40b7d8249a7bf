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
  "ca.stopped",
  "ca.unrecognized",
  "journal.gap",
] as const;

/** Kind of an event. */
export type EventKind = (typeof eventKinds)[number];

/** The CloudEvents 1.0 attributes of an event: all of it but its data. */
export interface EventAttributes {
  readonly specversion: "1.0";
  /** `<epoch id>-<sequence>-<index>`; the same on retry, restart and replay. */
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject?: string;
  /** RFC 3339 with 7 fractional digits, UTC. */
  readonly time: string;
  readonly datacontenttype: "application/json";
  readonly dataschema: string;
  /** Sortable string: epoch number and sequence, zero-padded. */
  readonly sequence: string;
  /** Events with the same key keep their order. */
  readonly partitionkey: string;
  /** When the journal recorded the event. */
  readonly recordedtime: string;
  readonly replayed?: true;
}

/** A CloudEvents 1.0 event of Certwire. */
export interface CertwireEvent extends EventAttributes {
  readonly data: Readonly<Record<string, unknown>>;
}
