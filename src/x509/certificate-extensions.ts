import type { ExtensionHandler } from "./extensions.ts";
import { type AlternativeNames, readGeneralNames } from "./general-names.ts";
import { readAuthorityKeyIdentifier, readSubjectKeyIdentifier } from "./key-identifiers.ts";
import { readOid } from "./oid.ts";
import { keyPurposeNames } from "./oid-names.ts";
import { DerError, type DerReader, tags } from "./reader.ts";
import { stringText } from "./text.ts";

/** Words of the KeyUsage bits, from bit 0. */
const keyUsageWords = [
  "digitalSignature",
  "nonRepudiation",
  "keyEncipherment",
  "dataEncipherment",
  "keyAgreement",
  "keyCertSign",
  "crlSign",
  "encipherOnly",
  "decipherOnly",
] as const;

/** The AD CS template that a certificate was issued from. */
export interface CertificateTemplate {
  /** The name; version 1 templates only. */
  name?: string;
  /** The dotted OID; version 2 and later, as the two numbers of the template's revision. */
  oid?: string;
  majorVersion?: number;
  minorVersion?: number;
}

/** The parsed extensions of a certificate; one that is absent or malformed is absent here. */
export interface CertificateExtensions {
  subjectAlternativeNames?: AlternativeNames;
  keyUsage?: string[];
  /** Extended key usages; `name` where the OID is known. */
  extendedKeyUsage?: { readonly oid: string; readonly name?: string }[];
  basicConstraints?: { readonly ca: boolean; readonly pathLength?: number };
  /** Lower-case hex. */
  subjectKeyIdentifier?: string;
  /** Lower-case hex. */
  authorityKeyIdentifier?: string;
  template?: CertificateTemplate;
  /** The account's SID from the extension 1.3.6.1.4.1.311.25.2. */
  sid?: string;
}

type Handler = ExtensionHandler<CertificateExtensions>;

/** The extensions that an event shows, by OID. */
export const certificateExtensionHandlers: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  [
    "2.5.29.14",
    (target, value) => void (target.subjectKeyIdentifier = readSubjectKeyIdentifier(value)),
  ],
  ["2.5.29.15", (target, value) => void (target.keyUsage = readKeyUsage(value))],
  [
    "2.5.29.17",
    (target, value) => readGeneralNames(value, (target.subjectAlternativeNames ??= {})),
  ],
  ["2.5.29.19", (target, value) => void (target.basicConstraints = readBasicConstraints(value))],
  ["2.5.29.35", authorityKeyIdentifier],
  ["2.5.29.37", (target, value) => void (target.extendedKeyUsage = readKeyPurposes(value))],
  ["1.3.6.1.4.1.311.20.2", templateName],
  ["1.3.6.1.4.1.311.21.7", templateVersion],
  ["1.3.6.1.4.1.311.25.2", (target, value) => void (target.sid = readSid(value))],
]);

function authorityKeyIdentifier(target: CertificateExtensions, value: DerReader): void {
  const identifier = readAuthorityKeyIdentifier(value);
  if (identifier !== undefined) target.authorityKeyIdentifier = identifier;
}

function readKeyUsage(value: DerReader): string[] {
  const bits = value.bits(value.next(tags.bitString));
  return keyUsageWords.filter((_, bit) => ((bits[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0);
}

function readBasicConstraints(value: DerReader): { ca: boolean; pathLength?: number } {
  const constraints = value.sequence();
  const flag = constraints.optional(tags.boolean);
  const ca = flag !== undefined && constraints.content(flag)[0] !== 0;
  const pathLength = constraints.optional(tags.integer);
  if (pathLength === undefined) return { ca };
  return { ca, pathLength: constraints.smallInteger(pathLength) };
}

function readKeyPurposes(value: DerReader): { oid: string; name?: string }[] {
  const purposes: { oid: string; name?: string }[] = [];
  const list = value.sequence();
  while (list.hasMore) {
    const oid = readOid(list);
    const name = keyPurposeNames.get(oid);
    purposes.push(name === undefined ? { oid } : { oid, name });
  }
  return purposes;
}

function templateName(target: CertificateExtensions, value: DerReader): void {
  const name = stringText(value, value.next());
  if (name === undefined) throw new DerError("template name is not a string");
  (target.template ??= {}).name = name;
}

function templateVersion(target: CertificateExtensions, value: DerReader): void {
  const template = (target.template ??= {});
  const fields = value.sequence();
  template.oid = readOid(fields);
  const major = fields.optional(tags.integer);
  if (major !== undefined) template.majorVersion = fields.smallInteger(major);
  const minor = fields.optional(tags.integer);
  if (minor !== undefined) template.minorVersion = fields.smallInteger(minor);
}

/** GeneralNames with one otherName 1.3.6.1.4.1.311.25.2.1 around an OCTET STRING with the SID's text. */
function readSid(value: DerReader): string {
  const names = value.sequence();
  const otherName = names.inside(names.next(0xa0));
  otherName.next(tags.oid);
  const wrapper = otherName.inside(otherName.next(0xa0));
  return wrapper.content(wrapper.next(tags.octetString)).toString("latin1");
}
