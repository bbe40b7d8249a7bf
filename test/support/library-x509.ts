// Certificates, requests and CRLs by the ASN.1 libraries: what the simulator's own code must write too.
import { Attributes, CertificationRequest, CertificationRequestInfo } from "@peculiar/asn1-csr";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import {
  AlgorithmIdentifier,
  Attribute,
  Certificate,
  CertificateList,
  Extensions,
  Extension as LibraryExtension,
  Name,
  RevokedCertificate,
  SubjectPublicKeyInfo,
  TBSCertificate,
  TBSCertList,
  Time,
  Validity,
  Version,
} from "@peculiar/asn1-x509";
import { ia5String, utf8String } from "../../src/simulate/der-writer.ts";
import { encodeName } from "../../src/simulate/distinguished-name.ts";
import type { SigningKey } from "../../src/simulate/signing-key.ts";
import type {
  CertificateContent,
  CrlContent,
  CrlEntry,
  RequestContent,
} from "../../src/simulate/x509-builder.ts";
import {
  type Extension,
  encodeExtensions,
  reasonCode,
} from "../../src/simulate/x509-extensions.ts";

const challengePasswordOid = "1.2.840.113549.1.9.7";
const extensionRequestOid = "1.2.840.113549.1.9.14";
const osVersionOid = "1.3.6.1.4.1.311.13.2.3";

/** DER of an X.509 v3 certificate signed by `key`. */
export function libraryCertificate(content: CertificateContent, key: SigningKey): Buffer {
  const signatureAlgorithm = parse(key.signatureAlgorithm, AlgorithmIdentifier);
  const tbsCertificate = new TBSCertificate({
    version: Version.v3,
    serialNumber: bytes(integerContent(content.serialNumber)),
    signature: signatureAlgorithm,
    issuer: parse(encodeName(content.issuer), Name),
    validity: new Validity({
      notBefore: wholeSeconds(content.notBefore),
      notAfter: wholeSeconds(content.notAfter),
    }),
    subject: parse(encodeName(content.subject), Name),
    subjectPublicKeyInfo: parse(content.publicKeyInfo, SubjectPublicKeyInfo),
    extensions: new Extensions(extensionList(content.extensions)),
  });
  const signatureValue = signature(tbsCertificate, key);
  return write(new Certificate({ tbsCertificate, signatureAlgorithm, signatureValue }));
}

/** DER of a PKCS#10 request for a certificate of `key`, which also signs it. */
export function libraryRequest(content: RequestContent, key: SigningKey): Buffer {
  const certificationRequestInfo = new CertificationRequestInfo({
    version: 0,
    subject: parse(encodeName(content.subject), Name),
    subjectPKInfo: parse(key.publicKeyInfo, SubjectPublicKeyInfo),
    attributes: new Attributes(attributesOf(content)),
  });
  return write(
    new CertificationRequest({
      certificationRequestInfo,
      signatureAlgorithm: parse(key.signatureAlgorithm, AlgorithmIdentifier),
      signature: signature(certificationRequestInfo, key),
    }),
  );
}

function attributesOf({ osVersion, challengePassword, extensions }: RequestContent): Attribute[] {
  const values: [oid: string, value: Buffer][] = [];
  if (osVersion !== undefined) values.push([osVersionOid, ia5String(osVersion)]);
  if (challengePassword !== undefined) {
    values.push([challengePasswordOid, utf8String(challengePassword)]);
  }
  if (extensions.length > 0) values.push([extensionRequestOid, encodeExtensions(extensions)]);
  const attributes = values.map(([type, value]) => new Attribute({ type, values: [bytes(value)] }));
  // DER sorts a SET OF by its bytes, and the library leaves the order to its caller.
  return attributes.toSorted((a, b) => Buffer.compare(write(a), write(b)));
}

/** DER of an X.509 v2 CRL signed by `key`. */
export function libraryCrl(content: CrlContent, key: SigningKey): Buffer {
  const signatureAlgorithm = parse(key.signatureAlgorithm, AlgorithmIdentifier);
  const tbsCertList = new TBSCertList({
    version: Version.v2,
    signature: signatureAlgorithm,
    issuer: parse(encodeName(content.issuer), Name),
    thisUpdate: new Time(wholeSeconds(content.thisUpdate)),
    nextUpdate: new Time(wholeSeconds(content.nextUpdate)),
    ...(content.entries.length > 0 && { revokedCertificates: content.entries.map(revoked) }),
    crlExtensions: extensionList(content.extensions),
  });
  return write(
    new CertificateList({
      tbsCertList,
      signatureAlgorithm,
      signature: signature(tbsCertList, key),
    }),
  );
}

function revoked({ serialNumber, revokedAt, reason }: CrlEntry): RevokedCertificate {
  return new RevokedCertificate({
    userCertificate: bytes(integerContent(serialNumber)),
    revocationDate: new Time(wholeSeconds(revokedAt)),
    ...(reason !== 0 && { crlEntryExtensions: extensionList([reasonCode(reason)]) }),
  });
}

function extensionList(extensions: readonly Extension[]): LibraryExtension[] {
  return extensions.map(
    ({ oid, isCritical, value }) =>
      new LibraryExtension({
        extnID: oid,
        critical: isCritical,
        extnValue: new OctetString(bytes(value)),
      }),
  );
}

function parse<T>(der: Buffer, type: new () => T): T {
  return AsnConvert.parse(bytes(der), type);
}

function signature(body: object, key: SigningKey): ArrayBuffer {
  return bytes(key.sign(write(body)));
}

function write(value: object): Buffer {
  return Buffer.from(AsnConvert.serialize(value));
}

/** Content of a positive INTEGER from its hex digits. */
function integerContent(hex: string): Buffer {
  const digits = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
  return (digits[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), digits]) : digits;
}

function wholeSeconds(date: Date): Date {
  return new Date(Math.floor(date.getTime() / 1000) * 1000);
}

function bytes(buffer: Uint8Array): ArrayBuffer {
  return Uint8Array.from(buffer).buffer;
}
