import { z } from "zod";
import {
  certificateExtensions,
  distinguishedName,
  keyPurposes,
  publicKey,
  serialNumber,
} from "./certificate-schema.ts";
import { oid, sha256 } from "./values.ts";

const certificateReference = z.object({
  serialNumber: serialNumber.optional(),
  issuer: distinguishedName.optional(),
  subject: distinguishedName.optional(),
  sha256: sha256.optional().describe("SHA-256 of the certificate."),
});

const signer = certificateReference.extend({
  subjectKeyIdentifier: z
    .string()
    .optional()
    .describe("Of a signer that names only its key; without a certificate, the requested key."),
});

const clientInfo = z.object({
  clientId: z.string().optional().describe("What made the request; a word."),
  clientIdCode: z.int().optional(),
  machineName: z.string().optional(),
  userName: z.string().optional(),
  processName: z.string().optional(),
});

const pair = z.object({
  name: z.string().optional().describe("Absent if it may have a secret in it."),
  value: z.string().optional(),
  redacted: z.literal(true).optional().describe("True if the value is or may be a secret."),
});

/** What a certification request asks for, as the requester wrote it. */
export const requested = z
  .object({
    format: z.enum(["pkcs10", "keygen", "pkcs7", "cmc"]).optional(),
    subject: distinguishedName.optional(),
    publicKey: publicKey.optional(),
    ...certificateExtensions,
    applicationPolicies: keyPurposes.optional(),
    osVersion: z.string().optional(),
    csp: z.string().optional().describe("Provider of the private key."),
    clientInfo: clientInfo.optional(),
    attributes: z.array(pair).optional().describe("Name and value pairs in the request."),
    signers: z.array(signer).optional().describe("Signers of PKCS#7 and CMC; not verified."),
    renewalCertificate: certificateReference
      .optional()
      .describe("The certificate that the request renews."),
    otherAttributes: z
      .array(z.object({ oid, name: z.string().optional() }))
      .optional()
      .describe("Attributes and controls that are not shown."),
  })
  .meta({
    id: "Requested",
    description: "What the request asks for; the requester wrote it, and nothing is verified.",
  });
