import { hash } from "node:crypto";
import { type Template, templateArc, templates } from "../../simulate/templates.ts";
import type { KeyUsage } from "../../simulate/x509-extensions.ts";

/** A certificate template of the test CA. */
export interface TestTemplate {
  readonly name: string;
  /** OID of the template. Default: one that follows from the name. */
  readonly oid?: string;
  /** Revision. Default 100.1. */
  readonly version?: readonly [major: number, minor: number];
  /** OIDs of the extended key usages. Default client and server authentication; an empty list for none. */
  readonly extendedKeyUsages?: readonly string[];
  /** Default `digitalSignature` and `keyEncipherment`; an empty list for none. */
  readonly keyUsages?: readonly KeyUsage[];
  /** Default 365. */
  readonly validityDays?: number;
  /** True if the requester names the subject, as for web servers. Default true. */
  readonly isSubjectSupplied?: boolean;
  /** `msPKI-Enrollment-Flag`. Default 0. */
  readonly enrollmentFlags?: number;
  /** `msPKI-Private-Key-Flag`. Default 0x1010000. */
  readonly privateKeyFlags?: number;
  /** `flags` of the template. Default 0x20241. */
  readonly generalFlags?: number;
}

/** Names of the templates that the CA knows from the start. */
export const templateNames: readonly string[] = templates.map(({ name }) => name);

/** The template of a name that the CA knows, or a new one with the given name or properties. */
export function templateOf(wanted: string | TestTemplate): Template {
  const known = templates.find(({ name }) => name === wanted);
  return known ?? newTemplate(typeof wanted === "string" ? { name: wanted } : wanted);
}

function newTemplate({
  name,
  oid = `${templateArc}.${oidPart(name, 0)}.${oidPart(name, 3)}`,
  version = [100, 1],
  extendedKeyUsages = ["1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.1"],
  keyUsages = ["digitalSignature", "keyEncipherment"],
  validityDays = 365,
  isSubjectSupplied = true,
  enrollmentFlags = 0,
  privateKeyFlags = 0x1010000,
  generalFlags = 0x20241,
}: TestTemplate): Template {
  return {
    name,
    identifier: oid,
    version,
    enrollees: "service",
    keyKind: "ec",
    keyUsages,
    extendedKeyUsages,
    validityDays,
    isSubjectSupplied,
    needsApproval: false,
    weight: 0,
    flags: { enrollment: enrollmentFlags, privateKey: privateKeyFlags, general: generalFlags },
  };
}

/** A part of a template's OID, as AD CS makes them: a number of seven or eight digits. */
function oidPart(name: string, at: number): number {
  return 1_000_000 + hash("sha256", name, "buffer").readUIntBE(at, 3);
}
