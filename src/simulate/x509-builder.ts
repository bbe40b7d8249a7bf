/**
 * Certificates, requests and CRLs, by code of its own: ASN.1 libraries took ten times as long for a certificate or a CRL
 * and thirty for a very large one, and `certwire demo` must run where nothing else is installed. A test compares what
 * both write, byte by byte.
 */
import * as der from "./der-writer.ts";
import { type DistinguishedName, encodeName } from "./distinguished-name.ts";
import type { SigningKey } from "./signing-key.ts";
import { type Extension, encodeExtensions, reasonCode } from "./x509-extensions.ts";

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
  const body = der.sequence(
    der.explicit(0, der.integer(2)),
    der.integer(BigInt(`0x${content.serialNumber}`)),
    issuerKey.signatureAlgorithm,
    encodeName(content.issuer),
    der.sequence(der.time(content.notBefore), der.time(content.notAfter)),
    encodeName(content.subject),
    content.publicKeyInfo,
    der.explicit(3, encodeExtensions(content.extensions)),
  );
  return signed(body, issuerKey);
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
  const attributes: Buffer[] = [];
  if (content.osVersion !== undefined) {
    attributes.push(attribute("1.3.6.1.4.1.311.13.2.3", der.ia5String(content.osVersion)));
  }
  if (content.challengePassword !== undefined) {
    const password = der.utf8String(content.challengePassword);
    attributes.push(attribute("1.2.840.113549.1.9.7", password));
  }
  if (content.extensions.length > 0) {
    attributes.push(attribute("1.2.840.113549.1.9.14", encodeExtensions(content.extensions)));
  }
  const body = der.sequence(
    der.integer(0),
    encodeName(content.subject),
    key.publicKeyInfo,
    der.explicit(0, ...der.inOrder(attributes)),
  );
  return signed(body, key);
}

function attribute(oid: string, value: Buffer): Buffer {
  return der.sequence(der.objectIdentifier(oid), der.setOf(value));
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
  readonly entries: readonly CrlEntry[];
  readonly extensions: readonly Extension[];
}

/** DER of an X.509 v2 CRL signed by `issuerKey`. */
export function buildCrl(content: CrlContent, issuerKey: SigningKey): Buffer {
  const entries = content.entries.map(encodeEntry);
  const body = der.sequence(
    der.integer(1),
    issuerKey.signatureAlgorithm,
    encodeName(content.issuer),
    der.time(content.thisUpdate),
    der.time(content.nextUpdate),
    ...(entries.length > 0 ? [der.sequence(Buffer.concat(entries))] : []),
    der.explicit(0, encodeExtensions(content.extensions)),
  );
  return signed(body, issuerKey);
}

function encodeEntry({ serialNumber, revokedAt, reason }: CrlEntry): Buffer {
  const extensions = reason === 0 ? [] : [encodeExtensions([reasonCode(reason)])];
  return der.sequence(der.integer(BigInt(`0x${serialNumber}`)), der.time(revokedAt), ...extensions);
}

function signed(body: Buffer, key: SigningKey): Buffer {
  return der.sequence(body, key.signatureAlgorithm, der.bitString(key.sign(body)));
}
