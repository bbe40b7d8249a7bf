import type { CertwireEvent, EventKind } from "../events/event.ts";
import {
  accountOf,
  accountsAt,
  alternativeNames,
  failureReason,
  kindName,
  knownKind,
  ofNoRevocation,
  requesterAt,
  sequenceNumber,
  textAt,
} from "./facts.ts";
import { type Field, type Mapped, mapperOf, valueAt } from "./field-table.ts";
import { asDate, asInteger, asText, asTexts } from "./forms.ts";

/** The version of the Elastic Common Schema that the fields are of. */
const ecsVersion = "9.4.0";

/** Types of ECS; `[]` where ECS wants a list. */
const ecsForms = {
  keyword: asText,
  "keyword[]": asTexts,
  match_only_text: asText,
  date: asDate,
  long: asInteger,
};

/** ECS's categories of a kind. */
interface EcsCategories {
  readonly category?: string;
  readonly type: string;
  readonly outcome?: "success" | "failure" | "unknown";
}

/** How ECS classes each kind. Of lost events it has no category. */
export const ecsKinds: Readonly<Record<EventKind, EcsCategories>> = {
  "certificate.issued": { category: "iam", type: "creation", outcome: "success" },
  "certificate.revoked": { category: "iam", type: "change", outcome: "success" },
  "certificate.unrevoked": { category: "iam", type: "change", outcome: "success" },
  "certificate.imported": { category: "iam", type: "creation", outcome: "success" },
  "request.pending": { category: "iam", type: "info", outcome: "unknown" },
  "request.denied": { category: "iam", type: "info", outcome: "failure" },
  "request.failed": { category: "iam", type: "info", outcome: "failure" },
  "request.retrieved": { category: "iam", type: "info", outcome: "success" },
  "crl.issued": { category: "iam", type: "creation", outcome: "success" },
  "ca.started": { category: "process", type: "start", outcome: "success" },
  "ca.changed": { category: "configuration", type: "change", outcome: "success" },
  "ca.stopped": { category: "process", type: "end", outcome: "success" },
  "ca.unrecognized": { category: "iam", type: "info", outcome: "unknown" },
  "journal.gap": { type: "error" },
  "reconcile.finding": { type: "info" },
};

function ofKind<K extends keyof EcsCategories>(name: K) {
  return {
    says: "from the kind",
    read: (event: CertwireEvent) => {
      const kind = knownKind(event);
      return kind && ecsKinds[kind][name];
    },
  };
}

function related(paths: readonly string[], says: string) {
  return { says, read: (event: CertwireEvent) => paths.flatMap((path) => valueAt(event, path)) };
}

const certificate = "data.certificate";

/** The fields of ECS, in the order of the reference page. */
export const ecsFields = [
  { field: "@timestamp", type: "date", from: ["time"], always: true },
  { field: "ecs.version", type: "keyword", from: { value: ecsVersion }, always: true },
  { field: "event.kind", type: "keyword", from: { value: "event" }, always: true },
  { field: "event.category", type: "keyword[]", from: ofKind("category") },
  { field: "event.type", type: "keyword[]", from: ofKind("type") },
  { field: "event.outcome", type: "keyword", from: ofKind("outcome") },
  {
    field: "event.action",
    type: "keyword",
    from: { says: "the kind", read: kindName },
    always: true,
  },
  {
    field: "event.code",
    type: "keyword",
    from: ["data.notify.event"],
    note: "bit of the CA's call",
  },
  { field: "event.provider", type: "keyword", from: { value: "Certwire" }, always: true },
  { field: "event.module", type: "keyword", from: { value: "certwire" }, always: true },
  { field: "event.dataset", type: "keyword", from: { value: "certwire.events" }, always: true },
  { field: "event.id", type: "keyword", from: ["id"], always: true },
  { field: "event.created", type: "date", from: ["recordedtime"] },
  {
    field: "event.hash",
    type: "keyword",
    from: ["recordhash"],
    note: "of the record in the journal",
  },
  {
    field: "event.sequence",
    type: "long",
    from: { says: "the number in `sequence`", read: sequenceNumber },
    note: "absent above 2^53",
  },
  { field: "event.start", type: "date", from: ["data.firstTime"], note: "of lost events" },
  { field: "event.end", type: "date", from: ["data.lastTime"], note: "of lost events" },
  {
    field: "event.reason",
    type: "keyword",
    from: {
      says: "`data.revocation.reason`, `data.reason`; of a denied or failed request the symbol of its status",
      read: (event) =>
        textAt(event, "data.revocation.reason") ??
        textAt(event, "data.reason") ??
        failureReason(event),
    },
  },
  {
    field: "error.code",
    type: "keyword",
    from: {
      says: "`data.request.statusCode` of a denied or failed request",
      read: (event) =>
        failureReason(event) === undefined ? undefined : textAt(event, "data.request.statusCode"),
    },
  },
  {
    field: "message",
    type: "match_only_text",
    from: ["data.request.dispositionMessage"],
    note: "in the language of the CA",
  },
  { field: "tags", type: "keyword[]", from: replayedTag(), note: "only in a replay" },
  { field: "observer.hostname", type: "keyword", from: ["data.ca.machineDnsName"] },
  { field: "observer.name", type: "keyword", from: ["data.ca.name"] },
  { field: "observer.vendor", type: "keyword", from: { value: "Microsoft" }, always: true },
  {
    field: "observer.product",
    type: "keyword",
    from: { value: "Active Directory Certificate Services" },
    always: true,
  },
  {
    field: "observer.type",
    type: "keyword",
    from: { value: "certification authority" },
    always: true,
  },
  { field: "user.name", type: "keyword", from: requester("account"), note: ofNoRevocation },
  { field: "user.domain", type: "keyword", from: requester("domain"), note: ofNoRevocation },
  {
    field: "user.target.id",
    type: "keyword",
    from: [`${certificate}.sid`],
    note: "SID of the account that the certificate is for",
  },
  {
    field: "related.user",
    type: "keyword[]",
    from: {
      says: "accounts of requester, caller and client, and the UPNs of the certificate",
      read: (event) => [
        ...accountsAt(event, [
          "data.request.requesterName",
          "data.request.callerName",
          "data.requested.clientInfo.userName",
        ]),
        ...(asTexts(valueAt(event, `${certificate}.subjectAlternativeNames.upn`)) ?? []),
      ],
    },
  },
  {
    field: "related.hosts",
    type: "keyword[]",
    from: related(
      [
        "data.ca.machineDnsName",
        "data.requested.clientInfo.machineName",
        `${certificate}.subjectAlternativeNames.dns`,
      ],
      "the CA's host, the client's machine, and the DNS names of the certificate",
    ),
  },
  {
    field: "related.hash",
    type: "keyword[]",
    from: related(
      [
        `${certificate}.fingerprints.sha1`,
        `${certificate}.fingerprints.sha256`,
        "data.crl.sha256",
        "data.ca.certificateSha256",
      ],
      "hashes of the certificate, the CRL and the CA's certificate",
    ),
  },
  { field: "file.hash.sha1", type: "keyword", from: [`${certificate}.fingerprints.sha1`] },
  {
    field: "file.hash.sha256",
    type: "keyword",
    from: [`${certificate}.fingerprints.sha256`, "data.crl.sha256"],
  },
  {
    field: "file.x509.serial_number",
    type: "keyword",
    from: [`${certificate}.serialNumber`],
  },
  {
    field: "file.x509.subject.distinguished_name",
    type: "keyword",
    from: [`${certificate}.subject.distinguishedName`],
  },
  {
    field: "file.x509.subject.common_name",
    type: "keyword[]",
    from: [`${certificate}.subject.commonName`],
  },
  {
    field: "file.x509.subject.organization",
    type: "keyword[]",
    from: [`${certificate}.subject.organization`],
  },
  {
    field: "file.x509.subject.organizational_unit",
    type: "keyword[]",
    from: [`${certificate}.subject.organizationalUnit`],
  },
  {
    field: "file.x509.subject.locality",
    type: "keyword[]",
    from: [`${certificate}.subject.locality`],
  },
  {
    field: "file.x509.subject.state_or_province",
    type: "keyword[]",
    from: [`${certificate}.subject.stateOrProvince`],
  },
  {
    field: "file.x509.subject.country",
    type: "keyword[]",
    from: [`${certificate}.subject.country`],
  },
  {
    field: "file.x509.issuer.distinguished_name",
    type: "keyword",
    from: [`${certificate}.issuer.distinguishedName`, "data.crl.issuer.distinguishedName"],
  },
  {
    field: "file.x509.issuer.common_name",
    type: "keyword[]",
    from: [`${certificate}.issuer.commonName`, "data.crl.issuer.commonName"],
  },
  {
    field: "file.x509.issuer.organization",
    type: "keyword[]",
    from: [`${certificate}.issuer.organization`, "data.crl.issuer.organization"],
  },
  {
    field: "file.x509.issuer.country",
    type: "keyword[]",
    from: [`${certificate}.issuer.country`, "data.crl.issuer.country"],
  },
  { field: "file.x509.not_before", type: "date", from: [`${certificate}.notBefore`] },
  { field: "file.x509.not_after", type: "date", from: [`${certificate}.notAfter`] },
  {
    field: "file.x509.alternative_names",
    type: "keyword[]",
    from: {
      says: `all texts in \`${certificate}.subjectAlternativeNames\``,
      read: (event) => alternativeNames(event).map(({ name }) => name),
    },
  },
  {
    field: "file.x509.signature_algorithm",
    type: "keyword",
    from: [
      `${certificate}.signatureAlgorithm.name`,
      `${certificate}.signatureAlgorithm.oid`,
      "data.crl.signatureAlgorithm.name",
      "data.crl.signatureAlgorithm.oid",
    ],
  },
  {
    field: "file.x509.public_key_algorithm",
    type: "keyword",
    from: [`${certificate}.publicKey.algorithm.name`, `${certificate}.publicKey.algorithm.oid`],
  },
  { field: "file.x509.public_key_size", type: "long", from: [`${certificate}.publicKey.bits`] },
  {
    field: "file.x509.public_key_curve",
    type: "keyword",
    from: [`${certificate}.publicKey.curve`],
  },
  {
    field: "file.x509.public_key_exponent",
    type: "long",
    from: [`${certificate}.publicKey.exponent`],
    note: "absent above 2^53",
  },
  { field: "file.x509.version_number", type: "keyword", from: [`${certificate}.version`] },
] as const satisfies readonly Field<keyof typeof ecsForms>[];

function replayedTag() {
  return {
    says: "`replayed`",
    read: ({ replayed }: CertwireEvent) => (replayed === true ? "replayed" : undefined),
  };
}

function requester(part: "account" | "domain") {
  return {
    says: `\`data.request.requesterName\`, the ${part === "account" ? "part after" : "domain before"} the backslash`,
    read: (event: CertwireEvent) =>
      accountOf(requesterAt(event, "data.request.requesterName"))[part],
  };
}

/** An event in the Elastic Common Schema. */
export type EcsEvent = Mapped<typeof ecsFields, typeof ecsForms>;

/**
 * An event in the fields of the Elastic Common Schema 9.4. What the event does not have is absent; what ECS has no
 * field for is left out, so index `event.data` beside it if you need it. Never throws.
 */
export const toEcs: (event: CertwireEvent) => EcsEvent = mapperOf(ecsFields, ecsForms);
