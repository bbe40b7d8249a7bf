import { readOid } from "./oid.ts";
import { DerError, DerReader, tags } from "./reader.ts";

/** An extension as it stands in a certificate. */
export interface CertificateExtension {
  readonly critical: boolean;
  /** Where in the certificate the octets inside the OCTET STRING begin and end. */
  readonly start: number;
  readonly end: number;
}

/**
 * Bytes of a certificate that others keep a copy of, as views; a part that cannot be read, and what follows it, is
 * absent.
 */
export interface CertificateParts {
  /** Content octets of the serial number. */
  serialNumber?: Buffer;
  /** The subject's Name, DER. */
  subject?: Buffer;
  /** The parameters of the key's algorithm, DER; absent if there are none. */
  publicKeyParameters?: Buffer;
  /** The bits of the public key. */
  publicKey?: Buffer;
  /** By dotted OID; of a repeated extension the first one. */
  readonly extensions: ReadonlyMap<string, CertificateExtension>;
}

/** Finds the parts of a certificate. Never throws. */
export function certificateParts(der: Buffer): CertificateParts {
  const extensions = new Map<string, CertificateExtension>();
  const parts: CertificateParts = { extensions };
  try {
    readParts(new DerReader(der).sequence().sequence(), parts, extensions);
  } catch (error) {
    // What is wrong with the certificate is reported where it is parsed.
    if (!(error instanceof DerError)) throw error;
  }
  return parts;
}

function readParts(
  reader: DerReader,
  parts: CertificateParts,
  extensions: Map<string, CertificateExtension>,
): void {
  reader.optional(0xa0);
  parts.serialNumber = reader.content(reader.next(tags.integer));
  // Signature algorithm, issuer, validity.
  for (let skipped = 0; skipped < 3; skipped += 1) reader.next();
  parts.subject = reader.whole(reader.next());
  const publicKey = reader.sequence();
  const algorithm = publicKey.sequence();
  algorithm.next(tags.oid);
  if (algorithm.hasMore) parts.publicKeyParameters = algorithm.whole(algorithm.next());
  parts.publicKey = publicKey.bits(publicKey.next(tags.bitString));
  while (reader.hasMore) {
    const member = reader.next();
    if (member.tag === 0xa3) readExtensions(reader.inside(member).sequence(), extensions);
  }
}

function readExtensions(list: DerReader, extensions: Map<string, CertificateExtension>): void {
  while (list.hasMore) {
    const extension = list.sequence();
    const oid = readOid(extension);
    const flag = extension.optional(tags.boolean);
    const critical = flag !== undefined && extension.content(flag)[0] !== 0;
    const { start, end } = extension.next(tags.octetString);
    if (!extensions.has(oid)) extensions.set(oid, { critical, start, end });
  }
}
