import { type ExitRecord, isCut, type RecordValue } from "../exit/record.ts";
import type { ParsedCertificate } from "../x509/certificate.ts";
import { parseRequest } from "../x509/certification-request.ts";
import type { ParsedRequest } from "../x509/parsed-request.ts";
import { redactRequest } from "../x509/redact-request.ts";
import { attributeData, isListOf } from "./attribute-data.ts";
import { type Comparison, RecordedCertificate } from "./certificate-row.ts";
import { crlList } from "./crl-data.ts";
import type { EventOptions } from "./envelope.ts";
import type { EventKind } from "./event.ts";
import { extensionData } from "./extension-data.ts";
import { addDerProblems, type Problems } from "./problems.ts";
import type { PropertyGroups } from "./property-groups.ts";

type CertificateData = ParsedCertificate & { readonly der: string };

/** What the attributes of an event say of a request. */
export interface AboutRequest {
  /** Decimal; `undefined` for an event of the CA itself. */
  readonly requestId: string | undefined;
  /** CloudEvents `subject`; `undefined` if there is none. */
  readonly subject: string | undefined;
  /** Lower-case hex; `undefined` without a certificate. */
  readonly certificateSha1: string | undefined;
}

/** Adds the members of an event's data that are about a request and its certificate. */
export function putRequestData(
  parts: Record<string, unknown>,
  record: ExitRecord,
  kind: EventKind,
  groups: PropertyGroups,
  problems: Problems,
  options: EventOptions,
): AboutRequest {
  const certificate = recordedCertificate(record.certificate.get("RawCertificate"), problems);
  const { request, revocation } = groups.request(record.request, (name, value) =>
    compareRequestColumn(record, certificate, name, value),
  );
  if (request !== undefined && options.includeRawRequest) {
    includeRawRequest(request, record.request.get("RawRequest"), problems);
  }
  const certificateProperties = groups.certificate(record.certificate, (name, value) =>
    name === "RequestID"
      ? compareRequestId(record, value)
      : (certificate?.compare(name, value) ?? "unsaid"),
  );
  const requestId = requestIdOf(record);
  if (request) parts["request"] = request;
  const requested = requestedData(record.request.get("RawRequest"), problems);
  if (requested) parts["requested"] = requested;
  if (certificate) parts["certificate"] = certificateData(certificate);
  if (certificateProperties) parts["certificateProperties"] = certificateProperties;
  if (revocation) parts["revocation"] = revocation;
  if (record.attributes.length > 0) parts["attributes"] = attributeData(record, problems);
  if (record.extensions.length > 0) {
    parts["extensions"] = extensionData(record, certificate, options, problems);
  }
  if (record.crls.length > 0) parts["crls"] = crlList(record, problems);
  const serialNumber = certificate?.parsed.serialNumber;
  return {
    requestId,
    subject: subjectOf(kind, serialNumber, requestId),
    certificateSha1: certificate?.parsed.fingerprints.sha1,
  };
}

/** What was requested may differ from what was issued, so a column of the request contradicts nothing. */
function compareRequestColumn(
  record: ExitRecord,
  certificate: RecordedCertificate | undefined,
  name: string,
  value: RecordValue,
): Comparison {
  const isSame =
    (name === "RequestAttributes" && isListOf(record.attributes, value)) ||
    (name === "RawName" && (isEmptyName(value) || certificate?.compare(name, value) === "same")) ||
    (name === "RawCACertificate" && isSameBinary(record.ca.get(name), value));
  return isSame ? "same" : "unsaid";
}

function compareRequestId({ request }: ExitRecord, value: RecordValue): Comparison {
  const own = request.get("RequestID");
  if (typeof own !== "number" || typeof value !== "number") return "unsaid";
  return own === value ? "same" : "different";
}

/** A request without a subject, as that of most automatic enrolments, has the name `30 00`. */
function isEmptyName(value: RecordValue): boolean {
  return Buffer.isBuffer(value) && value.equals(Buffer.from([0x30, 0]));
}

function isSameBinary(own: RecordValue | undefined, value: RecordValue): boolean {
  return Buffer.isBuffer(own) && Buffer.isBuffer(value) && own.equals(value);
}

function requestIdOf({ request, certificate }: ExitRecord): string | undefined {
  const ids = [request.get("RequestID"), certificate.get("RequestID")];
  const id = ids.find((each) => typeof each === "number" || typeof each === "bigint");
  return id?.toString();
}

/** Adds the request itself to its length and hash, if its secrets can be blanked. */
function includeRawRequest(
  request: Record<string, unknown>,
  raw: RecordValue | undefined,
  problems: Problems,
): void {
  if (!Buffer.isBuffer(raw)) return;
  const der = redactRequest(raw)?.toString("base64");
  if (der !== undefined) request["rawRequest"] = { ...Object(request["rawRequest"]), der };
  else problems.add("request.RawRequest", "withheld", { detail: "the request cannot be parsed" });
}

/** What the event is about: the certificate by its serial number, else the request by its id. */
function subjectOf(
  kind: EventKind,
  serialNumber: string | undefined,
  requestId: string | undefined,
): string | undefined {
  if (kind.startsWith("certificate.") && serialNumber !== undefined) {
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

function recordedCertificate(
  raw: RecordValue | undefined,
  problems: Problems,
): RecordedCertificate | undefined {
  if (raw === undefined) return undefined;
  if (!Buffer.isBuffer(raw)) {
    const name = "certificate.RawCertificate";
    if (isCut(raw)) problems.addCut(name, raw);
    else problems.add(name, "type", { detail: "binary is expected" });
    return undefined;
  }
  const certificate = new RecordedCertificate(raw);
  addDerProblems(problems, "certificate", certificate.problems);
  return certificate;
}

function certificateData({ parsed, der }: RecordedCertificate): CertificateData {
  return Object.assign(parsed, { der: der.toString("base64") });
}
