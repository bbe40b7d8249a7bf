import { loadLibrary } from "../../libraries.ts";
import type { SeededRandom } from "../../simulate/seeded-random.ts";
import {
  type CurveName,
  createEcKey,
  createRsaKey,
  publicParts,
  type SigningKey,
} from "../../simulate/signing-key.ts";
import { usageError } from "../ca/usage-error.ts";

/** The keys that the kit can make. ML-DSA needs `@noble/post-quantum`. */
export type KeyKind =
  | "rsa-2048"
  | "rsa-3072"
  | "rsa-4096"
  | "p-256"
  | "p-384"
  | "p-521"
  | "ml-dsa-44"
  | "ml-dsa-65"
  | "ml-dsa-87";

type MlDsa = typeof import("@noble/post-quantum/ml-dsa.js");

const rsaBits = { "rsa-2048": 2048, "rsa-3072": 3072, "rsa-4096": 4096 } as const;

const curves = { "p-256": "P-256", "p-384": "P-384", "p-521": "P-521" } as const satisfies Record<
  string,
  CurveName
>;

const mlDsaSets = {
  "ml-dsa-44": { name: "ml_dsa44", oid: "2.16.840.1.101.3.4.3.17" },
  "ml-dsa-65": { name: "ml_dsa65", oid: "2.16.840.1.101.3.4.3.18" },
  "ml-dsa-87": { name: "ml_dsa87", oid: "2.16.840.1.101.3.4.3.19" },
} as const;

/**
 * Makes the key that follows from a seed; it protects nothing, since anyone can make it again. Throws
 * CERTWIRE_OPTIONAL_LIBRARY if the library for it is not installed, CERTWIRE_TESTING_OPTIONS for an unknown kind.
 */
export function createKey(random: SeededRandom, kind: KeyKind): SigningKey {
  if (isOf(rsaBits, kind)) return createRsaKey(random, rsaBits[kind]);
  if (isOf(curves, kind)) return createEcKey(random, curves[kind]);
  if (isOf(mlDsaSets, kind)) return mlDsaKey(random, kind);
  const kinds = [rsaBits, curves, mlDsaSets].flatMap((table) => Object.keys(table));
  throw usageError(
    `key: "${String(kind)}" is not a kind of key`,
    `Take one of ${kinds.join(", ")}.`,
  );
}

function isOf<Kind extends string>(table: Record<Kind, unknown>, kind: string): kind is Kind {
  return Object.hasOwn(table, kind);
}

function mlDsaKey(random: SeededRandom, kind: keyof typeof mlDsaSets): SigningKey {
  const { name, oid } = mlDsaSets[kind];
  const scheme = (loadLibrary("@noble/post-quantum", "/ml-dsa.js") as MlDsa)[name];
  const { secretKey, publicKey } = scheme.keygen(random.bytes(scheme.lengths.seed ?? 32));
  return {
    kind: "ml-dsa",
    bits: publicKey.length * 8,
    // RFC 9881: the parameters are absent.
    ...publicParts({ oid }, Buffer.from(publicKey)),
    signatureAlgorithm: { oid },
    sign: (data) => Buffer.from(scheme.sign(data, secretKey, { extraEntropy: false })),
  };
}
