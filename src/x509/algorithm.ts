import { readOid } from "./oid.ts";
import { algorithmNames } from "./oid-names.ts";
import type { DerReader } from "./reader.ts";

/** An algorithm by its OID. */
export interface Algorithm {
  /** Dotted. */
  readonly oid: string;
  /** Name from `algorithmNames`; absent if the OID is not known there. */
  readonly name?: string;
}

/** Reads the OID of an AlgorithmIdentifier and leaves `reader` after it, at the parameters. */
export function readAlgorithm(reader: DerReader): Algorithm {
  const oid = readOid(reader);
  const name = algorithmNames.get(oid);
  return name === undefined ? { oid } : { oid, name };
}
