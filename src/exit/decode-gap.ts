import { decodeCbor, undecodable, unsignedMember } from "./decode-cbor.ts";

/** A loss in the journal, as its writer or reader described it (docs/reference/record-format.md). */
export interface JournalGap {
  readonly reason: string;
  /** Number of lost events; absent when it is not known. */
  readonly count?: number | bigint | undefined;
  readonly firstSequence?: number | bigint | undefined;
  readonly lastSequence?: number | bigint | undefined;
  /** 100 ns since 1601-01-01 UTC. */
  readonly firstTime?: number | bigint | undefined;
  readonly lastTime?: number | bigint | undefined;
  readonly requestIds?: readonly (number | bigint)[] | undefined;
}

/** Decodes the payload of a GAP frame. Throws CERTWIRE_RECORD_UNDECODABLE, and nothing else. */
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
