import type { CertwireEvent, EventKind } from "../events/event.ts";
import {
  failureReason,
  kindName,
  knownKind,
  ofNoRevocation,
  requesterAt,
  textAt,
  validitySeconds,
} from "./facts.ts";
import { type Field, type Mapped, mapperOf } from "./field-table.ts";
import { asInteger, asJoinedText, asSeconds } from "./forms.ts";

/** Types of Splunk's fields; `time` is a number of seconds since 1970. */
const cimForms = { text: asJoinedText, number: asInteger, time: asSeconds };

/** What the data model Change says of a kind. */
interface CimKind {
  readonly action?: string;
  readonly category?: "certificate" | "certificate request" | "crl" | "ca" | "journal";
  readonly status?: "success" | "failure";
}

/** How CIM classes each kind. */
export const cimKinds: Readonly<Record<EventKind, CimKind>> = {
  "certificate.issued": { action: "created", category: "certificate", status: "success" },
  "certificate.revoked": { action: "modified", category: "certificate", status: "success" },
  "certificate.unrevoked": { action: "modified", category: "certificate", status: "success" },
  "certificate.imported": { action: "created", category: "certificate", status: "success" },
  "request.pending": { action: "created", category: "certificate request" },
  "request.denied": { action: "created", category: "certificate", status: "failure" },
  "request.failed": { action: "created", category: "certificate", status: "failure" },
  "request.retrieved": { action: "read", category: "certificate request", status: "success" },
  "crl.issued": { action: "created", category: "crl", status: "success" },
  "ca.started": { action: "started", category: "ca", status: "success" },
  "ca.changed": { action: "modified", category: "ca", status: "success" },
  "ca.stopped": { action: "stopped", category: "ca", status: "success" },
  "ca.unrecognized": {},
  "journal.gap": { category: "journal", status: "failure" },
  "reconcile.finding": { category: "journal" },
};

function ofKind(name: keyof CimKind) {
  return {
    says: "from the kind",
    read: (event: CertwireEvent) => {
      const kind = knownKind(event);
      return kind && cimKinds[kind][name];
    },
  };
}

function requester(path: string) {
  return { says: `\`${path}\``, read: (event: CertwireEvent) => requesterAt(event, path) };
}

const certificate = "data.certificate";

/** The fields of CIM's data models Certificates, Change and Event Signatures, in the order of the reference page. */
export const cimFields = [
  {
    field: "_time",
    type: "time",
    from: ["time"],
    always: true,
    note: "Splunk's own field; of HTTP Event Collector it is `time`",
  },
  { field: "vendor_product", type: "text", from: { value: "Microsoft AD CS" }, always: true },
  { field: "signature", type: "text", from: { says: "the kind", read: kindName }, always: true },
  {
    field: "signature_id",
    type: "text",
    from: ["data.notify.event"],
    note: "bit of the CA's call",
  },
  { field: "dest", type: "text", from: ["data.ca.machineDnsName", "data.ca.name"] },
  { field: "dvc", type: "text", from: ["data.ca.machineDnsName", "data.ca.name"] },
  {
    field: "src",
    type: "text",
    from: requester("data.requested.clientInfo.machineName"),
    note: ofNoRevocation,
  },
  {
    field: "user",
    type: "text",
    from: requester("data.request.requesterName"),
    note: `with its domain; ${ofNoRevocation}`,
  },
  { field: "change_type", type: "text", from: { value: "AAA" }, always: true },
  { field: "action", type: "text", from: ofKind("action") },
  { field: "status", type: "text", from: ofKind("status") },
  { field: "object_category", type: "text", from: ofKind("category") },
  {
    field: "object",
    type: "text",
    from: [
      `${certificate}.subject.distinguishedName`,
      "data.requested.subject.distinguishedName",
      "data.crl.issuer.distinguishedName",
      "data.ca.name",
    ],
  },
  { field: "object_id", type: "text", from: ["subject"] },
  {
    field: "result",
    type: "text",
    from: {
      says: "`data.revocation.reason`, `data.reason`; of a denied or failed request the symbol of its status",
      read: (event) =>
        textAt(event, "data.revocation.reason") ??
        textAt(event, "data.reason") ??
        failureReason(event),
    },
  },
  { field: "result_id", type: "text", from: ["data.request.statusCode"] },
  { field: "ssl_serial", type: "text", from: [`${certificate}.serialNumber`] },
  { field: "ssl_version", type: "text", from: [`${certificate}.version`] },
  { field: "ssl_hash", type: "text", from: [`${certificate}.fingerprints.sha256`] },
  { field: "ssl_start_time", type: "time", from: [`${certificate}.notBefore`] },
  { field: "ssl_end_time", type: "time", from: [`${certificate}.notAfter`] },
  {
    field: "ssl_validity_window",
    type: "number",
    from: {
      says: `seconds between \`${certificate}.notBefore\` and \`.notAfter\``,
      read: validitySeconds,
    },
  },
  { field: "ssl_signature_algorithm", type: "text", from: algorithm("signatureAlgorithm") },
  { field: "ssl_publickey_algorithm", type: "text", from: algorithm("publicKey.algorithm") },
  { field: "ssl_subject", type: "text", from: partOfName("subject", "distinguishedName") },
  { field: "ssl_subject_common_name", type: "text", from: partOfName("subject", "commonName") },
  { field: "ssl_subject_email", type: "text", from: partOfName("subject", "emailAddress") },
  { field: "ssl_subject_organization", type: "text", from: partOfName("subject", "organization") },
  { field: "ssl_subject_unit", type: "text", from: partOfName("subject", "organizationalUnit") },
  { field: "ssl_subject_locality", type: "text", from: partOfName("subject", "locality") },
  { field: "ssl_subject_state", type: "text", from: partOfName("subject", "stateOrProvince") },
  { field: "ssl_issuer", type: "text", from: partOfName("issuer", "distinguishedName") },
  { field: "ssl_issuer_common_name", type: "text", from: partOfName("issuer", "commonName") },
  { field: "ssl_issuer_email", type: "text", from: partOfName("issuer", "emailAddress") },
  { field: "ssl_issuer_organization", type: "text", from: partOfName("issuer", "organization") },
  { field: "ssl_issuer_unit", type: "text", from: partOfName("issuer", "organizationalUnit") },
  { field: "ssl_issuer_locality", type: "text", from: partOfName("issuer", "locality") },
] as const satisfies readonly Field<keyof typeof cimForms>[];

function algorithm(path: string) {
  return [`${certificate}.${path}.name`, `${certificate}.${path}.oid`] as const;
}

function partOfName(whose: "subject" | "issuer", part: string) {
  return [`${certificate}.${whose}.${part}`] as const;
}

/** An event in Splunk's Common Information Model. */
export type SplunkCimEvent = Mapped<typeof cimFields, typeof cimForms>;

/**
 * An event in the fields of Splunk's Common Information Model, all of them texts and numbers; several values of one
 * field are joined by commas. What the event does not have is absent. Never throws.
 */
export const toSplunkCim: (event: CertwireEvent) => SplunkCimEvent = mapperOf(cimFields, cimForms);
