import * as der from "../../simulate/der-writer.ts";
import type { SeededRandom } from "../../simulate/seeded-random.ts";
import { createRsaKey, publicParts, type SigningKey } from "../../simulate/signing-key.ts";
import { loadLibrary } from "../libraries.ts";

/** The keys that the kit can make. ECDSA needs `@noble/curves`, ML-DSA needs `@noble/post-quantum`. */
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

type Curves = typeof import("@noble/curves/nist.js");
type MlDsa = typeof import("@noble/post-quantum/ml-dsa.js");

const curves = {
  "p-256": {
    name: "p256",
    bits: 256,
    oid: "1.2.840.10045.3.1.7",
    signature: "1.2.840.10045.4.3.2",
  },
  "p-384": { name: "p384", bits: 384, oid: "1.3.132.0.34", signature: "1.2.840.10045.4.3.3" },
  "p-521": { name: "p521", bits: 521, oid: "1.3.132.0.35", signature: "1.2.840.10045.4.3.4" },
} as const;

const mlDsaSets = {
  "ml-dsa-44": { name: "ml_dsa44", oid: "2.16.840.1.101.3.4.3.17" },
  "ml-dsa-65": { name: "ml_dsa65", oid: "2.16.840.1.101.3.4.3.18" },
  "ml-dsa-87": { name: "ml_dsa87", oid: "2.16.840.1.101.3.4.3.19" },
} as const;

const rsaBits = { "rsa-2048": 2048, "rsa-3072": 3072, "rsa-4096": 4096 } as const;

const ecKeyOid = "1.2.840.10045.2.1";

/**
 * Makes the key that follows from a seed; it protects nothing, since anyone can make it again. Throws
 * CERTWIRE_TESTING_LIBRARY if the library for it is not installed.
 */
export function createKey(random: SeededRandom, kind: KeyKind): SigningKey {
  if (isOf(rsaBits, kind)) return createRsaKey(random, rsaBits[kind]);
  return isOf(curves, kind) ? ecKey(random, kind) : mlDsaKey(random, kind);
}

function isOf<Kind extends string>(table: Record<Kind, unknown>, kind: string): kind is Kind {
  return Object.hasOwn(table, kind);
}

function ecKey(random: SeededRandom, kind: keyof typeof curves): SigningKey {
  const { name, bits, oid, signature } = curves[kind];
  const curve = (loadLibrary("@noble/curves", "/nist.js") as Curves)[name];
  const { secretKey } = curve.keygen(random.bytes(curve.lengths.seed ?? 48));
  const publicKey = Buffer.from(curve.getPublicKey(secretKey, false));
  return {
    kind: "ec",
    bits,
    ...publicParts(ecKeyOid, der.objectIdentifier(oid), publicKey),
    signatureAlgorithm: der.sequence(der.objectIdentifier(signature)),
    // RFC 6979: the nonce follows from key and message, so that the same seed makes the same bytes.
    sign: (data) => Buffer.from(curve.sign(data, secretKey, { format: "der" })),
  };
}

function mlDsaKey(random: SeededRandom, kind: keyof typeof mlDsaSets): SigningKey {
  const { name, oid } = mlDsaSets[kind];
  const scheme = (loadLibrary("@noble/post-quantum", "/ml-dsa.js") as MlDsa)[name];
  const { secretKey, publicKey } = scheme.keygen(random.bytes(scheme.lengths.seed ?? 32));
  return {
    kind: "ml-dsa",
    bits: publicKey.length * 8,
    // RFC 9881: the parameters are absent.
    ...publicParts(oid, undefined, Buffer.from(publicKey)),
    signatureAlgorithm: der.sequence(der.objectIdentifier(oid)),
    sign: (data) => Buffer.from(scheme.sign(data, secretKey, { extraEntropy: false })),
  };
}
