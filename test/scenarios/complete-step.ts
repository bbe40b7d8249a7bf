import type { ScenarioProperties, ScenarioStep, ScenarioValue } from "./format.ts";

/** Property names of the CA's interface, by what they hold. */
const requestNames = {
  long: [
    "RequestType",
    "RequestFlags",
    "StatusCode",
    "Disposition",
    "Officer",
    "CRLPartitionIndex",
  ],
  date: ["SubmittedWhen", "ResolvedWhen"],
  string: [
    "KeyRecoveryHashes",
    "RequestAttributes",
    "DispositionMessage",
    "RequesterName",
    "CallerName",
    "SignerPolicies",
    "SignerApplicationPolicies",
    "DistinguishedName",
    "EndorsementKeyHash",
    "EndorsementCertificateHash",
    "RequesterNameFromOldCertificate",
  ],
  binary: [
    "RawRequest",
    "RawOldCertificate",
    "RawName",
    "AttestationChallenge",
    "RawPrecertificate",
    "LinterCertificate",
    "RawCACertificate",
  ],
} as const;

const certificateNames = {
  long: [
    "EnrollmentFlags",
    "GeneralFlags",
    "PrivatekeyFlags",
    "IssuerNameID",
    "PublicKeyLength",
    "PublishExpiredCertInCRL",
  ],
  date: ["NotBefore", "NotAfter"],
  string: [
    "CertificateHash",
    "CertificateTemplate",
    "SerialNumber",
    "SubjectKeyIdentifier",
    "PublicKeyAlgorithm",
    "UPN",
    "DistinguishedName",
  ],
  binary: ["RawCertificate", "RawPublicKey", "RawPublicKeyAlgorithmParameters", "RawName"],
} as const;

const nameParts = [
  "CommonName",
  "Country",
  "DeviceSerialNumber",
  "DomainComponent",
  "EMail",
  "GivenName",
  "Initials",
  "Locality",
  "Organization",
  "OrgUnit",
  "State",
  "StreetAddress",
  "SurName",
  "Title",
  "UnstructuredAddress",
  "UnstructuredName",
];

/** A step in which every property of a request and of its certificate has a value of its own. */
export function completeStep(number: number): ScenarioStep {
  const id = { long: 70_000 + number };
  return {
    event: 1,
    context: 800_000 + number,
    chain: `complete ${number}`,
    request: { RequestID: id, ...propertiesOf(requestNames, "request"), ...revocation },
    certificate: { RequestID: id, ...propertiesOf(certificateNames, "certificate") },
    ca: {
      RequesterCAAccess: { long: 0x200 },
      UserDN: { string: "CN=Zoë,DC=corp,DC=example" },
      KeyArchived: { long: 1 },
    },
    attributes: [
      ["CertificateTemplate", { string: "Machine" }],
      ["ccm", { string: "ws-1172.corp.example" }],
    ],
    extensions: [
      ["2.5.29.15", 0x20001, { binary: Buffer.from("030205a0", "hex").toString("base64") }],
      ["2.5.29.37", 0x20002, { binary: "MAA=" }],
    ],
  };
}

const revocation: ScenarioProperties = {
  RevokedReason: { long: 4 },
  RevokedWhen: { date: 46_100.25 },
  RevokedEffectiveWhen: { date: 46_100.125 },
};

function propertiesOf(
  names: Readonly<Record<"long" | "date" | "string" | "binary", readonly string[]>>,
  label: string,
): ScenarioProperties {
  const text = (name: string): ScenarioValue => ({ string: `${label} ${name} ü\n` });
  return {
    ...valuesOf(names.long, (_, index) => ({ long: (index + 1) * -1_000_003 })),
    ...valuesOf(names.date, (_, index) => ({ date: 46_000.123_456_789 + index })),
    ...valuesOf([...names.string, ...nameParts], text),
    ...valuesOf(names.binary, (name) => ({
      binary: Buffer.from(`\0${label} ${name}`).toString("base64"),
    })),
  };
}

function valuesOf(
  names: readonly string[],
  make: (name: string, index: number) => ScenarioValue,
): ScenarioProperties {
  return Object.fromEntries(names.map((name, index) => [name, make(name, index)]));
}
