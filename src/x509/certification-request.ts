import type { DerProblem } from "./der-report.ts";
import { readName } from "./name.ts";
import { readOid } from "./oid.ts";
import type { ParsedRequest } from "./parsed-request.ts";
import { readPublicKey } from "./public-key.ts";
import { type DerElement, DerError, DerReader, tags, unexpectedElement } from "./reader.ts";
import { readAttribute, readRequestedExtensions } from "./request-attributes.ts";
import { RequestDraft } from "./request-draft.ts";
import { pkiData, readSignedData } from "./signed-data.ts";

/** Content type of a signed message, id-signedData. */
const signedData = "1.2.840.113549.1.7.2";

/**
 * Parses a certification request: PKCS#10 (RFC 2986), alone, signed (PKCS#7, as a renewal sends it) or in a CMC
 * message (RFC 5272, with CRMF too), in DER or BER, and the form of Netscape. Never throws: malformed parts are
 * left out and named in `problems`. Values that are or may be secrets are not read.
 */
export function parseRequest(raw: Buffer): {
  readonly request: ParsedRequest;
  readonly problems: readonly DerProblem[];
} {
  const draft = new RequestDraft();
  draft.attempt("request", (own) => {
    const reader = new DerReader(raw);
    const message = reader.next(tags.sequence);
    // Some clients end a request with a line end.
    const hasMore = !/^[\r\n\t ]*$/.test(raw.toString("latin1", message.after));
    if (hasMore) own.add("bytes after the request");
    readMessage(draft, reader, message);
    if (!draft.hasRequest) own.add("has no certification request");
  });
  return { request: draft.request, problems: draft.report.problems };
}

/** Reads a request, or a signed message around one. */
function readMessage(draft: RequestDraft, reader: DerReader, message: DerElement): void {
  draft.enterMessage();
  const fields = reader.insideSequence(message);
  if (fields.nextTag === tags.oid) readSignedMessage(draft, fields);
  else readRequest(draft, fields);
}

/** ContentInfo (RFC 5652 3) with SignedData. */
function readSignedMessage(draft: RequestDraft, fields: DerReader): void {
  const outerType = readOid(fields);
  if (outerType !== signedData) throw new DerError(`content ${outerType} is not signed data`);
  const { type, content } = readSignedData(draft, fields.inside(fields.next(0xa0)).sequence());
  if (content === undefined) return;
  if (type === pkiData) readPkiData(draft, content.sequence());
  else readMessage(draft, content, content.next(tags.sequence));
}

/** PKIData (RFC 5272 3.2.1): controls, requests, messages. What stands after them is not read. */
function readPkiData(draft: RequestDraft, fields: DerReader): void {
  const [controls, requests, messages] = [fields.next(), fields.next(), fields.next()];
  const each = (
    part: string,
    list: DerElement,
    read: (inner: DerReader, member: DerElement) => void,
  ) =>
    draft.attempt(part, (own) => {
      const inner = fields.insideSequence(list);
      own.eachMember(inner, (member) => read(inner, member));
    });
  each("controls", controls, (inner, member) => {
    const control = inner.insideSequence(member);
    control.next(tags.integer);
    readAttribute(draft, control);
  });
  each("requests", requests, (inner, member) => readTaggedRequest(draft, inner, member));
  each("messages", messages, (inner, member) => {
    const tagged = inner.insideSequence(member);
    tagged.next(tags.integer);
    readMessage(draft, tagged, tagged.next(tags.sequence));
  });
}

/** TaggedRequest: PKCS#10 with a number, or CRMF. */
function readTaggedRequest(draft: RequestDraft, list: DerReader, member: DerElement): void {
  const fields = list.inside(member);
  if (member.tag === 0xa0) {
    fields.next(tags.integer);
    readRequest(draft, fields.sequence());
  } else if (member.tag === 0xa1) {
    if (draft.enterRequest()) readCertificateTemplate(draft, fields);
  } else {
    throw new DerError("request of another kind than PKCS#10 and CRMF");
  }
}

/** CertificationRequest (RFC 2986), or the form of Netscape, which has a key where PKCS#10 has its version. */
function readRequest(draft: RequestDraft, fields: DerReader): void {
  if (!draft.enterRequest()) return;
  const info = fields.sequence();
  if (info.nextTag === tags.sequence) {
    draft.setFormat("keygen");
    readKey(draft, info, info.next());
  } else {
    draft.setFormat("pkcs10");
    readRequestInfo(draft, info);
  }
  fields.next(tags.sequence);
  fields.next(tags.bitString);
  fields.end();
}

/** CertificationRequestInfo. An element that is not expected does not hide the attributes. */
function readRequestInfo(draft: RequestDraft, info: DerReader): void {
  info.next(tags.integer);
  const [subject, key] = [info.next(), info.next()];
  readSubject(draft, info, subject);
  readKey(draft, info, key);
  const own = draft.report.at("attributes");
  let hasAttributes = false;
  while (info.hasMore) {
    const member = info.next();
    if (member.tag !== 0xa0 || hasAttributes) {
      own.add(unexpectedElement(member).message);
      continue;
    }
    hasAttributes = true;
    const list = info.inside(member);
    own.eachMember(list, (attribute) => readAttribute(draft, list.insideSequence(attribute)));
  }
}

function readSubject(draft: RequestDraft, reader: DerReader, name: DerElement): void {
  draft.attempt("subject", (own) => {
    draft.request.subject = readName(reader, name, own);
  });
}

function readKey(draft: RequestDraft, reader: DerReader, key: DerElement): void {
  draft.attempt("publicKey", (own) => {
    draft.request.publicKey = readPublicKey(reader, key, own);
  });
}

/** CertReqMsg of CRMF (RFC 4211 5): the CertTemplate in it. Controls, proof and registration info are not read. */
function readCertificateTemplate(draft: RequestDraft, fields: DerReader): void {
  const request = fields.sequence();
  request.next(tags.integer);
  const template = request.sequence();
  while (template.hasMore) {
    const member = template.next();
    const inner = template.inside(member);
    if (member.tag === 0xa5) readSubject(draft, inner, inner.next());
    else if (member.tag === 0xa6) readImplicitKey(draft, template.whole(member));
    else if (member.tag === 0xa9) readRequestedExtensions(draft, inner);
  }
}

/** A SubjectPublicKeyInfo with the tag of its place instead of its own. */
function readImplicitKey(draft: RequestDraft, der: Buffer): void {
  const info = Buffer.from(der);
  info[0] = tags.sequence;
  const reader = new DerReader(info);
  readKey(draft, reader, reader.next());
}
