import { CertwireError } from "../errors/certwire-error.ts";
import { isOutOfMemory } from "../errors/out-of-memory.ts";
import { mebibyte } from "../units.ts";
import { CborReader, type CborTags } from "./cbor-reader.ts";
import type { RepeatedMember } from "./repeated-member.ts";

const maxPayloadBytes = 16 * mebibyte;
const noTags: CborTags = new Map();

/** The error of a payload that does not follow the record format. */
export function undecodable(reason: string, cause?: unknown): CertwireError {
  return new CertwireError("CERTWIRE_RECORD_UNDECODABLE", `record: ${reason}`, { cause });
}

/** Decodes one CBOR map as `CborReader` does. Throws CERTWIRE_RECORD_UNDECODABLE. */
export function decodeCbor(
  payload: Buffer,
  tags: CborTags = noTags,
  repeated?: RepeatedMember,
): CborMap {
  if (payload.length > maxPayloadBytes) throw undecodable(`larger than ${maxPayloadBytes} bytes`);
  let value: unknown;
  try {
    value = new CborReader(payload, tags, repeated).readAll();
  } catch (error) {
    if (error instanceof CertwireError || isOutOfMemory(error)) throw error;
    throw undecodable(error instanceof Error ? error.message : String(error), error);
  }
  if (!(value instanceof Map)) throw undecodable("is not a map");
  return value as CborMap;
}

/** A decoded map; keys and values are still of any type. */
export type CborMap = ReadonlyMap<unknown, unknown>;

/**
 * An integer of at least 0 in a map; `undefined` if it is absent. Throws CERTWIRE_RECORD_UNDECODABLE for any
 * other value.
 */
export function unsignedMember(map: CborMap, key: string): number | bigint | undefined {
  const value = map.get(key);
  if (value === undefined) return undefined;
  if ((typeof value !== "number" && typeof value !== "bigint") || value < 0) {
    throw undecodable(`${key} is not an unsigned integer`);
  }
  return value;
}
