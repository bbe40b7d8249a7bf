import type { CertwireEvent } from "../events/event.ts";
import {
  accountOf,
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
import { asInteger, asMilliseconds, asText, asTexts } from "./forms.ts";
import { type OcsfKind, ocsfClasses, ocsfKindOf, severities, statuses } from "./ocsf-kinds.ts";

/** The version of the Open Cybersecurity Schema Framework that the attributes are of. */
const ocsfVersion = "1.8.0";

/** A hash in OCSF's form. */
export interface OcsfFingerprint {
  readonly algorithm: "SHA-1" | "SHA-256";
  readonly algorithm_id: 2 | 3;
  readonly value: string;
}

/** An alternative name in OCSF's form; `type` is Certwire's name of its kind. */
export interface OcsfSan {
  readonly name: string;
  readonly type: string;
}

/** Types of OCSF; `[]` for lists. */
const ocsfForms = {
  string_t: asText,
  "string_t[]": asTexts,
  hostname_t: asText,
  username_t: asText,
  integer_t: asInteger,
  long_t: asInteger,
  timestamp_t: asMilliseconds,
  "fingerprint[]": (value: unknown) => nonEmpty(value as readonly OcsfFingerprint[]),
  "san[]": (value: unknown) => nonEmpty(value as readonly OcsfSan[]),
};

function nonEmpty<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length > 0 ? list : undefined;
}

function ofKind(read: (kind: OcsfKind) => unknown) {
  return { says: "from the kind", read: (event: CertwireEvent) => read(ocsfKindOf(event)) };
}

/** Of events of one class only: OCSF has the attribute in no other. */
function inClass(
  name: keyof typeof ocsfClasses,
  says: string,
  read: (event: CertwireEvent) => unknown,
) {
  return {
    says,
    read: (event: CertwireEvent) => (ocsfKindOf(event).class === name ? read(event) : undefined),
  };
}

const certificate = "data.certificate";

/** The attributes of OCSF, in the order of the reference page. */
export const ocsfFields = [
  {
    field: "class_uid",
    type: "integer_t",
    from: ofKind((kind) => ocsfClasses[kind.class].uid),
    always: true,
  },
  {
    field: "class_name",
    type: "string_t",
    from: ofKind((kind) => ocsfClasses[kind.class].name),
    always: true,
  },
  {
    field: "category_uid",
    type: "integer_t",
    from: ofKind((kind) => ocsfClasses[kind.class].categoryUid),
    always: true,
  },
  {
    field: "category_name",
    type: "string_t",
    from: ofKind((kind) => ocsfClasses[kind.class].category),
    always: true,
  },
  {
    field: "activity_id",
    type: "integer_t",
    from: ofKind((kind) => kind.activity[0]),
    always: true,
  },
  {
    field: "activity_name",
    type: "string_t",
    from: ofKind((kind) => kind.activity[1]),
    always: true,
  },
  {
    field: "type_uid",
    type: "long_t",
    from: ofKind((kind) => ocsfClasses[kind.class].uid * 100 + kind.activity[0]),
    always: true,
  },
  {
    field: "type_name",
    type: "string_t",
    from: ofKind(
      (kind) =>
        `${ocsfClasses[kind.class].name}: ${kind.activity[0] === 99 ? "Other" : kind.activity[1]}`,
    ),
    always: true,
  },
  { field: "severity_id", type: "integer_t", from: ofKind((kind) => kind.severity), always: true },
  {
    field: "severity",
    type: "string_t",
    from: ofKind((kind) => severities[kind.severity]),
    always: true,
  },
  { field: "status_id", type: "integer_t", from: ofKind((kind) => kind.status), always: true },
  {
    field: "status",
    type: "string_t",
    from: ofKind((kind) => statuses[kind.status]),
    always: true,
  },
  {
    field: "status_code",
    type: "string_t",
    from: ["data.request.statusCode"],
  },
  {
    field: "status_detail",
    type: "string_t",
    from: {
      says: "`data.revocation.reason`, `data.reason`; of a denied or failed request the symbol of its status",
      read: (event) =>
        textAt(event, "data.revocation.reason") ??
        textAt(event, "data.reason") ??
        failureReason(event),
    },
  },
  {
    field: "message",
    type: "string_t",
    from: ["data.request.dispositionMessage"],
    note: "in the language of the CA",
  },
  { field: "time", type: "timestamp_t", from: ["time"], always: true },
  { field: "start_time", type: "timestamp_t", from: ["data.firstTime"], note: "of lost events" },
  { field: "end_time", type: "timestamp_t", from: ["data.lastTime"], note: "of lost events" },
  { field: "count", type: "integer_t", from: ["data.count"], note: "of lost events" },
  { field: "metadata.version", type: "string_t", from: { value: ocsfVersion }, always: true },
  { field: "metadata.product.name", type: "string_t", from: { value: "Certwire" }, always: true },
  { field: "metadata.profiles", type: "string_t[]", from: { value: ["host"] }, always: true },
  { field: "metadata.uid", type: "string_t", from: ["id"], always: true },
  {
    field: "metadata.sequence",
    type: "integer_t",
    from: { says: "the number in `sequence`", read: sequenceNumber },
    note: "absent above 2^53",
  },
  {
    field: "metadata.event_code",
    type: "string_t",
    from: { says: "the kind", read: kindName },
    always: true,
  },
  { field: "metadata.logged_time", type: "timestamp_t", from: ["recordedtime"] },
  {
    field: "metadata.correlation_uid",
    type: "string_t",
    from: ["partitionkey"],
    note: "the same for all events of a request",
  },
  {
    field: "metadata.labels",
    type: "string_t[]",
    from: {
      says: "`replayed`",
      read: ({ replayed }) => (replayed === true ? "replayed" : undefined),
    },
    note: "only in a replay",
  },
  {
    field: "device.hostname",
    type: "hostname_t",
    from: ["data.ca.machineDnsName"],
    note: "the CA's host",
  },
  {
    field: "device.type_id",
    type: "integer_t",
    from: {
      says: "1 (server), beside the hostname",
      read: (event) => (textAt(event, "data.ca.machineDnsName") === undefined ? undefined : 1),
    },
  },
  {
    field: "actor.user.name",
    type: "username_t",
    from: requester("account"),
    note: ofNoRevocation,
  },
  { field: "actor.user.domain", type: "string_t", from: requester("domain"), note: ofNoRevocation },
  {
    field: "app.name",
    type: "string_t",
    from: inClass(
      "lifecycle",
      "Active Directory Certificate Services, in class 6002",
      () => "Active Directory Certificate Services",
    ),
  },
  {
    field: "app.vendor_name",
    type: "string_t",
    from: inClass("lifecycle", "Microsoft, in class 6002", () => "Microsoft"),
  },
  {
    field: "app.uid",
    type: "string_t",
    from: inClass("lifecycle", "`data.ca.id`, in class 6002", (event) =>
      textAt(event, "data.ca.id"),
    ),
  },
  { field: "entity.type", type: "string_t", from: ofKind((kind) => kind.entity) },
  {
    field: "entity.type_id",
    type: "integer_t",
    from: inClass("entity", "99 (other); 0 (unknown) where the type is absent", (event) =>
      ocsfKindOf(event).entity === undefined ? 0 : 99,
    ),
  },
  {
    field: "entity.uid",
    type: "string_t",
    from: inClass("entity", "`subject`, else `source`", ({ subject, source }) => subject ?? source),
  },
  {
    field: "entity.name",
    type: "string_t",
    from: inClass(
      "entity",
      "the distinguished name of the certificate or, without one, of the request; of a CRL its issuer; of a CA `data.ca.name`",
      entityName,
    ),
  },
  {
    field: "entity.data.certificate.serial_number",
    type: "string_t",
    from: inEntity(`${certificate}.serialNumber`),
    note: "OCSF has a `certificate` object, but no place for it in class 3004: it is in `entity.data`, which holds any JSON",
  },
  {
    field: "entity.data.certificate.version",
    type: "string_t",
    from: inEntity(`${certificate}.version`),
  },
  {
    field: "entity.data.certificate.subject",
    type: "string_t",
    from: inEntity(`${certificate}.subject.distinguishedName`),
  },
  {
    field: "entity.data.certificate.issuer",
    type: "string_t",
    from: inEntity(`${certificate}.issuer.distinguishedName`),
  },
  {
    field: "entity.data.certificate.created_time",
    type: "timestamp_t",
    from: inEntity(`${certificate}.notBefore`),
    note: "the usual approximation",
  },
  {
    field: "entity.data.certificate.expiration_time",
    type: "timestamp_t",
    from: inEntity(`${certificate}.notAfter`),
  },
  {
    field: "entity.data.certificate.sans",
    type: "san[]",
    from: inClass(
      "entity",
      `the texts in \`${certificate}.subjectAlternativeNames\`, with their kinds`,
      alternativeNames,
    ),
  },
  {
    field: "entity.data.certificate.fingerprints",
    type: "fingerprint[]",
    from: inClass("entity", `\`${certificate}.fingerprints\``, fingerprints),
  },
] as const satisfies readonly Field<keyof typeof ocsfForms>[];

function requester(part: "account" | "domain") {
  return {
    says: `\`data.request.requesterName\`, the ${part === "account" ? "part after" : "domain before"} the backslash`,
    read: (event: CertwireEvent) => {
      const { account, domain } = accountOf(requesterAt(event, "data.request.requesterName"));
      // OCSF refuses a user without a name.
      return part === "account" || account === "" ? account : domain;
    },
  };
}

function inEntity(path: string) {
  return inClass("entity", `\`${path}\``, (event) => valueAt(event, path));
}

function entityName(event: CertwireEvent): string | undefined {
  if (knownKind(event) === "ca.changed") return textAt(event, "data.ca.name");
  return (
    textAt(event, `${certificate}.subject.distinguishedName`) ??
    textAt(event, "data.requested.subject.distinguishedName") ??
    textAt(event, "data.crl.issuer.distinguishedName")
  );
}

function fingerprints(event: CertwireEvent): OcsfFingerprint[] {
  const sha1 = textAt(event, `${certificate}.fingerprints.sha1`);
  const sha256 = textAt(event, `${certificate}.fingerprints.sha256`);
  return [
    ...(sha1 === undefined ? [] : [{ algorithm: "SHA-1", algorithm_id: 2, value: sha1 } as const]),
    ...(sha256 === undefined
      ? []
      : [{ algorithm: "SHA-256", algorithm_id: 3, value: sha256 } as const]),
  ];
}

/** An event in the Open Cybersecurity Schema Framework. */
export type OcsfEvent = Mapped<typeof ocsfFields, typeof ocsfForms>;

/**
 * An event in the attributes of the Open Cybersecurity Schema Framework 1.8, with the profile `host`. What the event
 * does not have is absent; times are in ms since 1970. Never throws.
 */
export const toOcsf: (event: CertwireEvent) => OcsfEvent = mapperOf(ocsfFields, ocsfForms);
