import { createHash } from "node:crypto";
import { dispositions } from "../exit/ca-codes.ts";
import type { SimulatedEvent } from "../native/addon.ts";
import type { Account } from "./accounts.ts";
import type { DistinguishedName } from "./distinguished-name.ts";
import type { SignedCertificate } from "./issuing-authority.ts";
import {
  binary,
  date,
  hexPairs,
  long,
  nameProperties,
  type Properties,
  text,
} from "./served-values.ts";
import type { SigningKey } from "./signing-key.ts";
import type { Template } from "./templates.ts";
import { type Extension, extensionOids } from "./x509-extensions.ts";

/** The issued certificate of a row. */
export interface IssuedCertificate extends SignedCertificate {
  readonly serialNumber: string;
}

/** The revocation columns of a row; the reason is -1 after a release from hold. */
export interface RowRevocation {
  readonly reason: number;
  readonly when: Date;
}

/** One row of the simulated CA's database: a request and its result. */
export interface RequestRow {
  readonly requestId: number;
  readonly template: Template;
  readonly account: Account;
  readonly key: SigningKey;
  /** Absent for an imported certificate. */
  readonly rawRequest?: Buffer;
  readonly requestedSubject: DistinguishedName;
  readonly subject: DistinguishedName;
  readonly attributes: readonly (readonly [name: string, value: string])[];
  readonly extensions: readonly Extension[];
  readonly submitted: Date;
  /** Default: what the template says. */
  readonly validityDays?: number;
  readonly caller: string;
  disposition: number;
  statusCode: number;
  message: string;
  resolved?: Date;
  certificate?: IssuedCertificate;
  revocation?: RowRevocation;
}

/** What the exit module can read about a row, without the properties of the CA. */
export function rowContent(row: RequestRow): Omit<SimulatedEvent, "event" | "context"> {
  return {
    request: requestProperties(row),
    certificate: certificateProperties(row),
    attributes: row.attributes.map(([name, value]) => [name, value]),
    extensions: row.extensions.map((extension) => [
      extension.oid,
      extensionFlags(extension),
      extension.value,
    ]),
  };
}

function requestProperties(row: RequestRow): Properties {
  const properties: Properties = {
    RequestID: long(row.requestId),
    RequestType: long(row.rawRequest ? 0x40100 : 0), // PKCS#10 with a full response
    RequestFlags: long(0),
    StatusCode: long(row.statusCode),
    Disposition: long(row.disposition),
    DispositionMessage: text(row.message),
    SubmittedWhen: date(row.submitted),
    RequesterName: text(row.account.samName),
    CallerName: text(row.caller),
    ...nameProperties(row.requestedSubject),
  };
  if (row.rawRequest) properties["RawRequest"] = binary(row.rawRequest);
  if (row.attributes.length > 0) properties["RequestAttributes"] = text(attributeLines(row));
  if (row.resolved) properties["ResolvedWhen"] = date(row.resolved);
  if (row.revocation) {
    properties["RevokedReason"] = long(row.revocation.reason);
    properties["RevokedWhen"] = date(row.revocation.when);
    properties["RevokedEffectiveWhen"] = date(row.revocation.when);
  }
  return properties;
}

function attributeLines(row: RequestRow): string {
  return row.attributes.map(([name, value]) => `${name}:${value}\n`).join("");
}

function certificateProperties(row: RequestRow): Properties {
  const { template, key, certificate } = row;
  if (row.disposition === dispositions.failed) return { RequestID: long(row.requestId) };
  const properties: Properties = {
    RequestID: long(row.requestId),
    CertificateTemplate: text(template.identifier),
    EnrollmentFlags: long(template.flags.enrollment),
    GeneralFlags: long(template.flags.general),
    PrivatekeyFlags: long(template.flags.privateKey),
    SubjectKeyIdentifier: hexPairs(key.keyIdentifier),
    RawPublicKey: binary(key.publicKey),
    PublicKeyLength: long(key.bits),
    PublicKeyAlgorithm: text(key.algorithm.oid),
    ...nameProperties(row.subject),
  };
  if (key.algorithm.parameters) {
    properties["RawPublicKeyAlgorithmParameters"] = binary(key.algorithm.parameters);
  }
  if (row.account.kind === "user") properties["UPN"] = text(row.account.principal);
  if (!certificate) return properties;
  return {
    ...properties,
    RawCertificate: binary(certificate.der),
    CertificateHash: hexPairs(createHash("sha1").update(certificate.der).digest()),
    SerialNumber: text(certificate.serialNumber),
    IssuerNameID: long(certificate.issuerNameId),
    NotBefore: date(certificate.notBefore),
    NotAfter: date(certificate.notAfter),
  };
}

/** The flags of an extension: its origin (request, server or policy module), and whether it is critical. */
function extensionFlags(extension: Extension): number {
  const critical = extension.isCritical ? 0x1 : 0;
  switch (extension.oid) {
    case extensionOids.subjectKeyIdentifier:
      return 0x10000 | critical;
    case extensionOids.authorityKeyIdentifier:
    case extensionOids.crlDistributionPoints:
    case extensionOids.authorityInformationAccess:
      return 0x40000 | critical;
    default:
      return 0x20000 | critical;
  }
}
