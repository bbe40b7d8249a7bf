import type { DerReport } from "./der-report.ts";
import { IncludedCertificates } from "./included-certificates.ts";
import { integerHex } from "./integer.ts";
import { readName } from "./name.ts";
import { chunkedOctetString, octetStringOf } from "./octet-string.ts";
import { readOid } from "./oid.ts";
import type { RequestSigner } from "./parsed-request.ts";
import { type DerElement, DerReader, tags, unexpectedElement } from "./reader.ts";
import { readAttribute, referenceTo, signerAttributeHandlers } from "./request-attributes.ts";
import type { RequestDraft } from "./request-draft.ts";

/** Content type of a CMC message, id-cct-PKIData. */
export const pkiData = "1.3.6.1.5.5.7.12.2";

/** What a signed message is about. */
export interface SignedContent {
  /** Dotted OID of its type. */
  readonly type: string;
  /** Reads the content itself; `undefined` if the message has none. */
  readonly content: DerReader | undefined;
}

/**
 * Reads SignedData (RFC 5652 5.1, and PKCS#7 1.5), `fields` the content of its SEQUENCE: adds its signers, and
 * returns its content, which it does not read. No signature is verified. Throws `DerError`.
 */
export function readSignedData(draft: RequestDraft, fields: DerReader): SignedContent {
  fields.next(tags.integer);
  fields.next(tags.set);
  const content = contentOf(fields.sequence());
  draft.setFormat(content.type === pkiData ? "cmc" : "pkcs7");
  const members = readMembers(fields, draft.report.at("message"));
  if (members.signers !== undefined) {
    const certificates = new IncludedCertificates();
    if (members.certificates !== undefined) {
      certificates.read(fields.inside(members.certificates), draft.report.at("certificates"));
    }
    readSigners(draft, fields.inside(members.signers), certificates);
  }
  return content;
}

interface SignedDataMembers {
  certificates?: DerElement;
  signers?: DerElement;
}

/** Reads what stands after the content. An element that is not expected does not hide the signers. */
function readMembers(fields: DerReader, report: DerReport): SignedDataMembers {
  const members: SignedDataMembers = {};
  report.attempt(() => {
    while (fields.hasMore) {
      const member = fields.next();
      if (member.tag === 0xa0 && members.certificates === undefined) members.certificates = member;
      else if (member.tag === tags.set && members.signers === undefined) members.signers = member;
      else if (member.tag !== 0xa1) report.add(unexpectedElement(member).message);
    }
  });
  return members;
}

function contentOf(encapsulated: DerReader): SignedContent {
  const type = readOid(encapsulated);
  const wrapper = encapsulated.optional(0xa0);
  if (wrapper === undefined) return { type, content: undefined };
  const explicit = encapsulated.inside(wrapper);
  // PKCS#7 1.5 has the content itself here, CMS an OCTET STRING around it.
  const isWrapped = [tags.octetString, chunkedOctetString].includes(explicit.nextTag);
  if (!isWrapped) return { type, content: explicit };
  return { type, content: new DerReader(octetStringOf(explicit, explicit.next())) };
}

/** Adds the signers of a message, with the pairs among their attributes. */
function readSigners(
  draft: RequestDraft,
  list: DerReader,
  certificates: IncludedCertificates,
): void {
  const attributes = draft.report.at("signerAttributes");
  draft.report.at("signers").eachMember(list, (member, report) => {
    const fields = list.insideSequence(member);
    fields.next(tags.integer);
    const identifier = fields.next();
    report.attempt(() => draft.addSigner(signerOf(fields, identifier, certificates, report)));
    while (fields.hasMore) {
      const part = fields.next();
      if (part.tag !== 0xa0 && part.tag !== 0xa1) continue;
      const parts = fields.inside(part);
      attributes.eachMember(parts, (attribute) => {
        readAttribute(draft, parts.insideSequence(attribute), signerAttributeHandlers);
      });
    }
  });
}

/** SignerIdentifier of RFC 5652 5.3: issuer and serial number, or the key's identifier. */
function signerOf(
  fields: DerReader,
  identifier: DerElement,
  certificates: IncludedCertificates,
  report: DerReport,
): RequestSigner {
  if (identifier.tag === tags.sequence)
    return signerBySerialNumber(fields.inside(identifier), certificates, report);
  const key = keyIdentifier(fields, identifier).toString("hex");
  const certificate = certificates.byKey(key);
  if (certificate === "ambiguous") report.add("more than one certificate has this key");
  const reference = typeof certificate === "object" ? referenceTo(certificate) : {};
  return { subjectKeyIdentifier: key, ...reference };
}

function signerBySerialNumber(
  fields: DerReader,
  certificates: IncludedCertificates,
  report: DerReport,
): RequestSigner {
  const issuer = readName(fields, fields.next(), report);
  const serialNumber = integerHex(fields.content(fields.next(tags.integer)));
  const certificate = certificates.bySerialNumber(issuer, serialNumber);
  if (certificate === "ambiguous") report.add("more than one certificate is that of this signer");
  if (typeof certificate === "object") return referenceTo(certificate);
  return { serialNumber, issuer };
}

/** The octets of a subject key identifier, whose tag is that of its place. */
function keyIdentifier(fields: DerReader, identifier: DerElement): Buffer {
  if (identifier.tag === 0x80) return fields.content(identifier);
  if (identifier.tag !== 0xa0) throw unexpectedElement(identifier);
  return octetStringOf(fields, { ...identifier, tag: chunkedOctetString });
}
