import { type ExitRecord, isCut, type RecordValue } from "../exit/record.ts";
import { type ParsedCertificate, parseCertificate } from "../x509/certificate.ts";
import { parseRequest } from "../x509/certification-request.ts";
import { extensionNames } from "../x509/oid-names.ts";
import type { ParsedRequest } from "../x509/parsed-request.ts";
import { redactRequest } from "../x509/redact-request.ts";
import { crlList } from "./crl-data.ts";
import type { EventOptions } from "./envelope.ts";
import type { EventKind } from "./event.ts";
import { addDerProblems, type Problems } from "./problems.ts";
import { certificateGroup, requestGroup } from "./property-groups.ts";
import { binaryValue, type OmittedValue, omittedCut, textValue } from "./property-values.ts";
import { isSecretAttribute } from "./secrets.ts";
import { extensionOrigins } from "./words/flags.ts";

const origins: Readonly<Record<number, string>> = extensionOrigins;

type CertificateData = Partial<ParsedCertificate> & { readonly der: string | OmittedValue };

/** What differs between the events of requests. */
export interface RequestParts {
  readonly requestId: number | string | undefined;
  /** CloudEvents `subject`; `undefined` if there is none. */
  readonly subject: string | undefined;
  /** The members of `data`, without those that every event has. */
  readonly parts: Record<string, unknown>;
}

/** Builds the members of an event that are about a request and its certificate. */
export function requestData(
  record: ExitRecord,
  kind: EventKind,
  problems: Problems,
  options: EventOptions,
): RequestParts {
  const { request, revocation } = requestGroup(record.request, problems);
  if (request !== undefined && options.includeRawRequest) {
    includeRawRequest(request, record.request.get("RawRequest"), problems);
  }
  const certificateProperties = certificateGroup(record.certificate, problems);
  const certificate = certificateData(record.certificate.get("RawCertificate"), problems);
  const requestId = (request?.["requestId"] ?? certificateProperties?.["requestId"]) as
    | number
    | string
    | undefined;
  const parts: Record<string, unknown> = {};
  if (request) parts["request"] = request;
  const requested = requestedData(record.request.get("RawRequest"), problems);
  if (requested) parts["requested"] = requested;
  if (certificate) parts["certificate"] = certificate;
  if (certificateProperties) parts["certificateProperties"] = certificateProperties;
  if (revocation) parts["revocation"] = revocation;
  if (record.attributes.length > 0) parts["attributes"] = attributeData(record, problems);
  if (record.extensions.length > 0) parts["extensions"] = extensionData(record, problems);
  if (record.crls.length > 0) parts["crls"] = crlList(record, problems);
  return { requestId, subject: subjectOf(kind, certificate?.serialNumber, requestId), parts };
}

/** Replaces the request's length and hash by the request itself, if its secrets can be blanked. */
function includeRawRequest(
  request: Record<string, unknown>,
  raw: RecordValue | undefined,
  problems: Problems,
): void {
  if (!Buffer.isBuffer(raw)) return;
  const redacted = redactRequest(raw);
  if (redacted !== undefined) request["rawRequest"] = redacted.toString("base64");
  else problems.add("request.RawRequest", "withheld", { detail: "the request cannot be parsed" });
}

/** What the event is about: the certificate by its serial number, else the request by its id. */
function subjectOf(
  kind: EventKind,
  serialNumber: unknown,
  requestId: number | string | undefined,
): string | undefined {
  if (kind.startsWith("certificate.") && typeof serialNumber === "string") {
    return `certificate/${serialNumber}`;
  }
  return requestId === undefined ? undefined : `request/${requestId}`;
}

/** What the request asks for; `undefined` if there is no request, or the exit module cut it. */
function requestedData(
  raw: RecordValue | undefined,
  problems: Problems,
): ParsedRequest | undefined {
  if (!Buffer.isBuffer(raw) || raw.length === 0) return undefined;
  const parsed = parseRequest(raw);
  addDerProblems(problems, "requested", parsed.problems);
  return Object.keys(parsed.request).length === 0 ? undefined : parsed.request;
}

function certificateData(
  raw: RecordValue | undefined,
  problems: Problems,
): CertificateData | undefined {
  if (raw === undefined) return undefined;
  if (isCut(raw)) return { der: omittedCut(raw) };
  if (!Buffer.isBuffer(raw)) {
    problems.add("certificate.RawCertificate", "type", { detail: "binary is expected" });
    return undefined;
  }
  const parsed = parseCertificate(raw);
  addDerProblems(problems, "certificate", parsed.problems);
  return Object.assign(parsed.certificate, { der: raw.toString("base64") });
}

function attributeData(record: ExitRecord, problems: Problems): object[] {
  return record.attributes.map(([recordName, value]) => {
    const name = textValue(recordName, "attributes", problems);
    const isBlanked = typeof value === "object" && "redacted" in value;
    if (isBlanked || isSecretAttribute(recordName)) return { name, redacted: true };
    return isCut(value)
      ? { name, value: omittedCut(value) }
      : { name, value: textValue(value, `attribute.${name}`, problems) };
  });
}

function extensionData(record: ExitRecord, problems: Problems): object[] {
  return record.extensions.map(({ oid: recordOid, flags, der }) => {
    const oid = textValue(recordOid, "extensions", problems);
    return {
      oid,
      // JSON leaves out an undefined member, and one shape for all objects keeps this path fast.
      name: extensionNames.get(oid),
      critical: (flags & 1) !== 0,
      disabled: (flags & 2) !== 0,
      origin: origins[(flags >>> 16) & 0xf] ?? "unknown",
      flags,
      der: binaryValue(der),
    };
  });
}
