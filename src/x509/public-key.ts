import { hash } from "node:crypto";
import { RepeatedValues } from "../repeated-values.ts";
import { type Algorithm, readAlgorithm } from "./algorithm.ts";
import type { DerReport } from "./der-report.ts";
import { integerDecimal } from "./integer.ts";
import { oidText } from "./oid.ts";
import { curves } from "./oid-names.ts";
import { postQuantumSets } from "./post-quantum.ts";
import { type DerElement, DerReader, tags } from "./reader.ts";

/** A public key; a parameter that its algorithm does not have, or that is not known, is absent. */
export interface PublicKey {
  readonly algorithm: Algorithm;
  /** Size in bits: of the modulus, of the curve's field, or of the key itself (post-quantum, Edwards curves). */
  readonly bits?: number;
  /** Security category of NIST, 1 to 5; post-quantum keys of the right size only. */
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

/**
 * Reads a SubjectPublicKeyInfo; `element` is its SEQUENCE. The report gets a key whose size is not that of its
 * algorithm. Throws `DerError`.
 */
export function readPublicKey(
  reader: DerReader,
  element: DerElement,
  report: DerReport,
): PublicKey {
  // A certificate has the key of its request.
  return report.once(knownKeys, reader, element, () => parsePublicKey(reader, element, report));
}

const knownKeys = new RepeatedValues<PublicKey>();

function parsePublicKey(reader: DerReader, element: DerElement, report: DerReport): PublicKey {
  const info = reader.insideSequence(element);
  const identifier = info.sequence();
  const algorithm = readAlgorithm(identifier);
  const key = info.bits(info.next(tags.bitString));
  const sha256 = hash("sha256", reader.whole(element));
  return { algorithm, ...keyParameters(algorithm, identifier, key, report), sha256 };
}

function keyParameters(
  algorithm: Algorithm,
  parameters: DerReader,
  key: Buffer,
  report: DerReport,
): KeyParameters {
  if (algorithm.name === "RSA" || algorithm.name === "RSASSA-PSS") return rsaParameters(key);
  if (algorithm.name === "EC") return curveParameters(parameters, key, report);
  if (algorithm.name === "DSA" && parameters.nextTag === tags.sequence) {
    const domain = parameters.sequence();
    return { bits: integerBits(domain.content(domain.next(tags.integer))) };
  }
  const set = postQuantumSets.get(algorithm.oid);
  const expected = set?.bits ?? edwardsBits.get(algorithm.name ?? "");
  if (expected === undefined) return {};
  const bits = key.length * 8;
  if (!expectBytes(key, [expected / 8], report) || set === undefined) return { bits };
  return { bits, securityCategory: set.securityCategory };
}

/** False, and a problem, if the key has none of these sizes. */
function expectBytes(key: Buffer, sizes: readonly number[], report: DerReport): boolean {
  const isExpected = sizes.includes(key.length);
  if (!isExpected) report.add(`key has ${key.length} bytes instead of ${sizes.join(" or ")}`);
  return isExpected;
}

function rsaParameters(key: Buffer): KeyParameters {
  const numbers = new DerReader(key).sequence();
  const modulus = numbers.content(numbers.next(tags.integer));
  const exponent = numbers.content(numbers.next(tags.integer));
  return { bits: integerBits(modulus), exponent: integerDecimal(exponent) };
}

function curveParameters(parameters: DerReader, key: Buffer, report: DerReport): KeyParameters {
  const oid = parameters.optional(tags.oid);
  if (oid === undefined) return {};
  const dotted = oidText(parameters.bytes, oid);
  const curve = curves.get(dotted);
  if (curve === undefined) return { curve: dotted };
  // A point, compressed or not, after an octet that says which.
  const coordinate = Math.ceil(curve.bits / 8);
  expectBytes(key, [1 + coordinate, 1 + 2 * coordinate], report);
  return { curve: curve.name, bits: curve.bits };
}

function integerBits(content: Buffer): number {
  let start = 0;
  while (start < content.length && content[start] === 0) start++;
  const first = content[start];
  return first === undefined ? 0 : (content.length - start) * 8 - (Math.clz32(first) - 24);
}
