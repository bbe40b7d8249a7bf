/** A parameter set of a post-quantum algorithm, as it stands in the OID of a key or signature. */
export interface ParameterSet {
  readonly name: string;
  /** Size of the public key in bits. */
  readonly bits: number;
  /** Security category of NIST, 1 to 5: as hard to break as AES-128 (1), SHA-256 (2), AES-192 (3), AES-256 (5). */
  readonly securityCategory: number;
}

/** Each parameter set of SLH-DSA has a public key of twice its security parameter: FIPS 205, table 2. */
const slhDsaSizes = [
  {
    level: "128",
    bits: 32 * 8,
    securityCategory: 1,
    hashes: { SHA2: "SHA256", SHAKE: "SHAKE128" },
  },
  {
    level: "192",
    bits: 48 * 8,
    securityCategory: 3,
    hashes: { SHA2: "SHA512", SHAKE: "SHAKE256" },
  },
  {
    level: "256",
    bits: 64 * 8,
    securityCategory: 5,
    hashes: { SHA2: "SHA512", SHAKE: "SHAKE256" },
  },
] as const;

/** The parameter sets of SLH-DSA in the order of their OIDs, from 128s to 256f for SHA2, then for SHAKE. */
const slhDsaSets = (["SHA2", "SHAKE"] as const).flatMap((family) =>
  slhDsaSizes.flatMap(({ level, bits, securityCategory, hashes }) =>
    ["s", "f"].map((variant) => ({
      name: `SLH-DSA-${family}-${level}${variant}`,
      hash: hashes[family],
      bits,
      securityCategory,
    })),
  ),
);

/** ML-DSA: FIPS 204, tables 1 and 2. */
const mlDsaSets = [
  { name: "ML-DSA-44", hash: "SHA512", bits: 1312 * 8, securityCategory: 2 },
  { name: "ML-DSA-65", hash: "SHA512", bits: 1952 * 8, securityCategory: 3 },
  { name: "ML-DSA-87", hash: "SHA512", bits: 2592 * 8, securityCategory: 5 },
];

/** ML-KEM: FIPS 203, tables 2 and 3. */
const mlKemSets = [
  { name: "ML-KEM-512", bits: 800 * 8, securityCategory: 1 },
  { name: "ML-KEM-768", bits: 1184 * 8, securityCategory: 3 },
  { name: "ML-KEM-1024", bits: 1568 * 8, securityCategory: 5 },
];

const signatures = "2.16.840.1.101.3.4.3";
const keyEncapsulations = "2.16.840.1.101.3.4.4";

/**
 * The parameter sets by OID. Source: NIST, Computer Security Objects Register, Algorithm Registration
 * (csrc.nist.gov/projects/computer-security-objects-register/algorithm-registration): signatures 17 to 19
 * ML-DSA, 20 to 31 SLH-DSA, 32 to 34 HashML-DSA, 35 to 46 HashSLH-DSA; key encapsulations 1 to 3 ML-KEM.
 */
export const postQuantumSets: ReadonlyMap<string, ParameterSet> = new Map([
  ...numbered(signatures, 17, mlDsaSets),
  ...numbered(signatures, 20, slhDsaSets),
  ...numbered(signatures, 32, mlDsaSets.map(preHashed)),
  ...numbered(signatures, 35, slhDsaSets.map(preHashed)),
  ...numbered(keyEncapsulations, 1, mlKemSets),
]);

/** The OIDs from `arc.first` up, one for each set. */
function numbered(
  arc: string,
  first: number,
  sets: readonly ParameterSet[],
): (readonly [oid: string, set: ParameterSet])[] {
  return sets.map(({ name, bits, securityCategory }, index) => [
    `${arc}.${first + index}`,
    { name, bits, securityCategory },
  ]);
}

/** The form of a set that signs a hash of the message: `HashML-DSA-44-SHA512`. */
function preHashed({ name, hash, ...set }: ParameterSet & { readonly hash: string }): ParameterSet {
  return { ...set, name: `Hash${name}-${hash}` };
}
