import type {
  Attribute,
  Extension as LibraryExtension,
  RevokedCertificate,
} from "@peculiar/asn1-x509";
import {
  algorithmIdentifier,
  bytesOf,
  encode,
  encoded,
  libraries,
  serialNumberOf,
  utf8Text,
} from "./asn1.ts";
import type { DistinguishedName } from "./distinguished-name.ts";
import type { SigningKey } from "./signing-key.ts";
import { type Extension, reasonCode } from "./x509-extensions.ts";
import { nameOf } from "./x509-name.ts";

/** The fields of a certificate. Dates are cut to whole seconds. */
export interface CertificateContent {
  /** Hex digits; the first bit must be 0. */
  readonly serialNumber: string;
  readonly issuer: DistinguishedName;
  readonly subject: DistinguishedName;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** SubjectPublicKeyInfo. */
  readonly publicKeyInfo: Buffer;
  readonly extensions: readonly Extension[];
}

/** DER of an X.509 v3 certificate signed by `issuerKey`. */
export function buildCertificate(content: CertificateContent, issuerKey: SigningKey): Buffer {
  const { Certificate, Extensions, SubjectPublicKeyInfo, TBSCertificate, Validity, Version } =
    libraries.x509;
  const signatureAlgorithm = algorithmIdentifier(issuerKey.signatureAlgorithm);
  const body = encode(
    new TBSCertificate({
      version: Version.v3,
      serialNumber: serialNumberOf(content.serialNumber),
      signature: signatureAlgorithm,
      issuer: nameOf(content.issuer),
      validity: new Validity({ notBefore: content.notBefore, notAfter: content.notAfter }),
      subject: nameOf(content.subject),
      subjectPublicKeyInfo: encoded(SubjectPublicKeyInfo, content.publicKeyInfo),
      extensions: new Extensions(extensionsOf(content.extensions)),
    }),
  );
  return encode(
    new Certificate({
      tbsCertificate: encoded(TBSCertificate, body),
      signatureAlgorithm,
      signatureValue: bytesOf(issuerKey.sign(body)),
    }),
  );
}

function extensionsOf(extensions: readonly Extension[]): LibraryExtension[] {
  const { OctetString } = libraries.schema;
  const { Extension } = libraries.x509;
  return extensions.map(({ oid, isCritical, value }) => {
    const extnValue = new OctetString(bytesOf(value));
    return new Extension({ extnID: oid, critical: isCritical, extnValue });
  });
}

/** The fields of a PKCS#10 request. */
export interface RequestContent {
  readonly subject: DistinguishedName;
  readonly extensions: readonly Extension[];
  /** PKCS#9 challengePassword attribute. Default none. */
  readonly challengePassword?: string;
  /** Microsoft's OS version attribute, such as `10.0.20348.2`. Default none. */
  readonly osVersion?: string;
}

/** DER of a PKCS#10 request for a certificate of `key`, which also signs it. */
export function buildRequest(content: RequestContent, key: SigningKey): Buffer {
  const { Attributes, CertificationRequest, CertificationRequestInfo } = libraries.csr;
  const body = encode(
    new CertificationRequestInfo({
      version: 0,
      subject: nameOf(content.subject),
      subjectPKInfo: encoded(libraries.x509.SubjectPublicKeyInfo, key.publicKeyInfo),
      attributes: new Attributes(attributesOf(content)),
    }),
  );
  return encode(
    new CertificationRequest({
      certificationRequestInfo: encoded(CertificationRequestInfo, body),
      signatureAlgorithm: algorithmIdentifier(key.signatureAlgorithm),
      signature: bytesOf(key.sign(body)),
    }),
  );
}

/** The attributes in the order that DER requires of a SET OF, which the libraries leave to their caller. */
function attributesOf({ osVersion, challengePassword, extensions }: RequestContent): Attribute[] {
  const { AsnIA5StringConverter, AsnUtf8StringConverter } = libraries.schema;
  const values: [oid: string, value: object][] = [];
  if (osVersion !== undefined) {
    values.push(["1.3.6.1.4.1.311.13.2.3", AsnIA5StringConverter.toASN(osVersion)]);
  }
  if (challengePassword !== undefined) {
    const password = AsnUtf8StringConverter.toASN(utf8Text(challengePassword));
    values.push(["1.2.840.113549.1.9.7", password]);
  }
  if (extensions.length > 0) {
    const list = new libraries.x509.Extensions(extensionsOf(extensions));
    values.push(["1.2.840.113549.1.9.14", list]);
  }
  return values
    .map(([oid, value]) => encodeAttribute(oid, encode(value)))
    .toSorted((a, b) => Buffer.compare(a, b))
    .map((der) => encoded(libraries.x509.Attribute, der));
}

function encodeAttribute(oid: string, value: Buffer): Buffer {
  return encode(new libraries.x509.Attribute({ type: oid, values: [bytesOf(value)] }));
}

/** One revoked certificate of a CRL. */
export interface CrlEntry {
  /** Hex digits. */
  readonly serialNumber: string;
  readonly revokedAt: Date;
  /** Reason code; 0 (unspecified) is left out. */
  readonly reason: number;
}

/** The fields of a CRL; a delta CRL has a delta indicator among its extensions. */
export interface CrlContent {
  readonly issuer: DistinguishedName;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  /** Encoded once: the next CRL with the same objects costs little for each. */
  readonly entries: readonly CrlEntry[];
  readonly extensions: readonly Extension[];
}

/** DER of an X.509 v2 CRL signed by `issuerKey`. */
export function buildCrl(content: CrlContent, issuerKey: SigningKey): Buffer {
  const { CertificateList, TBSCertList, Time, Version } = libraries.x509;
  const signatureAlgorithm = algorithmIdentifier(issuerKey.signatureAlgorithm);
  const entries = entriesOf(content.entries);
  const body = encode(
    new TBSCertList({
      version: Version.v2,
      signature: signatureAlgorithm,
      issuer: nameOf(content.issuer),
      thisUpdate: new Time(content.thisUpdate),
      nextUpdate: new Time(content.nextUpdate),
      ...(entries.length > 0 && { revokedCertificates: entries }),
      crlExtensions: extensionsOf(content.extensions),
    }),
  );
  return encode(
    new CertificateList({
      tbsCertList: encoded(TBSCertList, body),
      signatureAlgorithm,
      signature: bytesOf(issuerKey.sign(body)),
    }),
  );
}

/** The entries that CRLs had before: a CA publishes most of them again and again. */
const knownEntries = new WeakMap<CrlEntry, RevokedCertificate>();

/** What follows the serial number of an entry. */
type EntryEnd = Pick<RevokedCertificate, "revocationDate" | "crlEntryExtensions">;

/** The entries of a CRL. Those that end alike share their end, which takes most of the time. */
function entriesOf(entries: readonly CrlEntry[]): RevokedCertificate[] {
  const { RevokedCertificate } = libraries.x509;
  const ends = new Map<string, EntryEnd>();
  return entries.map((entry) => {
    const known = knownEntries.get(entry);
    if (known) return known;
    const kind = `${entry.revokedAt.getTime()} ${entry.reason}`;
    const end = ends.get(kind) ?? entryEnd(entry);
    ends.set(kind, end);
    const made = encoded(RevokedCertificate, encodeEntry(entry, end));
    knownEntries.set(entry, made);
    return made;
  });
}

function entryEnd({ revokedAt, reason }: CrlEntry): EntryEnd {
  const { Extension, Time } = libraries.x509;
  const extensions = extensionsOf([reasonCode(reason)]).map(encode);
  return {
    revocationDate: encoded(Time, encode(new Time(revokedAt))),
    ...(reason !== 0 && { crlEntryExtensions: extensions.map((der) => encoded(Extension, der)) }),
  };
}

function encodeEntry({ serialNumber }: CrlEntry, end: EntryEnd): Buffer {
  const { RevokedCertificate } = libraries.x509;
  return encode(new RevokedCertificate({ userCertificate: serialNumberOf(serialNumber), ...end }));
}
