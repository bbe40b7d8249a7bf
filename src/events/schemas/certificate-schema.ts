import { z } from "zod";
import { binary, dateTime, oid, sha256 } from "./values.ts";

const names = z.array(z.string()).optional();

/** A distinguished name: its text, and the parts that people search for. */
export const distinguishedName = z
  .object({
    distinguishedName: z.string().describe("RFC 4514, most specific part first."),
    commonName: names,
    organization: names,
    organizationalUnit: names,
    locality: names,
    stateOrProvince: names,
    country: names,
    domainComponent: names,
    emailAddress: names,
  })
  .meta({ id: "DistinguishedName" });

/** An algorithm by OID; the name helps to read it and may be absent. */
export const algorithm = z
  .object({ oid, name: z.string().optional() })
  .meta({ id: "Algorithm", description: "OID, and name where it is known." });

/** A public key by its algorithm and parameters. */
export const publicKey = z
  .object({
    algorithm,
    bits: z
      .int()
      .optional()
      .describe("Size of the modulus, the curve's field, or a post-quantum key itself."),
    securityCategory: z
      .int()
      .optional()
      .describe("Security category of NIST, 1 to 5, of a post-quantum key."),
    curve: z.string().optional().describe("Name of the curve, or its OID."),
    exponent: z.string().optional().describe("RSA public exponent, decimal."),
    sha256: sha256.describe("SHA-256 of the SubjectPublicKeyInfo."),
  })
  .meta({ id: "PublicKey" });

const alternativeNames = z
  .object({
    dns: names,
    ip: names,
    email: names,
    uri: names,
    upn: names,
    directoryName: names,
    registeredId: names,
    dsObjectGuid: names.describe("GUIDs of a domain controller, from 1.3.6.1.4.1.311.25.1."),
    other: z.array(z.object({ type: z.string(), der: binary.optional() })).optional(),
  })
  .meta({ id: "AlternativeNames" });

const template = z
  .object({
    name: z.string().optional().describe("Name, of a version 1 template."),
    oid: oid.optional(),
    majorVersion: z.int().optional(),
    minorVersion: z.int().optional(),
  })
  .meta({ id: "Template" });

/** Key purposes, with a name where it is known. */
export const keyPurposes = z.array(
  z.object({ oid, name: z.string().optional() }).meta({ id: "KeyPurpose" }),
);

/** A serial number. */
export const serialNumber = z
  .string()
  .regex(/^-?[0-9A-F]+$/)
  .describe("Upper-case hex of whole bytes without leading zero bytes; a minus if negative.");

/** The extensions that a certificate has, or that a request asks for. */
export const certificateExtensions = {
  subjectAlternativeNames: alternativeNames.optional(),
  keyUsage: z.array(z.string()).optional(),
  extendedKeyUsage: keyPurposes.optional(),
  certificatePolicies: z
    .array(oid)
    .optional()
    .describe("Issuance policies, by OID; their qualifiers stand in `der` only."),
  basicConstraints: z.object({ ca: z.boolean(), pathLength: z.int().optional() }).optional(),
  subjectKeyIdentifier: z.string().optional(),
  authorityKeyIdentifier: z.string().optional(),
  template: template.optional(),
  sid: z.string().optional().describe("SID of the account."),
  sidSource: z
    .enum(["extension", "subjectAltName"])
    .optional()
    .describe("Where `sid` stands: in 1.3.6.1.4.1.311.25.2, or only in a URI."),
  otherSids: z.array(z.string()).optional().describe("More SIDs; there should be one only."),
};

/** A certificate: the parsed fields and the DER itself. */
export const certificate = z
  .object({
    version: z.int().optional(),
    serialNumber: serialNumber.optional(),
    subject: distinguishedName.optional(),
    issuer: distinguishedName.optional(),
    notBefore: dateTime.optional(),
    notAfter: dateTime.optional(),
    publicKey: publicKey.optional(),
    signatureAlgorithm: algorithm.optional(),
    fingerprints: z
      .object({ sha1: z.string().regex(/^[0-9a-f]{40}$/), sha256 })
      .optional()
      .describe("Hashes of the DER, lower-case hex."),
    ...certificateExtensions,
    der: binary.optional(),
  })
  .meta({ id: "Certificate", description: "Parts that could not be read are absent." });
