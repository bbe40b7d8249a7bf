import { hash } from "node:crypto";
import * as der from "./der-writer.ts";
import { type DistinguishedName, encodeName } from "./distinguished-name.ts";

/** An X.509 extension: `value` is the content of extnValue. */
export interface Extension {
  readonly oid: string;
  readonly isCritical: boolean;
  readonly value: Buffer;
}

/** One name of a subject alternative name extension. */
export type AlternativeName =
  | { readonly dns: string }
  | { readonly email: string }
  | { readonly uri: string }
  /** Four or sixteen bytes. */
  | { readonly ip: readonly number[] }
  | { readonly directory: DistinguishedName }
  | { readonly registeredId: string }
  /** User principal name, an otherName of Microsoft. */
  | { readonly upn: string }
  | { readonly otherName: { readonly oid: string; readonly value: Buffer } };

/** OIDs of the extensions that this file encodes. */
export const extensionOids = {
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  crlNumber: "2.5.29.20",
  reasonCode: "2.5.29.21",
  deltaCrlIndicator: "2.5.29.27",
  crlDistributionPoints: "2.5.29.31",
  authorityKeyIdentifier: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
  freshestCrl: "2.5.29.46",
  authorityInformationAccess: "1.3.6.1.5.5.7.1.1",
  templateName: "1.3.6.1.4.1.311.20.2",
  caVersion: "1.3.6.1.4.1.311.21.1",
  previousCaCertificateHash: "1.3.6.1.4.1.311.21.2",
  nextPublish: "1.3.6.1.4.1.311.21.4",
  template: "1.3.6.1.4.1.311.21.7",
  applicationPolicies: "1.3.6.1.4.1.311.21.10",
  securityIdentifier: "1.3.6.1.4.1.311.25.2",
} as const;

/** Bits of the key usage extension. */
export const keyUsageBits = {
  digitalSignature: 0,
  nonRepudiation: 1,
  keyEncipherment: 2,
  dataEncipherment: 3,
  keyAgreement: 4,
  keyCertSign: 5,
  cRLSign: 6,
} as const;

/** Name of a key usage bit. */
export type KeyUsage = keyof typeof keyUsageBits;

function extension(name: keyof typeof extensionOids, value: Buffer, isCritical = false): Extension {
  return { oid: extensionOids[name], isCritical, value };
}

/** DER of one extension. */
export function encodeExtension({ oid, isCritical, value }: Extension): Buffer {
  const flag = isCritical ? [der.boolean(true)] : [];
  return der.sequence(der.objectIdentifier(oid), ...flag, der.octetString(value));
}

/** DER of an extension list. */
export function encodeExtensions(extensions: readonly Extension[]): Buffer {
  return der.sequence(...extensions.map(encodeExtension));
}

/** Subject key identifier, not critical like every extension here that does not say otherwise. */
export function subjectKeyIdentifier(keyIdentifier: Buffer): Extension {
  return extension("subjectKeyIdentifier", der.octetString(keyIdentifier));
}

/** Authority key identifier with the key identifier only, as AD CS writes it. */
export function authorityKeyIdentifier(keyIdentifier: Buffer): Extension {
  return extension("authorityKeyIdentifier", der.sequence(der.implicit(0, keyIdentifier)));
}

/** Key usage, critical. */
export function keyUsage(usages: readonly KeyUsage[]): Extension {
  return extension("keyUsage", der.namedBits(usages.map((usage) => keyUsageBits[usage])), true);
}

/** Basic constraints of a CA, critical. */
export function caConstraints(pathLength?: number): Extension {
  const limit = pathLength === undefined ? [] : [der.integer(pathLength)];
  return extension("basicConstraints", der.sequence(der.boolean(true), ...limit), true);
}

/** Extended key usage. */
export function extendedKeyUsage(oids: readonly string[]): Extension {
  return extension("extendedKeyUsage", der.sequence(...oids.map(der.objectIdentifier)));
}

/** Application policies: Microsoft's counterpart of the extended key usage. */
export function applicationPolicies(oids: readonly string[]): Extension {
  const policies = oids.map((oid) => der.sequence(der.objectIdentifier(oid)));
  return extension("applicationPolicies", der.sequence(...policies));
}

/** Subject alternative names; `isCritical`: default false. */
export function subjectAltName(names: readonly AlternativeName[], isCritical = false): Extension {
  return extension("subjectAltName", der.sequence(...names.map(generalName)), isCritical);
}

function generalName(name: AlternativeName): Buffer {
  if ("email" in name) return der.implicit(1, Buffer.from(name.email, "latin1"));
  if ("dns" in name) return der.implicit(2, Buffer.from(name.dns, "latin1"));
  if ("directory" in name) return der.explicit(4, encodeName(name.directory));
  if ("uri" in name) return der.implicit(6, Buffer.from(name.uri, "latin1"));
  if ("ip" in name) return der.implicit(7, Buffer.from(name.ip));
  if ("registeredId" in name) {
    return der.implicit(8, der.objectIdentifier(name.registeredId).subarray(2));
  }
  if ("upn" in name) return otherName("1.3.6.1.4.1.311.20.2.3", der.utf8String(name.upn));
  return otherName(name.otherName.oid, name.otherName.value);
}

function otherName(oid: string, value: Buffer): Buffer {
  return der.explicit(0, der.objectIdentifier(oid), der.explicit(0, value));
}

/** One CRL distribution point, or freshest CRL, with its URLs. */
export function crlDistributionPoint(
  urls: readonly string[],
  name: "crlDistributionPoints" | "freshestCrl" = "crlDistributionPoints",
): Extension {
  const addresses = urls.map((uri) => generalName({ uri }));
  const point = der.sequence(der.explicit(0, der.explicit(0, ...addresses)));
  return extension(name, der.sequence(point));
}

/** Authority information access: URLs of the issuer's certificate and of its OCSP responder. */
export function authorityInformationAccess(places: {
  readonly issuers: readonly string[];
  readonly ocsp?: readonly string[];
}): Extension {
  return extension(
    "authorityInformationAccess",
    der.sequence(
      ...places.issuers.map((uri) => accessDescription("1.3.6.1.5.5.7.48.2", uri)),
      ...(places.ocsp ?? []).map((uri) => accessDescription("1.3.6.1.5.5.7.48.1", uri)),
    ),
  );
}

function accessDescription(method: string, uri: string): Buffer {
  return der.sequence(der.objectIdentifier(method), generalName({ uri }));
}

/** Template name of a version 1 template. */
export function templateName(name: string): Extension {
  return extension("templateName", der.bmpString(name));
}

/** Template OID and version of a version 2 (or later) template. */
export function template(oid: string, majorVersion: number, minorVersion: number): Extension {
  return extension(
    "template",
    der.sequence(der.objectIdentifier(oid), der.integer(majorVersion), der.integer(minorVersion)),
  );
}

/** Microsoft's security extension: the SID of the account, such as `S-1-5-21-...-1104`. */
export function securityIdentifier(sid: string): Extension {
  const name = otherName("1.3.6.1.4.1.311.25.2.1", der.octetString(Buffer.from(sid, "latin1")));
  return extension("securityIdentifier", der.sequence(name));
}

/** CA version: index of the CA certificate in the low, of its key in the high 16 bits. */
export function caVersion(certificateIndex: number, keyIndex: number): Extension {
  return extension("caVersion", der.integer(keyIndex * 0x10000 + certificateIndex));
}

/** Of a renewed CA certificate: SHA-1 of the one before it. */
export function previousCaCertificateHash(certificate: Buffer): Extension {
  const sha1 = hash("sha1", certificate, "buffer");
  return extension("previousCaCertificateHash", der.octetString(sha1));
}

/** CRL number. */
export function crlNumber(number: number): Extension {
  return extension("crlNumber", der.integer(number));
}

/** Delta CRL indicator, critical: the number of the base CRL it builds on. */
export function deltaCrlIndicator(baseNumber: number): Extension {
  return extension("deltaCrlIndicator", der.integer(baseNumber), true);
}

/** Microsoft's next publish time of a CRL. */
export function nextPublish(date: Date): Extension {
  return extension("nextPublish", der.time(date));
}

/** Reason code of a CRL entry. */
export function reasonCode(reason: number): Extension {
  return extension("reasonCode", der.enumerated(reason));
}
