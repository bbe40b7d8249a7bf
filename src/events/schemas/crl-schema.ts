import { z } from "zod";
import { algorithm, distinguishedName } from "./certificate-schema.ts";
import { binary, dateTime, sha256 } from "./values.ts";

const place = {
  index: z.int().describe("Index of the CA certificate whose key signed the CRL."),
  kind: z.enum(["base", "delta"]),
  partition: z
    .int()
    .optional()
    .describe("Which part of the CA's certificates the CRL is about, from 1. Absent: all of them."),
  number: z.string().optional().describe("CRL number, decimal."),
  sha256: sha256
    .optional()
    .describe(
      "SHA-256 of the DER; a republished CRL has the same. Absent if a large one could not be hashed in time.",
    ),
};

/** A CRL: the parsed fields and the DER itself. */
export const crl = z
  .object({
    ...place,
    issuer: distinguishedName.optional(),
    thisUpdate: dateTime.optional(),
    nextUpdate: dateTime.optional(),
    baseNumber: z.string().optional().describe("Of a delta CRL: number of its base, decimal."),
    nextPublish: dateTime.optional(),
    caVersion: z.object({ certificateIndex: z.int(), keyIndex: z.int() }).optional(),
    authorityKeyIdentifier: z.string().optional(),
    signatureAlgorithm: algorithm.optional(),
    entryCount: z.int().optional(),
    length: z.int().describe("Length of the DER in bytes."),
    der: binary.optional(),
  })
  .meta({ id: "Crl", description: "Parts that could not be read are absent." });

/** Another CRL that was current at the CA at the same time. */
export const currentCrl = z.object(place).meta({ id: "CurrentCrl" });
