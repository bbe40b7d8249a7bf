import { isCut, type RecordValue } from "../exit/record.ts";
import { type ParsedCertificate, parseCertificate } from "../x509/certificate.ts";
import { type CertificateParts, certificateParts } from "../x509/certificate-parts.ts";
import type { DerProblem } from "../x509/der-report.ts";
import { haveSameMembers } from "./members-of-lists.ts";
import { type NameAttribute, nameAttributes } from "./name-text.ts";
import { oleDateText } from "./times.ts";

/**
 * What a certificate says about a value that the CA keeps beside it: the same, something else, or nothing that could
 * be compared.
 */
export type Comparison = "same" | "different" | "unsaid";

/** A certificate in all forms that its event needs. */
export class RecordedCertificate {
  readonly der: Buffer;
  readonly parsed: ParsedCertificate;
  readonly problems: readonly DerProblem[];
  readonly parts: CertificateParts;
  /** The subject's attributes; `undefined` if they cannot be compared with text. */
  readonly subject: readonly NameAttribute[] | undefined;

  constructor(der: Buffer) {
    const { certificate, problems } = parseCertificate(der);
    this.der = der;
    this.parsed = certificate;
    this.problems = problems;
    this.parts = certificateParts(der);
    const { subject } = certificate;
    this.subject = subject && nameAttributes(subject.distinguishedName);
  }

  /** Compares a column of the certificate's row. */
  compare(name: string, value: RecordValue): Comparison {
    if (Buffer.isBuffer(value)) return same(binaryColumns.get(name)?.(this.parts), value);
    if (typeof value === "string") return textColumns.get(name)?.(this, value) ?? "unsaid";
    if (typeof value === "number" && name === "PublicKeyLength") return keyLength(this, value);
    return typeof value === "object" && "oleDate" in value
      ? dateColumn(this, name, value.oleDate)
      : "unsaid";
  }

  /** Compares an entry of the CA's extension table. */
  compareExtension(oid: unknown, flags: number, der: RecordValue): Comparison {
    const own = typeof oid === "string" ? this.parts.extensions.get(oid) : undefined;
    if (own === undefined || isCut(der) || !Buffer.isBuffer(der)) return "unsaid";
    const isDisabled = (flags & 2) !== 0;
    const isCritical = (flags & 1) !== 0;
    const isSame = this.der.compare(der, 0, der.length, own.start, own.end) === 0;
    const agrees = !isDisabled && isCritical === own.critical && isSame;
    return agrees ? "same" : "different";
  }
}

function same(own: Buffer | undefined, value: Buffer): Comparison {
  if (own === undefined) return "unsaid";
  return own.equals(value) ? "same" : "different";
}

/** A map, because the names of columns come from outside. */
function columns<T>(table: Readonly<Record<string, T>>): ReadonlyMap<string, T> {
  return new Map(Object.entries(table));
}

const binaryColumns = columns<(parts: CertificateParts) => Buffer | undefined>({
  RawName: ({ subject }) => subject,
  RawPublicKey: ({ publicKey }) => publicKey,
  RawPublicKeyAlgorithmParameters: ({ publicKeyParameters }) => publicKeyParameters,
});

type CompareText = (certificate: RecordedCertificate, value: string) => Comparison;

const textColumns = columns<CompareText>({
  CertificateHash: ({ parsed }, value) => sameText(parsed.fingerprints.sha1, hexOf(value)),
  SerialNumber: ({ parts }, value) =>
    sameText(
      parts.serialNumber && withoutZeros(parts.serialNumber.toString("hex")),
      withoutZeros(hexOf(value)),
    ),
  SubjectKeyIdentifier: ({ parsed }, value) => sameText(parsed.subjectKeyIdentifier, hexOf(value)),
  PublicKeyAlgorithm: ({ parsed }, value) => sameText(parsed.publicKey?.algorithm.oid, value),
  CertificateTemplate: ({ parsed: { template } }, value) =>
    sameText(/^[0-2](\.\d+)+$/.test(value) ? template?.oid : template?.name, value),
  UPN: ({ parsed }, value) => {
    const names = parsed.subjectAlternativeNames?.upn;
    if (names === undefined) return "unsaid";
    return names.includes(value) ? "same" : "different";
  },
  DistinguishedName: ({ parsed, subject }, value) => {
    const isOwnText = value === parsed.subject?.distinguishedName;
    return compareNames(subject, isOwnText ? subject : nameAttributes(value));
  },
  CommonName: namePart("CN"),
  Country: namePart("C"),
  DeviceSerialNumber: namePart("SERIALNUMBER"),
  DomainComponent: namePart("DC"),
  EMail: namePart("E"),
  GivenName: namePart("G"),
  Initials: namePart("I"),
  Locality: namePart("L"),
  Organization: namePart("O"),
  OrgUnit: namePart("OU"),
  State: namePart("ST"),
  StreetAddress: namePart("STREET"),
  SurName: namePart("SN"),
  Title: namePart("T"),
});

function sameText(own: string | undefined, value: string): Comparison {
  if (own === undefined) return "unsaid";
  return own === value ? "same" : "different";
}

/** `0A 1b` as `0a1b`. */
function hexOf(value: string): string {
  return value.replaceAll(/\s/g, "").toLowerCase();
}

function withoutZeros(hex: string): string {
  return hex.replace(/^(00)+(?=..)/, "");
}

/** The CA joins the values of one type with line breaks, in an order of its own. */
function namePart(type: string): CompareText {
  return ({ subject }, value) => {
    const own = subject?.filter((attribute) => attribute.type === type);
    if (own === undefined || own.length === 0) return "unsaid";
    const values = own.map((attribute) => attribute.value);
    return haveSameMembers(values, value.split(/\r?\n/)) ? "same" : "different";
  };
}

/** Compares names whatever their order. Other types are no difference: Windows has other words for some. */
function compareNames(
  own: readonly NameAttribute[] | undefined,
  value: readonly NameAttribute[] | undefined,
): Comparison {
  if (!own || !value || own.length === 0) return "unsaid";
  if (own === value) return "same";
  const types = (name: readonly NameAttribute[]) => name.map(({ type }) => type);
  if (!haveSameMembers(types(own), types(value))) return "unsaid";
  const texts = (name: readonly NameAttribute[]) =>
    name.map((attribute) => `${attribute.type}=${attribute.value}`);
  return haveSameMembers(texts(own), texts(value)) ? "same" : "different";
}

/** Algorithms whose size everybody counts in the same way. */
const sizedAlgorithms: ReadonlySet<string | undefined> = new Set(["RSA", "EC", "DSA"]);

function keyLength({ parsed: { publicKey } }: RecordedCertificate, value: number): Comparison {
  if (publicKey?.bits === undefined || !sizedAlgorithms.has(publicKey.algorithm.name))
    return "unsaid";
  return publicKey.bits === value ? "same" : "different";
}

const dateColumns = columns<"notBefore" | "notAfter">({
  NotBefore: "notBefore",
  NotAfter: "notAfter",
});

/** Length of a time up to its seconds. */
const wholeSeconds = "2026-03-01T12:00:00".length;

/** A certificate has whole seconds, a column may have their fraction too. */
function dateColumn({ parsed }: RecordedCertificate, name: string, oleDate: Buffer): Comparison {
  const member = dateColumns.get(name);
  const own = member && parsed[member];
  const date = oleDateText(oleDate);
  if (own === undefined || date === undefined) return "unsaid";
  if (date.slice(0, wholeSeconds) === own.slice(0, wholeSeconds)) return "same";
  return Math.abs(Date.parse(date) - Date.parse(own)) < 1000 ? "same" : "different";
}
