import type { Account } from "./accounts.ts";
import type { KeyUsage } from "./x509-extensions.ts";

/** A certificate template of the simulated CA. */
export interface Template {
  readonly name: string;
  /** How the CA's database refers to it: the name of a version 1 template, the OID of a later one. */
  readonly identifier: string;
  /** Revision; absent for version 1 templates. */
  readonly version?: readonly [major: number, minor: number];
  readonly enrollees: Account["kind"];
  readonly keyKind: "rsa" | "ec";
  readonly keyUsages: readonly KeyUsage[];
  readonly extendedKeyUsages: readonly string[];
  readonly validityDays: number;
  /** True if the requester names the subject, as for web servers. */
  readonly isSubjectSupplied: boolean;
  /** True if a CA manager must approve requests. */
  readonly needsApproval: boolean;
  /** Share of the requests, relative to the other templates. */
  readonly weight: number;
  /** msPKI-Enrollment-Flag, msPKI-Private-Key-Flag and flags of the template. */
  readonly flags: {
    readonly enrollment: number;
    readonly privateKey: number;
    readonly general: number;
  };
}

const usages = {
  serverAuth: "1.3.6.1.5.5.7.3.1",
  clientAuth: "1.3.6.1.5.5.7.3.2",
  codeSigning: "1.3.6.1.5.5.7.3.3",
  emailProtection: "1.3.6.1.5.5.7.3.4",
  ipsecIntermediate: "1.3.6.1.5.5.8.2.2",
  smartcardLogon: "1.3.6.1.4.1.311.20.2.2",
  encryptingFileSystem: "1.3.6.1.4.1.311.10.3.4",
} as const;

/** OID arc of the simulated forest's own templates. */
export const templateArc = "1.3.6.1.4.1.311.21.8.5921034.11862537.4408730.1927465.3351092.77";

const signing: readonly KeyUsage[] = ["digitalSignature"];
const signingAndExchange: readonly KeyUsage[] = ["digitalSignature", "keyEncipherment"];

/** The templates that the simulated CA issues from. */
export const templates: readonly Template[] = [
  {
    name: "CorpWorkstation",
    identifier: `${templateArc}.10410231.2201947`,
    version: [100, 7],
    enrollees: "machine",
    keyKind: "ec",
    keyUsages: signing,
    extendedKeyUsages: [usages.clientAuth, usages.serverAuth],
    validityDays: 365,
    isSubjectSupplied: false,
    needsApproval: false,
    weight: 40,
    flags: { enrollment: 0x20, privateKey: 0x1060000, general: 0x20060 },
  },
  {
    name: "CorpSmartcard",
    identifier: `${templateArc}.6620114.9930187`,
    version: [101, 2],
    enrollees: "user",
    keyKind: "rsa",
    keyUsages: signingAndExchange,
    extendedKeyUsages: [usages.clientAuth, usages.smartcardLogon],
    validityDays: 730,
    isSubjectSupplied: false,
    needsApproval: false,
    weight: 20,
    flags: { enrollment: 0x29, privateKey: 0x1010000, general: 0x2023a },
  },
  {
    name: "CorpWebServer",
    identifier: `${templateArc}.3377120.15410098`,
    version: [100, 12],
    enrollees: "service",
    keyKind: "ec",
    keyUsages: signing,
    extendedKeyUsages: [usages.serverAuth],
    validityDays: 397,
    isSubjectSupplied: true,
    needsApproval: true,
    weight: 10,
    flags: { enrollment: 0x2, privateKey: 0x1010000, general: 0x20241 },
  },
  {
    name: "CorpCodeSigning",
    identifier: `${templateArc}.12004417.8801325`,
    version: [100, 3],
    enrollees: "user",
    keyKind: "rsa",
    keyUsages: signing,
    extendedKeyUsages: [usages.codeSigning],
    validityDays: 365,
    isSubjectSupplied: false,
    needsApproval: true,
    weight: 3,
    flags: { enrollment: 0x2a, privateKey: 0x1010010, general: 0x20220 },
  },
  {
    name: "Machine",
    identifier: "Machine",
    enrollees: "machine",
    keyKind: "rsa",
    keyUsages: signingAndExchange,
    extendedKeyUsages: [usages.clientAuth, usages.serverAuth],
    validityDays: 365,
    isSubjectSupplied: false,
    needsApproval: false,
    weight: 12,
    flags: { enrollment: 0x20, privateKey: 0, general: 0x10060 },
  },
  {
    name: "User",
    identifier: "User",
    enrollees: "user",
    keyKind: "rsa",
    keyUsages: signingAndExchange,
    extendedKeyUsages: [usages.encryptingFileSystem, usages.emailProtection, usages.clientAuth],
    validityDays: 365,
    isSubjectSupplied: false,
    needsApproval: false,
    weight: 10,
    flags: { enrollment: 0x29, privateKey: 0x10, general: 0x1023a },
  },
  {
    name: "IPSECIntermediateOffline",
    identifier: "IPSECIntermediateOffline",
    enrollees: "service",
    keyKind: "rsa",
    keyUsages: signingAndExchange,
    extendedKeyUsages: [usages.ipsecIntermediate],
    validityDays: 730,
    isSubjectSupplied: true,
    needsApproval: false,
    weight: 5,
    flags: { enrollment: 0, privateKey: 0, general: 0x10041 },
  },
];
