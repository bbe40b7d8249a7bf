import { checkPrimeSync, createPrivateKey, createPublicKey, hash, sign } from "node:crypto";
import { loadLibrary } from "../libraries.ts";
import { algorithmIdentifier, bytesOf, encode, libraries } from "./asn1.ts";
import type { SeededRandom } from "./seeded-random.ts";

/** An algorithm by its OID. `parameters`: in DER; absent if the algorithm has none. */
export interface Algorithm {
  readonly oid: string;
  readonly parameters?: Buffer;
}

/**
 * A key pair whose signatures are reproducible. These keys protect nothing: they are derived from a seed that
 * anyone may know, so that a simulated CA makes the same bytes on every run.
 */
export interface SigningKey {
  readonly kind: "rsa" | "ec" | "ml-dsa";
  /** Key length in bits. */
  readonly bits: number;
  /** SubjectPublicKeyInfo. */
  readonly publicKeyInfo: Buffer;
  /** Content of the subjectPublicKey bit string. */
  readonly publicKey: Buffer;
  /** The public key's algorithm. */
  readonly algorithm: Algorithm;
  /** SHA-1 of `publicKey`: the key identifier of RFC 5280 4.2.1.2 (1). */
  readonly keyIdentifier: Buffer;
  /** The algorithm of the signatures that `sign` returns. */
  readonly signatureAlgorithm: Algorithm;
  /** Signs `data`; RSA with SHA-256, ECDSA with the hash of the curve's size. */
  sign(data: Uint8Array): Buffer;
}

type Curves = typeof import("@noble/curves/nist.js");
type Modular = typeof import("@noble/curves/abstract/modular.js");

/** Public exponent of all RSA keys. */
const rsaExponent = 65537n;

/** Creates RSA keys from few primes: each pair of primes makes a key, so many keys cost little. */
export function createRsaKeys(random: SeededRandom, bits: number, count: number): SigningKey[] {
  const primes: bigint[] = [];
  const keys: SigningKey[] = [];
  while (keys.length < count) {
    const next = seededPrime(random, bits / 2);
    if (primes.includes(next)) continue;
    keys.push(...primes.slice(0, count - keys.length).map((prime) => rsaKey(next, prime)));
    primes.push(next);
  }
  return keys;
}

/** Creates one RSA key from its own primes. */
export function createRsaKey(random: SeededRandom, bits: number): SigningKey {
  return rsaKey(seededPrime(random, bits / 2), seededPrime(random, bits / 2));
}

/** Small odd primes: a candidate that one of them divides is out without the costly test. */
const smallPrimes = oddPrimesBelow(4000);

function seededPrime(random: SeededRandom, bits: number): bigint {
  const bytes = random.bytes(bits / 8);
  bytes[0] = (bytes[0] ?? 0) | 0xc0; // the two highest bits, so that a product has full length
  const start = BigInt(`0x${bytes.toString("hex")}`) | 1n;
  const remainders = smallPrimes.map((prime) => Number(start % BigInt(prime)));
  for (let step = 0; ; step += 2) {
    if (smallPrimes.some((prime, at) => ((remainders[at] ?? 0) + step) % prime === 0)) continue;
    const candidate = start + BigInt(step);
    if ((candidate - 1n) % rsaExponent !== 0n && checkPrimeSync(candidate, { checks: 8 })) {
      return candidate;
    }
  }
}

function oddPrimesBelow(limit: number): number[] {
  const primes: number[] = [];
  for (let number = 3; number < limit; number += 2) {
    if (primes.every((prime) => number % prime !== 0)) primes.push(number);
  }
  return primes;
}

function rsaKey(p: bigint, q: bigint): SigningKey {
  const { invert } = loadLibrary("@noble/curves", "/abstract/modular.js") as Modular;
  const n = p * q;
  const d = invert(rsaExponent, (p - 1n) * (q - 1n));
  const jwk = {
    kty: "RSA",
    n: base64url(n),
    e: base64url(rsaExponent),
    d: base64url(d),
    p: base64url(p),
    q: base64url(q),
    dp: base64url(d % (p - 1n)),
    dq: base64url(d % (q - 1n)),
    qi: base64url(invert(q, p)),
  };
  const privateKey = createPrivateKey({ key: jwk, format: "jwk" });
  const publicKey = createPublicKey(privateKey).export({ type: "pkcs1", format: "der" });
  const noParameters = encode(libraries.schema.AsnNullConverter.toASN(null));
  return {
    kind: "rsa",
    bits: n.toString(2).length,
    ...publicParts({ oid: "1.2.840.113549.1.1.1", parameters: noParameters }, publicKey),
    signatureAlgorithm: { oid: "1.2.840.113549.1.1.11", parameters: noParameters },
    sign: (data) => sign("sha256", data, privateKey),
  };
}

const curves = {
  "P-256": {
    library: "p256",
    oid: "1.2.840.10045.3.1.7",
    bits: 256,
    signatureOid: "1.2.840.10045.4.3.2",
  },
  "P-384": {
    library: "p384",
    oid: "1.3.132.0.34",
    bits: 384,
    signatureOid: "1.2.840.10045.4.3.3",
  },
  "P-521": {
    library: "p521",
    oid: "1.3.132.0.35",
    bits: 521,
    signatureOid: "1.2.840.10045.4.3.4",
  },
} as const;

/** Curves that `createEcKey` knows. */
export type CurveName = keyof typeof curves;

/** Creates one ECDSA key, whose signatures are those of RFC 6979: Node's own differ each time. */
export function createEcKey(random: SeededRandom, name: CurveName): SigningKey {
  const { library, oid, bits, signatureOid } = curves[name];
  const curve = (loadLibrary("@noble/curves", "/nist.js") as Curves)[library];
  const { Fn } = curve.Point;
  const secret = Fn.toBytes(random.bigintBelow(Fn.ORDER));
  const parameters = encode(libraries.schema.AsnObjectIdentifierConverter.toASN(oid));
  const publicKey = Buffer.from(curve.getPublicKey(secret, false));
  return {
    kind: "ec",
    bits,
    ...publicParts({ oid: "1.2.840.10045.2.1", parameters }, publicKey),
    signatureAlgorithm: { oid: signatureOid },
    // Windows does not choose the lower of the two possible S either.
    sign: (data) => Buffer.from(curve.sign(data, secret, { format: "der", lowS: false })),
  };
}

/** The public members of a key. */
export function publicParts(algorithm: Algorithm, publicKey: Buffer) {
  const publicKeyInfo = new libraries.x509.SubjectPublicKeyInfo({
    algorithm: algorithmIdentifier(algorithm),
    subjectPublicKey: bytesOf(publicKey),
  });
  return {
    publicKey,
    algorithm,
    keyIdentifier: hash("sha1", publicKey, "buffer"),
    publicKeyInfo: encode(publicKeyInfo),
  };
}

function base64url(value: bigint): string {
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex").toString("base64url");
}
