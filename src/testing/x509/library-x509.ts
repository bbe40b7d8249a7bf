import { ia5String, utf8String } from "../../simulate/der-writer.ts";
import { encodeName } from "../../simulate/distinguished-name.ts";
import type { SigningKey } from "../../simulate/signing-key.ts";
import type {
  CertificateContent,
  CrlContent,
  CrlEntry,
  RequestContent,
  X509Maker,
} from "../../simulate/x509-builder.ts";
import { type Extension, encodeExtensions, reasonCode } from "../../simulate/x509-extensions.ts";
import { loadLibrary } from "../libraries.ts";

type Schema = typeof import("@peculiar/asn1-schema");
type X509 = typeof import("@peculiar/asn1-x509");
type Csr = typeof import("@peculiar/asn1-csr");

const challengePasswordOid = "1.2.840.113549.1.9.7";
const extensionRequestOid = "1.2.840.113549.1.9.14";
const osVersionOid = "1.3.6.1.4.1.311.13.2.3";

/** Certificates, requests and CRLs by the ASN.1 libraries. Every call throws CERTWIRE_TESTING_LIBRARY without them. */
export const libraryX509: X509Maker = {
  certificate: (content, key) => new Writer().certificate(content, key),
  request: (content, key) => new Writer().request(content, key),
  crl: (content, key) => new Writer().crl(content, key),
};

class Writer {
  readonly #schema = loadLibrary("@peculiar/asn1-schema") as Schema;
  readonly #x509 = loadLibrary("@peculiar/asn1-x509") as X509;

  certificate(content: CertificateContent, key: SigningKey): Buffer {
    const { Certificate, TBSCertificate, Validity, Version } = this.#x509;
    const { notBefore, notAfter } = content;
    const signatureAlgorithm = this.#algorithm(key);
    const tbsCertificate = new TBSCertificate({
      version: Version.v3,
      serialNumber: bytes(integerContent(content.serialNumber)),
      signature: signatureAlgorithm,
      issuer: this.#parse(encodeName(content.issuer), this.#x509.Name),
      validity: new Validity({
        notBefore: wholeSeconds(notBefore),
        notAfter: wholeSeconds(notAfter),
      }),
      subject: this.#parse(encodeName(content.subject), this.#x509.Name),
      subjectPublicKeyInfo: this.#publicKeyInfo(content.publicKeyInfo),
      extensions: new this.#x509.Extensions(this.#extensions(content.extensions)),
    });
    const signatureValue = this.#sign(tbsCertificate, key);
    return this.#write(new Certificate({ tbsCertificate, signatureAlgorithm, signatureValue }));
  }

  request(content: RequestContent, key: SigningKey): Buffer {
    const { CertificationRequest, CertificationRequestInfo, Attributes } = loadLibrary(
      "@peculiar/asn1-csr",
    ) as Csr;
    const certificationRequestInfo = new CertificationRequestInfo({
      version: 0,
      subject: this.#parse(encodeName(content.subject), this.#x509.Name),
      subjectPKInfo: this.#publicKeyInfo(key.publicKeyInfo),
      attributes: new Attributes(this.#attributes(content)),
    });
    const signature = this.#sign(certificationRequestInfo, key);
    const signatureAlgorithm = this.#algorithm(key);
    return this.#write(
      new CertificationRequest({ certificationRequestInfo, signatureAlgorithm, signature }),
    );
  }

  #attributes({ osVersion, challengePassword, extensions }: RequestContent) {
    const values: [oid: string, value: Buffer][] = [];
    if (osVersion !== undefined) values.push([osVersionOid, ia5String(osVersion)]);
    if (challengePassword !== undefined) {
      values.push([challengePasswordOid, utf8String(challengePassword)]);
    }
    if (extensions.length > 0) values.push([extensionRequestOid, encodeExtensions(extensions)]);
    const attributes = values.map(
      ([type, value]) => new this.#x509.Attribute({ type, values: [bytes(value)] }),
    );
    // DER sorts a SET OF by its bytes, and the library leaves the order to its caller.
    return attributes.toSorted((a, b) => Buffer.compare(this.#write(a), this.#write(b)));
  }

  crl(content: CrlContent, key: SigningKey): Buffer {
    const { CertificateList, TBSCertList, Time, Version } = this.#x509;
    const signatureAlgorithm = this.#algorithm(key);
    const tbsCertList = new TBSCertList({
      version: Version.v2,
      signature: signatureAlgorithm,
      issuer: this.#parse(encodeName(content.issuer), this.#x509.Name),
      thisUpdate: new Time(wholeSeconds(content.thisUpdate)),
      nextUpdate: new Time(wholeSeconds(content.nextUpdate)),
      ...(content.entries.length > 0 && {
        revokedCertificates: content.entries.map((entry) => this.#revoked(entry)),
      }),
      crlExtensions: this.#extensions(content.extensions),
    });
    const signature = this.#sign(tbsCertList, key);
    return this.#write(new CertificateList({ tbsCertList, signatureAlgorithm, signature }));
  }

  #revoked({ serialNumber, revokedAt, reason }: CrlEntry) {
    return new this.#x509.RevokedCertificate({
      userCertificate: bytes(integerContent(serialNumber)),
      revocationDate: new this.#x509.Time(wholeSeconds(revokedAt)),
      ...(reason !== 0 && { crlEntryExtensions: this.#extensions([reasonCode(reason)]) }),
    });
  }

  #extensions(extensions: readonly Extension[]) {
    const { OctetString } = this.#schema;
    return extensions.map(
      ({ oid, isCritical, value }) =>
        new this.#x509.Extension({
          extnID: oid,
          critical: isCritical,
          extnValue: new OctetString(bytes(value)),
        }),
    );
  }

  #algorithm({ signatureAlgorithm }: SigningKey) {
    return this.#parse(signatureAlgorithm, this.#x509.AlgorithmIdentifier);
  }

  #publicKeyInfo(der: Buffer) {
    return this.#parse(der, this.#x509.SubjectPublicKeyInfo);
  }

  #parse<T>(der: Buffer, type: new () => T): T {
    return this.#schema.AsnConvert.parse(bytes(der), type);
  }

  #sign(body: object, key: SigningKey): ArrayBuffer {
    return bytes(key.sign(this.#write(body)));
  }

  #write(value: object): Buffer {
    return Buffer.from(this.#schema.AsnConvert.serialize(value));
  }
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
