import { hash } from "node:crypto";
import type { GeneralName, PolicyInformation } from "@peculiar/asn1-x509";
import { bytesOf, encode, encodeInteger, libraries, utf8Text } from "./asn1.ts";
import type { DistinguishedName } from "./distinguished-name.ts";
import { nameOf } from "./x509-name.ts";

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
  /** `value`: one element in DER. */
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
  certificatePolicies: "2.5.29.32",
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

/** Name of a key usage. */
export type KeyUsage =
  | "digitalSignature"
  | "nonRepudiation"
  | "keyEncipherment"
  | "dataEncipherment"
  | "keyAgreement"
  | "keyCertSign"
  | "cRLSign";

function extension(name: keyof typeof extensionOids, value: Buffer, isCritical = false): Extension {
  return { oid: extensionOids[name], isCritical, value };
}

/** Subject key identifier, not critical like every extension here that does not say otherwise. */
export function subjectKeyIdentifier(keyIdentifier: Buffer): Extension {
  const value = new libraries.x509.SubjectKeyIdentifier(bytesOf(keyIdentifier));
  return extension("subjectKeyIdentifier", encode(value));
}

/** Authority key identifier with the key identifier only, as AD CS writes it. */
export function authorityKeyIdentifier(keyIdentifier: Buffer): Extension {
  const { AuthorityKeyIdentifier, KeyIdentifier } = libraries.x509;
  const value = { keyIdentifier: new KeyIdentifier(bytesOf(keyIdentifier)) };
  return extension("authorityKeyIdentifier", encode(new AuthorityKeyIdentifier(value)));
}

/** Key usage, critical. */
export function keyUsage(usages: readonly KeyUsage[]): Extension {
  const { KeyUsage, KeyUsageFlags } = libraries.x509;
  const flags = usages.reduce((sum, usage) => sum | KeyUsageFlags[usage], 0);
  return extension("keyUsage", encode(new KeyUsage(flags)), true);
}

/** Basic constraints of a CA, critical. */
export function caConstraints(pathLength?: number): Extension {
  const value = new libraries.x509.BasicConstraints({
    cA: true,
    ...(pathLength !== undefined && { pathLenConstraint: pathLength }),
  });
  return extension("basicConstraints", encode(value), true);
}

/** Extended key usage. */
export function extendedKeyUsage(oids: readonly string[]): Extension {
  return extension("extendedKeyUsage", encode(new libraries.x509.ExtendedKeyUsage([...oids])));
}

/** Certificate policies by their OIDs. */
export function certificatePolicies(oids: readonly string[]): Extension {
  return policies("certificatePolicies", oids);
}

/** Application policies: Microsoft's counterpart of the extended key usage. */
export function applicationPolicies(oids: readonly string[]): Extension {
  return policies("applicationPolicies", oids);
}

function policies(name: "certificatePolicies" | "applicationPolicies", oids: readonly string[]) {
  const { CertificatePolicies, PolicyInformation } = libraries.x509;
  const all = oids.map(
    (oid): PolicyInformation => new PolicyInformation({ policyIdentifier: oid }),
  );
  return extension(name, encode(new CertificatePolicies(all)));
}

/** Subject alternative names; `isCritical`: default false. */
export function subjectAltName(names: readonly AlternativeName[], isCritical = false): Extension {
  const value = new libraries.x509.SubjectAlternativeName(names.map(generalName));
  return extension("subjectAltName", encode(value), isCritical);
}

function generalName(name: AlternativeName): GeneralName {
  const { GeneralName } = libraries.x509;
  if ("email" in name) return new GeneralName({ rfc822Name: name.email });
  if ("dns" in name) return new GeneralName({ dNSName: name.dns });
  if ("directory" in name) return new GeneralName({ directoryName: nameOf(name.directory) });
  if ("uri" in name) return new GeneralName({ uniformResourceIdentifier: name.uri });
  if ("ip" in name) return new GeneralName({ iPAddress: addressText(name.ip) });
  if ("registeredId" in name) return new GeneralName({ registeredID: name.registeredId });
  if ("upn" in name) {
    const value = libraries.schema.AsnUtf8StringConverter.toASN(utf8Text(name.upn));
    return otherName("1.3.6.1.4.1.311.20.2.3", encode(value));
  }
  return otherName(name.otherName.oid, name.otherName.value);
}

/** An IP address as the libraries take it: `192.0.2.7`, `2001:db8:0:0:0:0:0:7`. */
function addressText(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join(".");
  return Buffer.from(bytes)
    .toString("hex")
    .replaceAll(/.{4}(?=.)/g, "$&:");
}

function otherName(oid: string, value: Buffer): GeneralName {
  const { GeneralName, OtherName } = libraries.x509;
  return new GeneralName({ otherName: new OtherName({ typeId: oid, value: bytesOf(value) }) });
}

/** One CRL distribution point, or freshest CRL, with its URLs. */
export function crlDistributionPoint(
  urls: readonly string[],
  name: "crlDistributionPoints" | "freshestCrl" = "crlDistributionPoints",
): Extension {
  const { CRLDistributionPoints, DistributionPoint, DistributionPointName } = libraries.x509;
  const fullName = urls.map((uri) => generalName({ uri }));
  const point = new DistributionPoint({
    distributionPoint: new DistributionPointName({ fullName }),
  });
  return extension(name, encode(new CRLDistributionPoints([point])));
}

/** Authority information access: URLs of the issuer's certificate and of its OCSP responder. */
export function authorityInformationAccess(places: {
  readonly issuers: readonly string[];
  readonly ocsp?: readonly string[];
}): Extension {
  const { AccessDescription, AuthorityInfoAccessSyntax, id_ad_caIssuers, id_ad_ocsp } =
    libraries.x509;
  const access = (accessMethod: string) => (uri: string) =>
    new AccessDescription({ accessMethod, accessLocation: generalName({ uri }) });
  const value = new AuthorityInfoAccessSyntax([
    ...places.issuers.map(access(id_ad_caIssuers)),
    ...(places.ocsp ?? []).map(access(id_ad_ocsp)),
  ]);
  return extension("authorityInformationAccess", encode(value));
}

/** Template name of a version 1 template. */
export function templateName(name: string): Extension {
  return extension("templateName", encode(libraries.schema.AsnBmpStringConverter.toASN(name)));
}

/** Template OID and version of a version 2 (or later) template. */
export function template(oid: string, majorVersion: number, minorVersion: number): Extension {
  templateSchema ??= defineTemplate();
  const value = Object.assign(new templateSchema(), { oid, majorVersion, minorVersion });
  return extension("template", encode(value));
}

let templateSchema: ReturnType<typeof defineTemplate> | undefined;

/** The CertificateTemplateOID of [MS-WCCE] 2.2.2.7.7.2, which the libraries do not have. */
function defineTemplate() {
  const { AsnProp, AsnPropTypes } = libraries.schema;
  class CertificateTemplate {
    oid = "";
    majorVersion = 0;
    minorVersion = 0;
  }
  const { prototype } = CertificateTemplate;
  AsnProp({ type: AsnPropTypes.ObjectIdentifier })(prototype, "oid");
  AsnProp({ type: AsnPropTypes.Integer })(prototype, "majorVersion");
  AsnProp({ type: AsnPropTypes.Integer })(prototype, "minorVersion");
  return CertificateTemplate;
}

/** Microsoft's security extension: the SID of the account, such as `S-1-5-21-...-1104`. */
export function securityIdentifier(sid: string): Extension {
  const name = otherName("1.3.6.1.4.1.311.25.2.1", encodeOctets(Buffer.from(sid, "latin1")));
  return extension("securityIdentifier", encode(new libraries.x509.GeneralNames([name])));
}

/** CA version: index of the CA certificate in the low, of its key in the high 16 bits. */
export function caVersion(certificateIndex: number, keyIndex: number): Extension {
  return extension("caVersion", encodeInteger(keyIndex * 0x10000 + certificateIndex));
}

/** Of a renewed CA certificate: SHA-1 of the one before it. */
export function previousCaCertificateHash(certificate: Buffer): Extension {
  const sha1 = hash("sha1", certificate, "buffer");
  return extension("previousCaCertificateHash", encodeOctets(sha1));
}

function encodeOctets(content: Buffer): Buffer {
  return encode(new libraries.schema.OctetString(bytesOf(content)));
}

/** CRL number. */
export function crlNumber(number: number): Extension {
  return extension("crlNumber", encodeInteger(number));
}

/** Delta CRL indicator, critical: the number of the base CRL it builds on. */
export function deltaCrlIndicator(baseNumber: number): Extension {
  return extension("deltaCrlIndicator", encodeInteger(baseNumber), true);
}

/** Microsoft's next publish time of a CRL. */
export function nextPublish(date: Date): Extension {
  return extension("nextPublish", encode(new libraries.x509.Time(date)));
}

/** Reason code of a CRL entry. */
export function reasonCode(reason: number): Extension {
  return extension("reasonCode", encode(libraries.schema.AsnEnumeratedConverter.toASN(reason)));
}
