import { dispositions } from "../exit/ca-codes.ts";
import { type Account, createAccounts, domainName } from "./accounts.ts";
import type { DistinguishedName } from "./distinguished-name.ts";
import type { IssuingAuthority } from "./issuing-authority.ts";
import type { RequestRow } from "./request-row.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { createEcKey, createRsaKeys, type SigningKey } from "./signing-key.ts";
import { type Template, templates } from "./templates.ts";
import { buildRequest } from "./x509-builder.ts";
import * as extensions from "./x509-extensions.ts";

/** Creating an RSA key takes tens of milliseconds, so requests share these few. */
const rsaKeyCount = 10;

/** The users, machines and services that request certificates from the simulated CA. */
export class Enrolment {
  readonly #random: SeededRandom;
  readonly #authority: IssuingAuthority;
  readonly #accounts: readonly Account[];
  readonly #rsaKeys: readonly SigningKey[];

  constructor(random: SeededRandom, authority: IssuingAuthority) {
    this.#random = random;
    this.#authority = authority;
    this.#accounts = createAccounts(random.branch("accounts"), 60, 120);
    this.#rsaKeys = createRsaKeys(random.branch("keys"), 2048, rsaKeyCount);
  }

  /** A new request, still pending. */
  request(requestId: number, now: Date): RequestRow {
    const template = this.#pickTemplate();
    const account = this.#pickAccount(template.enrollees);
    const key =
      template.keyKind === "rsa"
        ? this.#random.pick(this.#rsaKeys)
        : createEcKey(this.#random, "P-256");
    const subject = subjectOf(template, account);
    const names = alternativeNames(template, account);
    const attributes = this.#attributes(template, account);
    const challenge = attributes.find(([name]) => name === "Challenge")?.[1];
    return pendingRow({
      requestId,
      template,
      account,
      key,
      subject,
      requestedSubject: template.isSubjectSupplied ? subject : [],
      requestedNames: template.isSubjectSupplied ? names : [],
      attributes,
      ...(challenge !== undefined && { challengePassword: challenge }),
      extensions: [
        ...certificateExtensions(template, account, key, names),
        ...this.#authority.issuerExtensions,
      ],
      submitted: now,
      caller: account.samName,
    });
  }

  #pickTemplate(): Template {
    const total = templates.reduce((sum, template) => sum + template.weight, 0);
    let rest = this.#random.below(total);
    for (const template of templates) {
      rest -= template.weight;
      if (rest < 0) return template;
    }
    return this.#random.pick(templates);
  }

  #pickAccount(kind: Account["kind"]): Account {
    return this.#random.pick(this.#accounts.filter((account) => account.kind === kind));
  }

  #attributes(template: Template, account: Account): [string, string][] {
    const attributes: [string, string][] = [["CertificateTemplate", template.name]];
    if (template.name === "IPSECIntermediateOffline") {
      const password = this.#random.bytes(8).toString("hex").toUpperCase();
      return [...attributes, ["Challenge", password], ["ccm", `ndes1.${domainName}`]];
    }
    const host = account.kind === "user" ? `ws-1172.${domainName}` : account.principal;
    return [...attributes, ["ccm", host], ["cdc", `DC1.${domainName}`], ["rmd", host]];
  }
}

/** A request as it is sent: the parts of its row, and what only its PKCS#10 says. */
export interface SentRequest
  extends Omit<RequestRow, "rawRequest" | "disposition" | "statusCode" | "message"> {
  /** Alternative names that the requester asks for; none if the CA names the subject. */
  readonly requestedNames: readonly extensions.AlternativeName[];
  /** Default none. */
  readonly challengePassword?: string;
}

/** The row of a request that the CA has not decided yet. */
export function pendingRow({ requestedNames, challengePassword, ...row }: SentRequest): RequestRow {
  const { template, key } = row;
  const names = requestedNames.length > 0 ? [extensions.subjectAltName(requestedNames)] : [];
  const content = {
    subject: row.requestedSubject,
    osVersion: "10.0.20348.2",
    extensions: [templateExtension(template), ...names],
    ...(challengePassword !== undefined && { challengePassword }),
  };
  return {
    ...row,
    rawRequest: buildRequest(content, key),
    disposition: dispositions.pending,
    statusCode: 0,
    message: "Taken Under Submission",
  };
}

/** The subject of a certificate that the CA fills from the directory, or that the requester names. */
export function subjectOf(template: Template, account: Account): DistinguishedName {
  if (template.isSubjectSupplied) {
    return [
      ["CN", account.principal],
      ["OU", "IT"],
      ["O", "Corp Example Ltd"],
      ["L", "Zürich"],
      ["C", "CH"],
    ];
  }
  if (account.kind !== "user") return [["CN", account.principal]];
  return template.name === "User"
    ? [["E", account.principal], ...account.distinguishedName]
    : account.distinguishedName;
}

/** The alternative names of an account by its template. */
export function alternativeNames(
  template: Template,
  account: Account,
): extensions.AlternativeName[] {
  if (account.kind === "user") {
    const email = template.name === "User" ? [{ email: account.principal }] : [];
    return [...email, { upn: account.principal }];
  }
  if (!template.isSubjectSupplied) return [{ dns: account.principal }];
  return [
    { dns: account.principal },
    { dns: `www.${account.principal}` },
    { ip: [10, 20, 30, 40] },
  ];
}

/** The extension that names a template. */
export function templateExtension(template: Template): extensions.Extension {
  return template.version
    ? extensions.template(template.identifier, ...template.version)
    : extensions.templateName(template.name);
}

/** The extensions of a certificate, without those that the CA adds to each. */
export function certificateExtensions(
  template: Template,
  account: Account,
  key: SigningKey,
  names: readonly extensions.AlternativeName[],
): extensions.Extension[] {
  const isNamedByDirectory = !template.isSubjectSupplied;
  return [
    extensions.subjectKeyIdentifier(key.keyIdentifier),
    templateExtension(template),
    extensions.extendedKeyUsage(template.extendedKeyUsages),
    extensions.keyUsage(template.keyUsages),
    ...(template.version ? [extensions.applicationPolicies(template.extendedKeyUsages)] : []),
    extensions.subjectAltName(names),
    ...(isNamedByDirectory ? [extensions.securityIdentifier(account.sid)] : []),
  ];
}
