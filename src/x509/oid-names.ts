import { postQuantumSets } from "./post-quantum.ts";

/**
 * Names of key and signature algorithms, as in ECS. The OIDs are those of wincrypt.h (szOID_*), of RFC 8410 for the
 * Edwards and Montgomery curves; those of NIST are in post-quantum.ts.
 */
export const algorithmNames: ReadonlyMap<string, string> = new Map([
  ["1.2.840.113549.1.1.1", "RSA"],
  ["1.2.840.113549.1.1.4", "MD5-RSA"],
  ["1.2.840.113549.1.1.5", "SHA1-RSA"],
  ["1.2.840.113549.1.1.10", "RSASSA-PSS"],
  ["1.2.840.113549.1.1.11", "SHA256-RSA"],
  ["1.2.840.113549.1.1.12", "SHA384-RSA"],
  ["1.2.840.113549.1.1.13", "SHA512-RSA"],
  ["1.2.840.10040.4.1", "DSA"],
  ["1.2.840.10045.2.1", "EC"],
  ["1.2.840.10045.4.1", "ECDSA-SHA1"],
  ["1.2.840.10045.4.3.2", "ECDSA-SHA256"],
  ["1.2.840.10045.4.3.3", "ECDSA-SHA384"],
  ["1.2.840.10045.4.3.4", "ECDSA-SHA512"],
  // Early versions of Windows used this one, with the hash in its parameters.
  ["1.2.840.10045.4.3", "ECDSA-specified"],
  ["1.3.101.110", "X25519"],
  ["1.3.101.111", "X448"],
  ["1.3.101.112", "Ed25519"],
  ["1.3.101.113", "Ed448"],
  ...[...postQuantumSets].map(([oid, { name }]) => [oid, name] as const),
]);

/** Named curves with their size in bits: RFC 5480, SEC 2 and RFC 5639, as in wincrypt.h (szOID_ECC_CURVE_*). */
export const curves: ReadonlyMap<string, { readonly name: string; readonly bits: number }> =
  new Map([
    ["1.2.840.10045.3.1.7", { name: "P-256", bits: 256 }],
    ["1.3.132.0.34", { name: "P-384", bits: 384 }],
    ["1.3.132.0.35", { name: "P-521", bits: 521 }],
    ["1.3.132.0.10", { name: "secp256k1", bits: 256 }],
    ["1.3.36.3.3.2.8.1.1.7", { name: "brainpoolP256r1", bits: 256 }],
    ["1.3.36.3.3.2.8.1.1.11", { name: "brainpoolP384r1", bits: 384 }],
    ["1.3.36.3.3.2.8.1.1.13", { name: "brainpoolP512r1", bits: 512 }],
  ]);

/** Names of extended key usages: RFC 5280 4.2.1.12, RFC 4556, and those of Windows in wincrypt.h and certca.h. */
export const keyPurposeNames: ReadonlyMap<string, string> = new Map([
  ["2.5.29.37.0", "anyExtendedKeyUsage"],
  ["1.3.6.1.5.5.7.3.1", "serverAuth"],
  ["1.3.6.1.5.5.7.3.2", "clientAuth"],
  ["1.3.6.1.5.5.7.3.3", "codeSigning"],
  ["1.3.6.1.5.5.7.3.4", "emailProtection"],
  ["1.3.6.1.5.5.7.3.5", "ipsecEndSystem"],
  ["1.3.6.1.5.5.7.3.6", "ipsecTunnel"],
  ["1.3.6.1.5.5.7.3.7", "ipsecUser"],
  ["1.3.6.1.5.5.7.3.8", "timeStamping"],
  ["1.3.6.1.5.5.7.3.9", "ocspSigning"],
  ["1.3.6.1.5.5.8.2.2", "ipsecIke"],
  ["1.3.6.1.5.2.3.4", "pkinitClient"],
  ["1.3.6.1.5.2.3.5", "kdcAuthentication"],
  ["1.3.6.1.4.1.311.10.3.1", "trustListSigning"],
  ["1.3.6.1.4.1.311.10.3.4", "encryptingFileSystem"],
  ["1.3.6.1.4.1.311.10.3.4.1", "fileRecovery"],
  ["1.3.6.1.4.1.311.10.3.11", "keyRecovery"],
  ["1.3.6.1.4.1.311.10.3.12", "documentSigning"],
  ["1.3.6.1.4.1.311.10.3.13", "lifetimeSigning"],
  ["1.3.6.1.4.1.311.10.12.1", "anyApplicationPolicy"],
  ["1.3.6.1.4.1.311.20.2.1", "certificateRequestAgent"],
  ["1.3.6.1.4.1.311.20.2.2", "smartCardLogon"],
  ["1.3.6.1.4.1.311.21.5", "privateKeyArchival"],
  ["1.3.6.1.4.1.311.21.6", "keyRecoveryAgent"],
  ["1.3.6.1.4.1.311.21.19", "directoryServiceEmailReplication"],
  ["1.3.6.1.4.1.311.54.1.2", "remoteDesktopAuthentication"],
  ["1.3.6.1.4.1.311.67.1.1", "bitLockerDriveEncryption"],
  ["1.3.6.1.4.1.311.67.1.2", "bitLockerDataRecoveryAgent"],
]);

/** Names of certificate and CRL extensions: RFC 5280 4.2 and 5.2, RFC 6960, RFC 6962, and those of Windows (wincrypt.h). */
export const extensionNames: ReadonlyMap<string, string> = new Map([
  ["2.5.29.14", "subjectKeyIdentifier"],
  ["2.5.29.15", "keyUsage"],
  ["2.5.29.16", "privateKeyUsagePeriod"],
  ["2.5.29.17", "subjectAltName"],
  ["2.5.29.18", "issuerAltName"],
  ["2.5.29.19", "basicConstraints"],
  ["2.5.29.20", "crlNumber"],
  ["2.5.29.27", "deltaCrlIndicator"],
  ["2.5.29.28", "issuingDistributionPoint"],
  ["2.5.29.30", "nameConstraints"],
  ["2.5.29.31", "crlDistributionPoints"],
  ["2.5.29.32", "certificatePolicies"],
  ["2.5.29.33", "policyMappings"],
  ["2.5.29.35", "authorityKeyIdentifier"],
  ["2.5.29.36", "policyConstraints"],
  ["2.5.29.37", "extKeyUsage"],
  ["2.5.29.46", "freshestCrl"],
  ["1.2.840.113549.1.9.15", "smimeCapabilities"],
  ["1.3.6.1.5.5.7.1.1", "authorityInfoAccess"],
  ["1.3.6.1.5.5.7.48.1.5", "ocspNoCheck"],
  ["1.3.6.1.4.1.11129.2.4.2", "signedCertificateTimestamps"],
  ["1.3.6.1.4.1.311.20.2", "enrollCertificateType"],
  ["1.3.6.1.4.1.311.21.1", "caVersion"],
  ["1.3.6.1.4.1.311.21.2", "previousCertificateHash"],
  ["1.3.6.1.4.1.311.21.4", "crlNextPublish"],
  ["1.3.6.1.4.1.311.21.7", "certificateTemplate"],
  ["1.3.6.1.4.1.311.21.10", "applicationPolicies"],
  ["1.3.6.1.4.1.311.25.2", "ntdsSecurity"],
]);

/** Names of attributes of requests and controls of CMC, as in RFC 2985, RFC 5272 and wincrypt.h. */
export const requestAttributeNames: ReadonlyMap<string, string> = new Map([
  ["1.2.840.113549.1.9.2", "unstructuredName"],
  ["1.2.840.113549.1.9.7", "challengePassword"],
  ["1.2.840.113549.1.9.8", "unstructuredAddress"],
  ["1.2.840.113549.1.9.15", "smimeCapabilities"],
  ["1.3.6.1.4.1.311.10.10.1", "addAttributes"],
  ["1.3.6.1.4.1.311.21.13", "archivedKey"],
  ["1.3.6.1.4.1.311.21.21", "encryptedKeyHash"],
  ["1.3.6.1.4.1.311.21.23", "endorsementKeyInfo"],
  ["1.3.6.1.4.1.311.21.24", "attestationStatement"],
  ["1.3.6.1.4.1.311.21.25", "kspName"],
  ["1.3.6.1.4.1.311.21.27", "caExchangeCertificateHash"],
  ["1.3.6.1.4.1.311.21.28", "attestationChallenge"],
  ["1.3.6.1.4.1.311.21.29", "encryptionAlgorithm"],
  ["1.3.6.1.4.1.311.21.35", "scepChallengeAnswer"],
  ["1.3.6.1.4.1.311.21.39", "attestationIdentityKeyInfo"],
  ["1.3.6.1.4.1.311.21.40", "scepServerSecret"],
  ["1.3.6.1.5.5.7.7.2", "identification"],
  ["1.3.6.1.5.5.7.7.3", "identityProof"],
  ["1.3.6.1.5.5.7.7.5", "transactionId"],
  ["1.3.6.1.5.5.7.7.6", "senderNonce"],
  ["1.3.6.1.5.5.7.7.7", "recipientNonce"],
  ["1.3.6.1.5.5.7.7.8", "addExtensions"],
  ["1.3.6.1.5.5.7.7.10", "decryptedProofOfPossession"],
  ["1.3.6.1.5.5.7.7.18", "registrationInfo"],
]);
