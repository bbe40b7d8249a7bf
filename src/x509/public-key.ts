import { hash } from "node:crypto";
import { type Algorithm, readAlgorithm } from "./algorithm.ts";
import { integerDecimal } from "./integer.ts";
import { oidText } from "./oid.ts";
import { curves } from "./oid-names.ts";
import { postQuantumSets } from "./post-quantum.ts";
import { type DerElement, DerReader, tags } from "./reader.ts";

/** A public key; a parameter that its algorithm does not have, or that is not known, is absent. */
export interface PublicKey {
  readonly algorithm: Algorithm;
  /** Size in bits: of the modulus, of the curve's field, or of a post-quantum key itself. */
  readonly bits?: number;
  /** Security category of NIST, 1 to 5; post-quantum only. */
  readonly securityCategory?: number;
  /** Name of the curve, or its OID if it has no name here; EC only. */
  readonly curve?: string;
  /** RSA only, decimal. */
  readonly exponent?: string;
  /** SHA-256 of the SubjectPublicKeyInfo, lower-case hex. */
  readonly sha256: string;
}

/** Sizes of Edwards curves, which follow from the name. */
const edwardsBits = new Map([
  ["Ed25519", 256],
  ["X25519", 256],
  ["Ed448", 456],
  ["X448", 448],
]);

type KeyParameters = Omit<PublicKey, "algorithm" | "sha256">;

/** Reads a SubjectPublicKeyInfo; `element` is its SEQUENCE. Throws `DerError`. */
export function readPublicKey(reader: DerReader, element: DerElement): PublicKey {
  const info = reader.insideSequence(element);
  const identifier = info.sequence();
  const algorithm = readAlgorithm(identifier);
  const key = info.bits(info.next(tags.bitString));
  const sha256 = hash("sha256", reader.whole(element));
  return { algorithm, ...keyParameters(algorithm, identifier, key), sha256 };
}

function keyParameters(algorithm: Algorithm, parameters: DerReader, key: Buffer): KeyParameters {
  if (algorithm.name === "RSA" || algorithm.name === "RSASSA-PSS") return rsaParameters(key);
  if (algorithm.name === "EC") return curveParameters(parameters);
  if (algorithm.name === "DSA" && parameters.nextTag === tags.sequence) {
    const domain = parameters.sequence();
    return { bits: integerBits(domain.content(domain.next(tags.integer))) };
  }
  const set = postQuantumSets.get(algorithm.oid);
  if (set !== undefined) return { bits: set.bits, securityCategory: set.securityCategory };
  const bits = edwardsBits.get(algorithm.name ?? "");
  return bits === undefined ? {} : { bits };
}

function rsaParameters(key: Buffer): KeyParameters {
  const numbers = new DerReader(key).sequence();
  const modulus = numbers.content(numbers.next(tags.integer));
  const exponent = numbers.content(numbers.next(tags.integer));
  return { bits: integerBits(modulus), exponent: integerDecimal(exponent) };
}

function curveParameters(parameters: DerReader): KeyParameters {
  const oid = parameters.optional(tags.oid);
  if (oid === undefined) return {};
  const dotted = oidText(parameters.bytes, oid);
  const curve = curves.get(dotted);
  return curve === undefined ? { curve: dotted } : { curve: curve.name, bits: curve.bits };
}

function integerBits(content: Buffer): number {
  let start = 0;
  while (start < content.length && content[start] === 0) start++;
  const first = content[start];
  return first === undefined ? 0 : (content.length - start) * 8 - (Math.clz32(first) - 24);
}
