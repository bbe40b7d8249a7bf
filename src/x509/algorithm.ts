import { readOid } from "./oid.ts";
import { algorithmNames } from "./oid-names.ts";
import type { DerReader } from "./reader.ts";

/** An algorithm: its OID, and its name where it is known. */
export interface Algorithm {
  readonly oid: string;
  readonly name?: string;
}

/** Reads the OID of an AlgorithmIdentifier; `reader` stands behind it, at the parameters. */
export function readAlgorithm(reader: DerReader): Algorithm {
  const oid = readOid(reader);
  const name = algorithmNames.get(oid);
  return name === undefined ? { oid } : { oid, name };
}
