import { nameProperties } from "../properties.ts";

const nameColumns = Object.values(nameProperties).flatMap(({ key }) => [
  `request.${key}`,
  `certificateProperties.${key}`,
]);

/** Members that stand for the same thing: whoever redacts one of a row redacts all of it. */
const rows: readonly (readonly string[])[] = [
  // The account that made the request.
  [
    "request.requesterName",
    "request.callerName",
    "request.requesterNameFromOldCertificate",
    "requested.clientInfo.userName",
    "ca.userDn",
    "certificate.sid",
    "certificate.otherSids",
    "requested.sid",
    "requested.otherSids",
  ],
  [
    "certificate.subject.distinguishedName",
    "certificateProperties.distinguishedName",
    "request.distinguishedName",
    "requested.subject.distinguishedName",
  ],
  [
    "certificate.subject.commonName",
    "certificateProperties.commonName",
    "request.commonName",
    "requested.subject.commonName",
  ],
  [
    "certificate.subject.emailAddress",
    "certificateProperties.email",
    "request.email",
    "requested.subject.emailAddress",
    "certificate.subjectAlternativeNames.email",
    "requested.subjectAlternativeNames.email",
  ],
  [
    "certificate.subjectAlternativeNames.upn",
    "requested.subjectAlternativeNames.upn",
    "certificateProperties.upn",
  ],
  ["certificate.serialNumber", "certificateProperties.serialNumber"],
];

/** What an object repeats beside its members: whoever redacts the object redacts these too. */
const wholes: Readonly<Record<string, readonly string[]>> = {
  "certificate.subject": ["requested.subject", ...nameColumns],
  "requested.subject": ["certificate.subject", ...nameColumns],
  "certificate.subjectAlternativeNames": [
    "requested.subjectAlternativeNames",
    "certificateProperties.upn",
  ],
  "requested.subjectAlternativeNames": [
    "certificate.subjectAlternativeNames",
    "certificateProperties.upn",
  ],
  "requested.clientInfo": rows[0] ?? [],
};

/** The other members that stand for the same as a member. */
export function repetitionsOf(path: string): readonly string[] {
  const row = rows.find((each) => each.includes(path)) ?? [];
  return [...row, ...(wholes[path] ?? [])].filter((each) => each !== path);
}

/** True if a member names an account as Windows does, `DOMAIN\name`. */
export function isAccount(path: string): boolean {
  return rows[0]?.includes(path) ?? false;
}

/**
 * Members that tell persons and machines apart. When a whole object is redacted, the values of these are looked for in
 * the rest of the event; its other values, such as a country, say too little and stand everywhere.
 */
export const identifyingKeys: ReadonlySet<string> = new Set([
  "callerName",
  "commonName",
  "directoryName",
  "distinguishedName",
  "dns",
  "email",
  "emailAddress",
  "machineName",
  "otherSids",
  "requesterName",
  "requesterNameFromOldCertificate",
  "serialNumber",
  "sid",
  "surName",
  "unstructuredName",
  "upn",
  "userDn",
  "userName",
]);
