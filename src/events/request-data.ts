import { type ExitRecord, isCut, type RecordValue } from "../exit/record.ts";
import { type ParsedCertificate, parseCertificate } from "../x509/certificate.ts";
import { extensionNames } from "../x509/oid-names.ts";
import { redactRequest } from "../x509/request.ts";
import { crlList } from "./crl-data.ts";
import type { EventOptions } from "./envelope.ts";
import type { EventKind } from "./event.ts";
import { addDerProblems, type Problems } from "./problems.ts";
import type { PropertyGroups } from "./property-groups.ts";
import { binaryText, textValue } from "./property-values.ts";
import { isSecretAttribute } from "./secrets.ts";
import { extensionOrigins } from "./words/flags.ts";

const origins: Readonly<Record<number, string>> = extensionOrigins;

type CertificateData = ParsedCertificate & { readonly der: string };

/** What differs between the events of requests. */
export interface RequestParts {
  /** Decimal; `undefined` for an event of the CA itself. */
  readonly requestId: string | undefined;
  /** CloudEvents `subject`; `undefined` if there is none. */
  readonly subject: string | undefined;
  /** The members of `data`, without those that every event has. */
  readonly parts: Record<string, unknown>;
}

/** Builds request, certificate, revocation, attributes and extensions of an event from a record. */
export function requestData(
  record: ExitRecord,
  kind: EventKind,
  groups: PropertyGroups,
  problems: Problems,
  options: EventOptions,
): RequestParts {
  const { request, revocation } = groups.request(record.request);
  if (request !== undefined && options.includeRawRequest) {
    includeRawRequest(request, record.request.get("RawRequest"), problems);
  }
  const certificateProperties = groups.certificate(record.certificate);
  const certificate = certificateData(record.certificate.get("RawCertificate"), problems);
  const requestId = requestIdOf(record);
  const parts: Record<string, unknown> = {};
  if (request) parts["request"] = request;
  if (certificate) parts["certificate"] = certificate;
  if (certificateProperties) parts["certificateProperties"] = certificateProperties;
  if (revocation) parts["revocation"] = revocation;
  if (record.attributes.length > 0) parts["attributes"] = attributeData(record, problems);
  if (record.extensions.length > 0) parts["extensions"] = extensionData(record, problems);
  if (record.crls.length > 0) parts["crls"] = crlList(record, problems);
  return { requestId, subject: subjectOf(kind, certificate?.serialNumber, requestId), parts };
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

function certificateData(
  raw: RecordValue | undefined,
  problems: Problems,
): CertificateData | undefined {
  if (raw === undefined) return undefined;
  if (!Buffer.isBuffer(raw)) {
    const name = "certificate.RawCertificate";
    if (isCut(raw)) problems.addCut(name, raw);
    else problems.add(name, "type", { detail: "binary is expected" });
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
    const place = `attribute.${name}`;
    if (!isCut(value)) return { name, value: textValue(value, place, problems) };
    problems.addCut(place, value);
    return { name };
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
      der: binaryText(der, `extension.${oid}`, problems),
    };
  });
}
