// For the tests: records as the exit module writes them, with real certificates.

import { SeededRandom } from "../../src/simulate/seeded-random.ts";
import { createEcKey } from "../../src/simulate/signing-key.ts";
import { buildCertificate } from "../../src/simulate/x509-builder.ts";
import * as x509 from "../../src/simulate/x509-extensions.ts";

/** A request and what the CA made of it. */
export interface IssuedSpec {
  readonly requester: string;
  /** Default: the requester. */
  readonly caller?: string;
  /** Default: a version 2 template. */
  readonly template?: { readonly name: string } | { oid: string; major: number; minor: number };
  /** Default: client authentication. Empty: no extension. */
  readonly purposes?: readonly string[] | "broken";
  readonly dns?: readonly string[];
  readonly upn?: readonly string[];
  readonly uri?: readonly string[];
  readonly sid?: string | undefined;
  /** Default `policy`. */
  readonly sidOrigin?: "policy" | "request";
  readonly applicationPolicies?: readonly string[];
  readonly policies?: readonly string[];
  readonly isCa?: boolean;
  /** Default 0x29. */
  readonly enrollmentFlags?: number;
  readonly requestFlags?: number;
  readonly signerPolicies?: string;
  readonly attributes?: readonly (readonly [string, string])[];
  readonly message?: string;
  readonly requestId?: number;
  /** Default `issued`. */
  readonly decision?: keyof typeof decisions;
}

const random = new SeededRandom("detections");
const caKey = createEcKey(random, "P-256");
const key = createEcKey(random, "P-256");
const origins = { request: 0x10000, policy: 0x20000 };
const decisions = {
  issued: { event: 1, disposition: 20 },
  pending: { event: 2, disposition: 9 },
  denied: { event: 4, disposition: 31 },
  failed: { event: 4, disposition: 30 },
  revoked: { event: 8, disposition: 21 },
} as const;

/** The record of a request. */
export function issuedRecord(spec: IssuedSpec): object {
  const { requester, caller = requester, requestId = 7, decision = "issued" } = spec;
  const { event, disposition } = decisions[decision];
  const extensions = extensionsOf(spec);
  const request: [string, unknown][] = [
    ["RequestID", requestId],
    ["RequesterName", requester],
    ["CallerName", caller],
    ["Disposition", disposition],
    ["DispositionMessage", spec.message ?? "Issued"],
    ["RequestFlags", spec.requestFlags ?? 0],
  ];
  if (spec.signerPolicies !== undefined) {
    request.push(["SignerApplicationPolicies", spec.signerPolicies]);
  }
  const certificate: [string, unknown][] = [
    ["EnrollmentFlags", spec.enrollmentFlags ?? 0x29],
    ["GeneralFlags", 0x2023a],
    ["PrivatekeyFlags", 0x1010000],
  ];
  if (event === 1 || event === 8) certificate.push(["RawCertificate", certificateOf(extensions)]);
  return {
    event,
    context: requestId,
    request: new Map(request),
    certificate: new Map(certificate),
    ca: new Map<string, unknown>([["Name", "Corp Issuing CA 1"]]),
    attributes: spec.attributes ?? [],
    extensions: extensions.map(({ oid, value }) => [
      oid,
      oid === x509.extensionOids.securityIdentifier
        ? origins[spec.sidOrigin ?? "policy"]
        : origins.policy,
      value,
    ]),
  };
}

function certificateOf(extensions: readonly x509.Extension[]): Buffer {
  return buildCertificate(
    {
      serialNumber: "6100000007",
      issuer: [["CN", "Corp Issuing CA 1"]],
      subject: [["CN", "sample"]],
      notBefore: new Date("2026-03-01T00:00:00Z"),
      notAfter: new Date("2027-03-01T00:00:00Z"),
      publicKeyInfo: key.publicKeyInfo,
      extensions,
    },
    caKey,
  );
}

function extensionsOf(spec: IssuedSpec): x509.Extension[] {
  const { purposes = ["1.3.6.1.5.5.7.3.2"], sid, applicationPolicies, policies, isCa } = spec;
  const names = namesOf(spec);
  return [
    templateOf(spec),
    ...purposesOf(purposes),
    ...(applicationPolicies ? [x509.applicationPolicies(applicationPolicies)] : []),
    ...(policies ? [x509.certificatePolicies(policies)] : []),
    ...(isCa ? [x509.caConstraints()] : []),
    ...(names.length > 0 ? [x509.subjectAltName(names)] : []),
    ...(sid === undefined ? [] : [x509.securityIdentifier(sid)]),
  ];
}

function templateOf({ template }: IssuedSpec): x509.Extension {
  if (template === undefined) return x509.template("1.3.6.1.4.1.311.21.8.7", 100, 5);
  return "name" in template
    ? x509.templateName(template.name)
    : x509.template(template.oid, template.major, template.minor);
}

function purposesOf(purposes: readonly string[] | "broken"): x509.Extension[] {
  if (purposes === "broken") {
    return [{ oid: "2.5.29.37", isCritical: false, value: Buffer.from([0x30, 0x05, 0x06]) }];
  }
  return purposes.length === 0 ? [] : [x509.extendedKeyUsage(purposes)];
}

function namesOf({ dns = [], upn = [], uri = [] }: IssuedSpec): x509.AlternativeName[] {
  return [
    ...dns.map((each) => ({ dns: each })),
    ...upn.map((each) => ({ upn: each })),
    ...uri.map((each) => ({ uri: each })),
  ];
}
