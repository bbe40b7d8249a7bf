import { RepeatedValues } from "../repeated-values.ts";
import { type ParsedCertificate, parseCertificate } from "./certificate.ts";
import { certificateExtensionHandlers, keyPurpose } from "./certificate-extensions.ts";
import { DerReport } from "./der-report.ts";
import { type ExtensionHandlers, readExtensions } from "./extensions.ts";
import { readPairs, readPairText } from "./name-value-pairs.ts";
import { octetStringOf } from "./octet-string.ts";
import { readOid } from "./oid.ts";
import type { CertificateReference, ClientInfo, ParsedRequest } from "./parsed-request.ts";
import { type DerElement, DerError, type DerReader, tags } from "./reader.ts";
import type { RequestDraft } from "./request-draft.ts";
import { mentionsSecretName } from "./secret-attributes.ts";
import { mentionsSecret } from "./secret-names.ts";
import { stringText, withoutNul } from "./text.ts";

/** Reads one value of an attribute; `reader` stands for its bytes. */
type ReadValue = (
  draft: RequestDraft,
  reader: DerReader,
  value: DerElement,
  report: DerReport,
) => void;

/** How an attribute of a request, or a control of CMC, is read. */
interface AttributeHandler {
  readonly read: ReadValue;
  /** True if every value counts, also of a repeated attribute. Default: only the first one. */
  readonly isCumulative?: true;
}

/** How the known attributes are read, by OID; all others are only named. */
export type AttributeHandlers = ReadonlyMap<string, AttributeHandler>;

/** The extensions that a request may ask for. */
const requestedExtensions: ExtensionHandlers<ParsedRequest> = new Map([
  ...certificateExtensionHandlers,
  ["1.3.6.1.4.1.311.21.10", { read: readApplicationPolicies }],
]);

/**
 * Words of RequestClientInfoClientId, certenroll.h
 * (learn.microsoft.com/windows/win32/api/certenroll/ne-certenroll-requestclientinfoclientid).
 */
const clientIdWords: Readonly<Record<number, string>> = {
  0: "none",
  1: "xenroll2003",
  2: "autoEnroll2003",
  3: "wizard2003",
  4: "certReq2003",
  5: "defaultRequest",
  6: "autoEnroll",
  7: "requestWizard",
  8: "enrollOnBehalfOf",
  9: "certReq",
  10: "test",
  11: "winRt",
};

const pairs = ["1.3.6.1.4.1.311.13.2.1", { read: readPairs, isCumulative: true }] as const;
const ignored: AttributeHandler = { read: () => undefined, isCumulative: true };

/**
 * Attributes of a signer: the pairs say on behalf of whom an enrolment agent asks ([MS-WCCE] 3.1.1.4.3.3.2). Those
 * that CMS wants in every message are not worth their names.
 */
export const signerAttributeHandlers: AttributeHandlers = new Map<string, AttributeHandler>([
  pairs,
  ["1.2.840.113549.1.9.3", ignored], // content type
  ["1.2.840.113549.1.9.4", ignored], // message digest
  ["1.2.840.113549.1.9.5", ignored], // signing time
  ["1.2.840.113549.1.9.15", ignored], // S/MIME capabilities
]);

/** Attributes of PKCS#10 ([MS-WCCE] 2.2.2.7), and controls of CMC (RFC 5272). */
export const attributeHandlers: AttributeHandlers = new Map<string, AttributeHandler>([
  pairs,
  ["1.2.840.113549.1.9.14", { read: readExtensionList, isCumulative: true }],
  ["1.3.6.1.4.1.311.2.1.14", { read: readExtensionList, isCumulative: true }],
  ["1.3.6.1.4.1.311.13.1", { read: readRenewalCertificate }],
  ["1.3.6.1.4.1.311.13.2.2", { read: readProvider }],
  ["1.3.6.1.4.1.311.13.2.3", { read: readOsVersion }],
  ["1.3.6.1.4.1.311.21.20", { read: readClientInfo }],
  ["1.3.6.1.5.5.7.7.18", { read: readRegistrationInfo, isCumulative: true }],
  ["1.3.6.1.5.5.7.7.8", { read: readAddedExtensions, isCumulative: true }],
  ["1.3.6.1.4.1.311.10.10.1", { read: readAddedAttributes, isCumulative: true }],
]);

/**
 * Reads an Attribute (type, SET of values), or a TaggedAttribute after its number; `fields` reads the content of
 * the SEQUENCE. What is malformed in a known attribute is reported under its OID.
 */
export function readAttribute(
  draft: RequestDraft,
  fields: DerReader,
  handlers: AttributeHandlers = attributeHandlers,
): void {
  const oid = readOid(fields);
  const set = fields.next(tags.set);
  fields.end();
  const handler = handlers.get(oid);
  if (handler === undefined) {
    draft.addOther(oid);
    return;
  }
  const values = fields.inside(set);
  draft.attempt(oid, (own) => {
    if (handler.isCumulative) {
      own.eachMember(values, (value, report) => handler.read(draft, values, value, report));
      return;
    }
    if (!draft.enterAttribute(oid, fields.content(set))) return;
    handler.read(draft, values, values.next(), own);
    values.end();
  });
}

/** Reads the extensions that `list` has, the content of their SEQUENCE. */
export function readRequestedExtensions(draft: RequestDraft, list: DerReader): void {
  const { request, report, seenExtensions } = draft;
  readExtensions(list, requestedExtensions, request, report, seenExtensions);
}

/** What a certificate says of itself, for one that a request refers to. */
export function referenceTo(certificate: ParsedCertificate): CertificateReference {
  const { serialNumber, issuer, subject, fingerprints } = certificate;
  return {
    ...(serialNumber !== undefined && { serialNumber }),
    ...(issuer !== undefined && { issuer }),
    ...(subject !== undefined && { subject }),
    sha256: fingerprints.sha256,
  };
}

function readExtensionList(draft: RequestDraft, reader: DerReader, value: DerElement): void {
  readRequestedExtensions(draft, reader.insideSequence(value));
}

/** AddExtensions of RFC 5272 6.5: the request it is for, certificates, extensions. */
function readAddedExtensions(draft: RequestDraft, reader: DerReader, value: DerElement): void {
  const fields = afterReferences(reader, value);
  readRequestedExtensions(draft, fields.sequence());
  fields.end();
}

/** CmcAddAttributes of wincrypt.h: as AddExtensions, with attributes. */
function readAddedAttributes(
  draft: RequestDraft,
  reader: DerReader,
  value: DerElement,
  report: DerReport,
): void {
  const fields = afterReferences(reader, value);
  const list = fields.inside(fields.next(tags.set));
  // Only plain attributes: a control in a control could nest without end.
  report.eachMember(list, (member) =>
    readAttribute(draft, list.insideSequence(member), plainHandlers),
  );
  fields.end();
}

const plainHandlers: AttributeHandlers = new Map(
  [...attributeHandlers].filter(([, { read }]) => read !== readAddedAttributes),
);

function afterReferences(reader: DerReader, value: DerElement): DerReader {
  const fields = reader.insideSequence(value);
  fields.next(tags.integer);
  fields.next(tags.sequence);
  return fields;
}

/** CertificatePolicies of RFC 5280 4.2.1.4, whose policies are key purposes; qualifiers are not read. */
function readApplicationPolicies(
  request: ParsedRequest,
  value: DerReader,
  report: DerReport,
): void {
  const list = value.sequence();
  report.eachMember(list, (member) => {
    (request.applicationPolicies ??= []).push(keyPurpose(readOid(list.insideSequence(member))));
  });
}

function readRenewalCertificate(
  { request }: RequestDraft,
  reader: DerReader,
  value: DerElement,
  report: DerReport,
): void {
  reader.insideSequence(value);
  const { certificate, problems } = parseCertificate(reader.whole(value));
  request.renewalCertificate = referenceTo(certificate);
  const [first] = problems;
  if (first !== undefined) report.add(`${first.part}: ${first.reason}`);
}

/** [MS-WCCE] 2.2.2.7.2: the key's purpose, the provider's name, a signature that nobody reads. */
function readProvider(
  { request }: RequestDraft,
  reader: DerReader,
  value: DerElement,
  report: DerReport,
): void {
  const fields = reader.insideSequence(value);
  fields.next(tags.integer);
  const csp = textOf(fields, fields.next(), report);
  if (csp !== undefined) request.csp = csp;
}

function readOsVersion(
  { request }: RequestDraft,
  reader: DerReader,
  value: DerElement,
  report: DerReport,
): void {
  const version = textOf(reader, value, report);
  if (version !== undefined) request.osVersion = version;
}

/** [MS-WCCE] 2.2.2.7.4; each field may be left out, from the end. */
function readClientInfo(
  { request }: RequestDraft,
  reader: DerReader,
  value: DerElement,
  report: DerReport,
): void {
  const fields = reader.insideSequence(value);
  const info: ClientInfo = (request.clientInfo = {});
  const id = fields.optional(tags.integer);
  if (id !== undefined) {
    report.attempt(() => {
      const code = fields.smallInteger(id);
      info.clientId = clientIdWords[code] ?? "unknown";
      info.clientIdCode = code;
    });
  }
  for (const name of ["machineName", "userName", "processName"] as const) {
    if (!fields.hasMore) break;
    const text = textOf(fields, fields.next(), report);
    if (text !== undefined) info[name] = text;
  }
  fields.end();
}

function readRegistrationInfo(
  draft: RequestDraft,
  reader: DerReader,
  value: DerElement,
  report: DerReport,
): void {
  readPairText(draft, octetStringOf(reader, value), report);
}

/** The text of what a client says about itself; `undefined` if it may hold a secret, such as that of a command line. */
function textOf(reader: DerReader, element: DerElement, report: DerReport): string | undefined {
  // One that may hold a secret is a problem, so it is not kept.
  return report.once(knownTexts, reader, element, () => publicText(reader, element, report));
}

const knownTexts = new RepeatedValues<string | undefined>();

function publicText(reader: DerReader, element: DerElement, report: DerReport): string | undefined {
  // Its problems have the octets of the text.
  const own = new DerReport();
  const text = stringText(reader, element, own);
  if (text === undefined) throw new DerError("not a string");
  // A text of one string type may hide in another one, and the text of chunks only shows when they are joined.
  if (mentionsSecretName(reader.whole(element)) || mentionsSecret(text)) {
    report.withhold("has the name of a secret in it");
    return undefined;
  }
  for (const { reason, octets } of own.problems) report.add(reason, octets);
  return withoutNul(text);
}
