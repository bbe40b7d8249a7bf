import { nameProperties } from "../properties.ts";

/** The objects that hold a subject, by their path. The signers of a renewal are its holder too. */
const subjects = [
  "certificate.subject",
  "requested.subject",
  "requested.renewalCertificate.subject",
  "requested.signers.subject",
];

const alternativeNames = [
  "certificate.subjectAlternativeNames",
  "requested.subjectAlternativeNames",
];

/** Columns of the request and of the certificate for parts of a subject. */
const columnsOfPart = {
  distinguishedName: "distinguishedName",
  commonName: "commonName",
  organization: "organization",
  organizationalUnit: "orgUnit",
  locality: "locality",
  stateOrProvince: "state",
  country: "country",
  domainComponent: "domainComponent",
} as const;

/** The members that stand for the account of the requester. */
const account = [
  "request.requesterName",
  "request.callerName",
  "request.requesterNameFromOldCertificate",
  "requested.clientInfo.userName",
  "ca.userDn",
  ...["certificate", "requested"].flatMap((holder) => [`${holder}.sid`, `${holder}.otherSids`]),
];

/** Members that stand for the same thing: whoever redacts one of a row, or an object with one, redacts all of it. */
const rows: readonly (readonly string[])[] = [
  ...Object.entries(columnsOfPart).map(([part, column]) => [
    ...subjects.map((subject) => `${subject}.${part}`),
    ...columns(column),
  ]),
  [
    ...subjects.map((subject) => `${subject}.emailAddress`),
    ...alternativeNames.map((names) => `${names}.email`),
    ...columns("email"),
  ],
  [...alternativeNames.map((names) => `${names}.upn`), "certificateProperties.upn"],
  ...["dns", "ip", "uri", "directoryName", "registeredId", "dsObjectGuid", "other"].map((kind) =>
    alternativeNames.map((names) => `${names}.${kind}`),
  ),
  ["certificate.serialNumber", "certificateProperties.serialNumber"],
  ["certificate.fingerprints", "certificateProperties.certificateHash"],
  ["certificate.publicKey", "requested.publicKey"],
  [
    "certificate.subjectKeyIdentifier",
    "requested.subjectKeyIdentifier",
    "requested.signers.subjectKeyIdentifier",
    "certificateProperties.subjectKeyIdentifier",
  ],
  ...["name", "oid"].map((part) => [
    `certificate.template.${part}`,
    `requested.template.${part}`,
    "certificateProperties.certificateTemplate",
  ]),
  ["ca.name", "ca.sanitizedCaName", "ca.sanitizedShortName"],
];

const nameColumns = Object.values(nameProperties).flatMap(({ key }) => columns(key));

/** What an object repeats beside its members: whoever redacts the object redacts these too. */
const wholes: Readonly<Record<string, readonly string[]>> = {
  "certificate.subject": [...subjects, ...nameColumns],
  "requested.subject": [...subjects, ...nameColumns],
  "certificate.subjectAlternativeNames": alternativeNames,
  "requested.subjectAlternativeNames": alternativeNames,
  "requested.clientInfo": account,
  attributes: ["request.requestAttributes"],
  "attributes.name": ["request.requestAttributes"],
  "attributes.value": ["request.requestAttributes"],
  "request.requestAttributes": ["attributes"],
};

/** The other members that stand for the same as a member, or as something in it. */
export function repetitionsOf(path: string): readonly string[] {
  const isInPath = (each: string): boolean => each === path || each.startsWith(`${path}.`);
  const same = [
    ...(account.includes(path) ? account : []),
    ...rows.filter((row) => row.some(isInPath)).flat(),
    ...Object.keys(wholes)
      .filter(isInPath)
      .flatMap((each) => wholes[each] ?? []),
  ];
  return [...new Set(same)].filter((each) => !isInPath(each));
}

/** True if a member names an account as Windows does, `DOMAIN\name`. */
export function isAccount(path: string): boolean {
  return account.includes(path);
}

/**
 * Members that tell persons and machines apart. When a whole object is redacted, the values of these are looked for in
 * the rest of the event; its other values, such as a country, say too little and stand everywhere.
 */
export const identifyingKeys: ReadonlySet<string> = new Set([
  "callerName",
  "commonName",
  "deviceSerialNumber",
  "directoryName",
  "distinguishedName",
  "dns",
  "dsObjectGuid",
  "email",
  "emailAddress",
  "givenName",
  "ip",
  "machineName",
  "otherSids",
  "requesterName",
  "requesterNameFromOldCertificate",
  "serialNumber",
  "sid",
  "surName",
  "unstructuredAddress",
  "unstructuredName",
  "upn",
  "uri",
  "userDn",
  "userName",
]);

function columns(key: string): string[] {
  return [`request.${key}`, `certificateProperties.${key}`];
}
