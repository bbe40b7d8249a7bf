import {
  checkPrimeSync,
  createECDH,
  createHash,
  createHmac,
  createPrivateKey,
  type KeyObject,
  sign,
} from "node:crypto";
import * as der from "./der-writer.ts";
import type { SeededRandom } from "./seeded-random.ts";

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
  /** OID of the public key's algorithm, and its parameters in DER, if it has any. */
  readonly algorithm: { readonly oid: string; readonly parameters?: Buffer };
  /** SHA-1 of `publicKey`: the key identifier of RFC 5280 4.2.1.2 (1). */
  readonly keyIdentifier: Buffer;
  /** AlgorithmIdentifier of the signatures that `sign` returns. */
  readonly signatureAlgorithm: Buffer;
  /** Signs `data`; RSA with SHA-256, ECDSA with the hash of the curve's size. */
  sign(data: Uint8Array): Buffer;
}

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
  const n = p * q;
  const d = modularInverse(rsaExponent, (p - 1n) * (q - 1n));
  const jwk = {
    kty: "RSA",
    n: base64url(n),
    e: base64url(rsaExponent),
    d: base64url(d),
    p: base64url(p),
    q: base64url(q),
    dp: base64url(d % (p - 1n)),
    dq: base64url(d % (q - 1n)),
    qi: base64url(modularInverse(q, p)),
  };
  const privateKey = createPrivateKey({ key: jwk, format: "jwk" });
  const publicKey = der.sequence(der.integer(n), der.integer(rsaExponent));
  return {
    kind: "rsa",
    bits: n.toString(2).length,
    ...publicParts("1.2.840.113549.1.1.1", der.nullValue, publicKey),
    signatureAlgorithm: der.sequence(der.objectIdentifier("1.2.840.113549.1.1.11"), der.nullValue),
    sign: (data) => rsaSignature(privateKey, data),
  };
}

function rsaSignature(privateKey: KeyObject, data: Uint8Array): Buffer {
  return sign("sha256", data, privateKey);
}

const curves = {
  "P-256": {
    openssl: "prime256v1",
    oid: "1.2.840.10045.3.1.7",
    order: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
    bits: 256,
    hash: "sha256",
    signatureOid: "1.2.840.10045.4.3.2",
  },
  "P-384": {
    openssl: "secp384r1",
    oid: "1.3.132.0.34",
    order:
      0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
    bits: 384,
    hash: "sha384",
    signatureOid: "1.2.840.10045.4.3.3",
  },
  "P-521": {
    openssl: "secp521r1",
    oid: "1.3.132.0.35",
    order:
      0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
    bits: 521,
    hash: "sha512",
    signatureOid: "1.2.840.10045.4.3.4",
  },
} as const;

/** Curves that `createEcKey` knows. */
export type CurveName = keyof typeof curves;

/** Creates one ECDSA key. */
export function createEcKey(random: SeededRandom, name: CurveName): SigningKey {
  const curve = curves[name];
  const secret = random.bigintBelow(curve.order);
  const point = multiplyBase(curve, secret);
  return {
    kind: "ec",
    bits: curve.bits,
    ...publicParts("1.2.840.10045.2.1", der.objectIdentifier(curve.oid), point),
    signatureAlgorithm: der.sequence(der.objectIdentifier(curve.signatureOid)),
    sign: (data) => ecdsaSignature(curve, secret, data),
  };
}

/** ECDSA with a nonce derived from key and message, since Node's own signatures differ each time. */
function ecdsaSignature(
  curve: (typeof curves)[CurveName],
  secret: bigint,
  data: Uint8Array,
): Buffer {
  const digest = createHash(curve.hash).update(data).digest();
  const size = bytesOf(curve);
  const nonceBytes = createHmac("sha512", fixedBytes(secret, size)).update(digest).digest();
  const nonce = (BigInt(`0x${nonceBytes.toString("hex")}`) % (curve.order - 1n)) + 1n;
  const point = multiplyBase(curve, nonce);
  const r = BigInt(`0x${point.subarray(1, 1 + size).toString("hex")}`) % curve.order;
  const message = BigInt(`0x${digest.toString("hex")}`);
  const s = (modularInverse(nonce, curve.order) * (message + r * secret)) % curve.order;
  return der.sequence(der.integer(r), der.integer(s));
}

function multiplyBase(curve: (typeof curves)[CurveName], scalar: bigint): Buffer {
  const exchange = createECDH(curve.openssl);
  exchange.setPrivateKey(fixedBytes(scalar, bytesOf(curve)));
  return exchange.getPublicKey();
}

/** Length of a number of the curve's field, in bytes. */
function bytesOf({ bits }: (typeof curves)[CurveName]): number {
  return Math.ceil(bits / 8);
}

/** The public members of a key. `parameters`: those of its algorithm in DER; `undefined` if it has none. */
export function publicParts(oid: string, parameters: Buffer | undefined, publicKey: Buffer) {
  const inDer = parameters ? [parameters] : [];
  return {
    publicKey,
    algorithm: { oid, ...(parameters && { parameters }) },
    keyIdentifier: createHash("sha1").update(publicKey).digest(),
    publicKeyInfo: der.sequence(
      der.sequence(der.objectIdentifier(oid), ...inDer),
      der.bitString(publicKey),
    ),
  };
}

function modularInverse(value: bigint, modulus: bigint): bigint {
  let [remainder, next] = [modulus, value % modulus];
  let [factor, nextFactor] = [0n, 1n];
  while (next !== 0n) {
    const quotient = remainder / next;
    [remainder, next] = [next, remainder - quotient * next];
    [factor, nextFactor] = [nextFactor, factor - quotient * nextFactor];
  }
  return factor < 0n ? factor + modulus : factor;
}

function fixedBytes(value: bigint, size: number): Buffer {
  return Buffer.from(value.toString(16).padStart(size * 2, "0"), "hex");
}

function base64url(value: bigint): string {
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex").toString("base64url");
}
