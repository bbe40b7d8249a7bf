import { RepeatedValues } from "../repeated-values.ts";
import { type AccountSids, addSidsOfUris, readSidExtension } from "./account-sid.ts";
import type { DerReport } from "./der-report.ts";
import type { ExtensionHandler, ExtensionHandlers } from "./extensions.ts";
import { type AlternativeNames, readGeneralNames } from "./general-names.ts";
import { readAuthorityKeyIdentifier, readSubjectKeyIdentifier } from "./key-identifiers.ts";
import { oidText, readOid } from "./oid.ts";
import { keyPurposeNames } from "./oid-names.ts";
import { DerError, type DerReader, tags, unexpectedTag } from "./reader.ts";
import { stringText, withoutNul } from "./text.ts";

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

/** What a key may be used for; `name` where the OID is known. */
export interface KeyPurpose {
  /** Dotted. */
  readonly oid: string;
  readonly name?: string;
}

/** The parsed extensions of a certificate; one that is absent or malformed is absent here. */
export interface CertificateExtensions extends AccountSids {
  subjectAlternativeNames?: AlternativeNames;
  keyUsage?: string[];
  extendedKeyUsage?: KeyPurpose[];
  /** Issuance policies, dotted OIDs; their qualifiers are not read. */
  certificatePolicies?: string[];
  basicConstraints?: { readonly ca: boolean; readonly pathLength?: number };
  /** Lower-case hex. */
  subjectKeyIdentifier?: string;
  /** Lower-case hex. */
  authorityKeyIdentifier?: string;
  template?: CertificateTemplate;
}

type Read = ExtensionHandler<CertificateExtensions>["read"];

const single = (read: Read): ExtensionHandler<CertificateExtensions> => ({ read });
const repeated = (read: Read): ExtensionHandler<CertificateExtensions> => ({
  read,
  known: new RepeatedValues(),
});
const cumulative = (read: Read): ExtensionHandler<CertificateExtensions> => ({
  read,
  isCumulative: true,
});

/** The extensions that an event shows, by OID. */
export const certificateExtensionHandlers: ExtensionHandlers<CertificateExtensions> = new Map([
  [
    "2.5.29.14",
    single((target, value) => void (target.subjectKeyIdentifier = readSubjectKeyIdentifier(value))),
  ],
  ["2.5.29.15", repeated((target, value) => void (target.keyUsage = readKeyUsage(value)))],
  ["2.5.29.17", cumulative(alternativeNames)],
  ["2.5.29.19", repeated((target, value) => readBasicConstraints(target, value))],
  [
    "2.5.29.32",
    repeated((target, value, report) => {
      const policies = readPolicies(value, report);
      if (policies.length > 0) target.certificatePolicies = policies;
    }),
  ],
  ["2.5.29.35", repeated(authorityKeyIdentifier)],
  [
    "2.5.29.37",
    repeated((target, value, report) => {
      const purposes = readKeyPurposes(value, report);
      if (purposes.length > 0) target.extendedKeyUsage = purposes;
    }),
  ],
  ["1.3.6.1.4.1.311.20.2", single(templateName)],
  ["1.3.6.1.4.1.311.21.7", single(templateVersion)],
  ["1.3.6.1.4.1.311.25.2", cumulative(readSidExtension)],
]);

function alternativeNames(
  target: CertificateExtensions,
  value: DerReader,
  report: DerReport,
): void {
  const names = target.subjectAlternativeNames ?? {};
  const known = names.uri?.length ?? 0;
  readGeneralNames(value, names, report);
  if (Object.keys(names).length > 0) target.subjectAlternativeNames = names;
  addSidsOfUris(target, names.uri?.slice(known) ?? [], report);
}

function authorityKeyIdentifier(target: CertificateExtensions, value: DerReader): void {
  const identifier = readAuthorityKeyIdentifier(value);
  if (identifier !== undefined) target.authorityKeyIdentifier = identifier;
}

function readKeyUsage(value: DerReader): string[] {
  const bits = value.bits(value.next(tags.bitString));
  return keyUsageWords.filter((_, bit) => ((bits[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0);
}

function readBasicConstraints(target: CertificateExtensions, value: DerReader): void {
  const constraints = value.sequence();
  const flag = constraints.optional(tags.boolean);
  const ca = flag !== undefined && constraints.content(flag)[0] !== 0;
  // A malformed path length must not hide that this is a CA.
  target.basicConstraints = { ca };
  const pathLength = constraints.optional(tags.integer);
  if (pathLength !== undefined) {
    target.basicConstraints = { ca, pathLength: constraints.smallInteger(pathLength) };
  }
  constraints.end();
}

function readKeyPurposes(value: DerReader, report: DerReport): KeyPurpose[] {
  const list = value.sequence();
  if (!list.hasMore) throw new DerError("has no key purpose");
  const purposes: KeyPurpose[] = [];
  report.eachMember(list, (member) => {
    if (member.tag !== tags.oid) throw unexpectedTag(member.tag, tags.oid);
    purposes.push(keyPurpose(oidText(list.bytes, member)));
  });
  return purposes;
}

function readPolicies(value: DerReader, report: DerReport): string[] {
  const list = value.sequence();
  if (!list.hasMore) throw new DerError("has no policy");
  const policies: string[] = [];
  report.eachMember(list, (member) => {
    policies.push(readOid(list.insideSequence(member)));
  });
  return policies;
}

/** A key purpose with its name. */
export function keyPurpose(oid: string): KeyPurpose {
  const name = keyPurposeNames.get(oid);
  return name === undefined ? { oid } : { oid, name };
}

function templateName(target: CertificateExtensions, value: DerReader, report: DerReport): void {
  const name = stringText(value, value.next(), report);
  if (name === undefined) throw new DerError("template name is not a string");
  (target.template ??= {}).name = withoutNul(name);
}

function templateVersion(target: CertificateExtensions, value: DerReader): void {
  const fields = value.sequence();
  const oid = readOid(fields);
  const template: CertificateTemplate = (target.template = { ...target.template, oid });
  const major = fields.optional(tags.integer);
  if (major !== undefined) template.majorVersion = fields.smallInteger(major);
  const minor = fields.optional(tags.integer);
  if (minor !== undefined) template.minorVersion = fields.smallInteger(minor);
  fields.end();
}
