import { type Account, domainName } from "../../simulate/accounts.ts";
import {
  alternativeNames,
  certificateExtensions,
  subjectOf as defaultSubject,
  pendingRow,
} from "../../simulate/enrolment.ts";
import type { RequestRow } from "../../simulate/request-row.ts";
import type { SigningKey } from "../../simulate/signing-key.ts";
import type { Template } from "../../simulate/templates.ts";
import * as extensions from "../../simulate/x509-extensions.ts";
import type { KeyKind } from "../x509/keys.ts";
import { checkRequest } from "./check-request.ts";
import { alternativeNamesOf, type RequestOptions } from "./request-options.ts";
import { accountOf } from "./requesters.ts";
import { subjectOf } from "./subject.ts";
import { templateOf } from "./templates.ts";

/** Who requests, if the test does not say. */
const defaultRequesters = {
  user: "CORP\\alice",
  machine: "CORP\\WS-1001$",
  service: "CORP\\WEB-1001$",
} as const;

/** What a new row needs from its CA. */
export interface RowContext {
  readonly requestId: number;
  readonly now: Date;
  /** SIDs follow from it. */
  readonly seed: string;
  /** The extensions that the CA adds to every certificate. */
  readonly issuerExtensions: readonly extensions.Extension[];
  readonly keyOf: (kind: KeyKind) => SigningKey;
}

/** The names of a request: those that the certificate will have, and those that the requester asks for. */
interface RowNames {
  readonly subject: RequestRow["subject"];
  readonly names: readonly extensions.AlternativeName[];
  readonly isRequested: boolean;
}

/** The row of a new request, still pending. Throws CERTWIRE_TESTING_OPTIONS or CERTWIRE_OPTIONAL_LIBRARY. */
export function newRow(options: RequestOptions, context: RowContext): RequestRow {
  const template = withUsages(templateOf(options.template ?? "CorpWebServer"), options);
  const requester = options.requester ?? defaultRequesters[template.enrollees];
  const account = accountOf(requester, context.seed, options.sid ?? undefined);
  const naming = namesOf(options, template, account);
  const { sid, extensions: added = [], validityDays = template.validityDays } = options;
  checkRequest({ template, ...naming, extensions: added, sid, validityDays, now: context.now });
  const key = context.keyOf(options.key ?? (template.keyKind === "rsa" ? "rsa-2048" : "p-256"));
  return pendingRow({
    requestId: context.requestId,
    template,
    account,
    key,
    subject: naming.subject,
    requestedSubject: naming.isRequested ? naming.subject : [],
    requestedNames: naming.isRequested ? naming.names : [],
    attributes: attributesOf(options, template, account),
    extensions: [
      ...ownExtensions(options, template, account, key, naming.names),
      ...added,
      ...context.issuerExtensions,
    ],
    submitted: context.now,
    validityDays,
    caller: options.caller ?? requester,
  });
}

function withUsages(template: Template, { extendedKeyUsages }: RequestOptions): Template {
  return extendedKeyUsages === undefined ? template : { ...template, extendedKeyUsages };
}

function namesOf(
  { subject, sans }: RequestOptions,
  template: Template,
  account: Account,
): RowNames {
  return {
    subject: subject === undefined ? defaultSubject(template, account) : subjectOf(subject),
    names: sans === undefined ? alternativeNames(template, account) : alternativeNamesOf(sans),
    isRequested: template.isSubjectSupplied || subject !== undefined || sans !== undefined,
  };
}

function ownExtensions(
  { sid }: RequestOptions,
  template: Template,
  account: Account,
  key: SigningKey,
  names: readonly extensions.AlternativeName[],
): extensions.Extension[] {
  const oids = extensions.extensionOids;
  const { extendedKeyUsages, keyUsages } = template;
  const isWithoutUsages = extendedKeyUsages.length === 0;
  const leftOut = new Set<string>([
    ...(names.length === 0 ? [oids.subjectAltName] : []),
    ...(isWithoutUsages ? [oids.extendedKeyUsage, oids.applicationPolicies] : []),
    ...(keyUsages.length === 0 ? [oids.keyUsage] : []),
    ...(sid === undefined ? [] : [oids.securityIdentifier]),
  ]);
  const all = certificateExtensions(template, account, key, names).filter(
    ({ oid }) => !leftOut.has(oid),
  );
  return typeof sid === "string" ? [...all, extensions.securityIdentifier(sid)] : all;
}

function attributesOf(
  { attributes = {} }: RequestOptions,
  template: Template,
  account: Account,
): [string, string][] {
  const host = account.kind === "user" ? `ws-1172.${domainName}` : account.principal;
  return [["CertificateTemplate", template.name], ["ccm", host], ...Object.entries(attributes)];
}
