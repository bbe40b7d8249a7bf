import { decodeCbor, undecodable, unsignedMember } from "./decode-cbor.ts";

/**
 * A loss in the journal, as its writer recorded it or its reader found it
 * (docs/reference/record-format.md). What is not known is absent.
 */
export interface JournalGap {
  /** A word such as `disk-full` or `unclean-stop`. */
  readonly reason: string;
  /** Number of lost events. */
  readonly count?: number | bigint | undefined;
  /** Sequence of the first lost event, or of the first that may be lost. */
  readonly firstSequence?: number | bigint | undefined;
  readonly lastSequence?: number | bigint | undefined;
  /** When the loss began: 100 ns since 1601-01-01 UTC. */
  readonly firstTime?: number | bigint | undefined;
  readonly lastTime?: number | bigint | undefined;
  /** Request IDs of up to 64 of the lost events. */
  readonly requestIds?: readonly (number | bigint)[] | undefined;
}

/** Decodes the payload of a GAP frame. Throws only CERTWIRE_RECORD_UNDECODABLE. */
export function decodeGap(payload: Buffer): JournalGap {
  const map = decodeCbor(payload);
  const reason = map.get("reason");
  if (typeof reason !== "string") throw undecodable("gap has no reason");
  return {
    reason,
    count: unsignedMember(map, "count"),
    firstSequence: unsignedMember(map, "firstSequence"),
    lastSequence: unsignedMember(map, "lastSequence"),
    firstTime: unsignedMember(map, "firstTime"),
    lastTime: unsignedMember(map, "lastTime"),
    requestIds: requestIdsOf(map.get("requestIds")),
  };
}

function requestIdsOf(value: unknown): readonly (number | bigint)[] | undefined {
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || !value.every(isInteger)) {
    throw undecodable("request IDs of a gap are not integers");
  }
  return value;
}

function isInteger(value: unknown): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}
