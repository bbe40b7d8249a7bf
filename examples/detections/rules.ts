import type { Fields, Rule } from "./rule.ts";

const schemaOf = (kind: string) => `urn:certwire:schema:${kind}:v1`;
const issued: Fields = { dataschema: schemaOf("certificate.issued") };
const decided: Fields = {
  dataschema: ["certificate.issued", "request.denied", "request.failed"].map(schemaOf),
};
const received: Fields = {
  dataschema: ["certificate.issued", "request.pending", "request.denied", "request.failed"].map(
    schemaOf,
  ),
};

/** Key purposes with which Active Directory accepts a certificate as a logon. */
const logonPurposes = [
  "1.3.6.1.5.5.7.3.2", // client authentication
  "1.3.6.1.4.1.311.20.2.2", // smart card logon
  "1.3.6.1.5.2.3.4", // PKINIT client
  "2.5.29.37.0", // any purpose
];
const purposes = "data.certificate.extendedKeyUsage.oid";
const hasCertificate: Fields = { "data.certificate.fingerprints.sha256|exists": true };
/** No purpose at all is every purpose. One that cannot be read is a problem of the event, not none. */
const noPurpose: Fields = { ...hasCertificate, "data.certificate.extendedKeyUsage": null };
const brokenPurpose: Fields = { "data.problems.property|startswith": "certificate.2.5.29.37" };
const logon: Fields = { [purposes]: logonPurposes };
/** Selections and condition of a certificate that can log on. */
const canLogOn = { logon, noPurpose, brokenPurpose };
const canLogOnIf = "(logon or (noPurpose and not brokenPurpose))";

const requestAgent = "1.3.6.1.4.1.311.20.2.1";
const onBehalf: readonly Fields[] = [
  { "data.request.requestFlags": "enrollOnBehalfOf" },
  {
    "data.request.signerApplicationPolicies|re":
      "(^|[^0-9.])1\\.3\\.6\\.1\\.4\\.1\\.311\\.20\\.2\\.1([^0-9.]|$)",
  },
];

/** The account asked for itself: also what it signed as an enrolment agent must be checked as its own request. */
const self: Fields = { "data.request.callerName|fieldref": "data.request.requesterName" };

const theft = ["attack.credential-access", "attack.t1649"] as const;
const escalation = [...theft, "attack.privilege-escalation"] as const;

/** The detections. `facts.` are members that `facts.ts` adds to the event. */
export const rules: readonly Rule[] = [
  {
    id: "esc1",
    sigmaId: "f4f20062-49cd-4cb0-a7c8-897eb852d356",
    title: "Logon certificate with the name of somebody else",
    description:
      "ESC1: a certificate that Active Directory accepts as a logon holds a user principal name, host name or SID that is not the requester's, and the CA did not take the SID from the directory. Not seen when the foreign name looks like the requester's own.",
    certainty: "effect",
    level: "high",
    tags: escalation,
    falsePositives: [
      "Accounts whose user principal name is not their account name: name them in `upns`",
      "Services that enrol for devices (NDES, MDM): name them in `enrolment_services`",
      "Domain controllers, which have the names of their domain: name them in `domain_controller_accounts`",
    ],
    detection: {
      selections: {
        issued,
        ...canLogOn,
        foreign: { "facts.foreignNames": ["upn", "dns", "subdomain", "sid"] },
        fromDirectory: { "facts.sidOrigin": "policy" },
        onBehalf,
        self,
        service: { "data.request.requesterName|expand": "%enrolment_services%" },
      },
      condition: `issued and ${canLogOnIf} and foreign and not fromDirectory and not (onBehalf and not self) and not service`,
    },
  },
  {
    id: "esc2",
    sigmaId: "9b6b4d1d-06fe-45a5-8332-2556cc476edb",
    title: "Certificate for any purpose",
    description:
      "ESC2: the certificate has the purpose anyExtendedKeyUsage, or none at all, and is not that of a subordinate CA from a template in `subca_templates`.",
    certainty: "exact",
    level: "high",
    tags: escalation,
    falsePositives: [
      "Subordinate CAs whose template is not in `subca_templates`",
      "Templates that allow any purpose deliberately",
    ],
    detection: {
      selections: {
        issued,
        anyPurpose: { [purposes]: "2.5.29.37.0" },
        noPurpose,
        brokenPurpose,
        subordinateCa: [
          {
            "data.certificate.basicConstraints.ca": true,
            "data.certificate.template.name|expand": "%subca_templates%",
          },
          {
            "data.certificate.basicConstraints.ca": true,
            "data.certificate.template.oid|expand": "%subca_templates%",
          },
        ],
      },
      condition:
        "issued and (anyPurpose or (noPurpose and not brokenPurpose and not subordinateCa))",
    },
  },
  {
    id: "esc3-agent",
    sigmaId: "bcdd0116-c08f-4458-b183-431d57853e62",
    title: "Certificate of an enrolment agent",
    description:
      "ESC3, first step: a certificate with which its owner can request certificates for others went to an account that is not in `enrolment_agents`.",
    certainty: "exact",
    level: "medium",
    tags: escalation,
    falsePositives: ["Agents that are not in `enrolment_agents`"],
    detection: {
      selections: {
        issued,
        agent: { [purposes]: requestAgent },
        known: { "data.request.requesterName|expand": "%enrolment_agents%" },
      },
      condition: "issued and agent and not known",
    },
  },
  {
    id: "esc3-on-behalf",
    sigmaId: "bc11d983-36cf-4790-a687-ba66f9a16e10",
    title: "Certificate that an unknown agent requested for somebody else",
    description:
      "ESC3, second step: a certificate was requested on behalf of another account, and the caller is not in `enrolment_agents`.",
    certainty: "exact",
    level: "high",
    tags: escalation,
    falsePositives: ["Agents that are not in `enrolment_agents`"],
    detection: {
      selections: {
        issued,
        onBehalf,
        self,
        known: { "data.request.callerName|expand": "%enrolment_agents%" },
      },
      condition: "issued and onBehalf and not self and not known",
    },
  },
  {
    id: "esc4",
    sigmaId: "5b25e9f7-e3b3-49d5-89b2-049e70ac19f6",
    title: "Template is not what it was",
    description:
      "ESC4: version, key purposes or flags differ from the last certificate of the same template. Who changed it, the directory's audit log says (4899, 5136). Not seen are changes before the next certificate that are undone, and permissions.",
    certainty: "partly",
    level: "medium",
    tags: [...theft, "attack.persistence"],
    falsePositives: [
      "Planned changes of a template, and the first certificate after one is undone",
    ],
    detection: {
      selections: { issued, changed: { "facts.templateChanges|exists": true } },
      condition: "issued and changed",
    },
  },
  {
    id: "esc6",
    sigmaId: "281c9110-def6-4863-8ed6-f35d6f9624fd",
    title: "Names of a request attribute in a certificate",
    description:
      "ESC6: the CA took alternative names from the request attribute SAN (EDITF_ATTRIBUTESUBJECTALTNAME2), whatever the template says.",
    certainty: "exact",
    level: "high",
    tags: escalation,
    falsePositives: ["Requesters that repeat in the attribute what the certificate has anyway"],
    detection: {
      selections: { issued, used: { "facts.sanAttribute": "used" } },
      condition: "issued and used",
    },
  },
  {
    id: "esc6-attempt",
    sigmaId: "e92b55cd-e29b-4bf6-a38a-6b16c5702a00",
    title: "Request attribute with names that the CA did not take",
    description:
      "ESC6: a request came with the attribute SAN, and no certificate with one of its names was issued for it.",
    certainty: "exact",
    level: "low",
    tags: theft,
    falsePositives: ["Scripts from the time when this was the usual way to request a name"],
    detection: {
      selections: { decided, unused: { "facts.sanAttribute": "unused" } },
      condition: "decided and unused",
    },
  },
  {
    id: "esc7",
    sigmaId: "27dde898-fbf3-4dcb-abb5-9e5be2272c1b",
    title: "Request issued after the CA had refused it, or by the requester",
    description:
      "ESC7: somebody with rights on the CA issued a request that had been denied or had failed, or decided about the own request. Other uses of such rights need the CA's audit log (4882, 4890, 4892).",
    certainty: "partly",
    level: "high",
    tags: escalation,
    falsePositives: ["A CA manager who corrects a mistake, or tries out a template"],
    detection: {
      selections: {
        issued,
        refused: { "facts.earlierDecision": ["denied", "failed"] },
        byRequester: { "facts.decidedByRequester": true },
      },
      condition: "issued and (refused or byRequester)",
    },
  },
  {
    id: "esc9",
    sigmaId: "c4d455e7-d08c-4e62-b12d-ebd9cbc1f538",
    title: "Logon certificate from a template without the security extension",
    description:
      "ESC9: the template has CT_FLAG_NO_SECURITY_EXTENSION (0x80000), so nothing binds the certificate to the SID of its account.",
    certainty: "exact",
    level: "high",
    tags: escalation,
    falsePositives: [
      "Templates that have the flag deliberately, for instance for devices outside the domain",
    ],
    detection: {
      selections: {
        issued,
        ...canLogOn,
        flag: { "data.certificateProperties.enrollmentFlags": "noSecurityExtension" },
      },
      condition: `issued and ${canLogOnIf} and flag`,
    },
  },
  {
    id: "esc10",
    sigmaId: "89264acf-6e84-4c6c-b442-b702b509fa1a",
    title: "Logon certificate whose principal name is not its account's",
    description:
      "ESC10: the CA took both from the directory, the SID of the requester and a principal name that belongs to another account. A domain controller that maps by name takes the owner for that account.",
    certainty: "effect",
    level: "high",
    tags: escalation,
    falsePositives: [
      "Accounts whose user principal name is not their account name: name them in `upns`",
    ],
    detection: {
      selections: {
        issued,
        ...canLogOn,
        foreign: { "facts.foreignNames": "upn" },
        fromDirectory: { "facts.sidOrigin": "policy" },
        attribute: { "facts.sanAttribute": "used" },
        onBehalf,
        self,
      },
      condition: `issued and ${canLogOnIf} and foreign and fromDirectory and not attribute and not (onBehalf and not self)`,
    },
  },
  {
    id: "esc13",
    sigmaId: "54aa11d8-d1bf-4997-b3d0-5311e163d512",
    title: "Certificate with the rights of a group of which the requester is not a member",
    description:
      "ESC13: an issuance policy of the certificate is linked to a group (msDS-OIDToGroupLink), and the requester is not one of its members. Evaluated for each entry of `linked_policies`; with Sigma, make a copy for each.",
    certainty: "exact",
    level: "high",
    tags: escalation,
    falsePositives: ["Members who joined the group after the list was made"],
    forEach: "linked_policies",
    detection: {
      selections: {
        issued,
        linked: { "data.certificate.certificatePolicies|expand": "%linked_policy%" },
        member: { "data.request.requesterName|expand": "%linked_policy_members%" },
      },
      condition: "issued and linked and not member",
    },
  },
  {
    id: "esc15",
    sigmaId: "ed164281-bfa8-45fd-a688-8aaa2e54487d",
    title: "Application policies with a version 1 template",
    description:
      "ESC15 (CVE-2024-49019): only a requester can ask for application policies with a version 1 template, and Windows reads them before the key purposes.",
    certainty: "exact",
    level: "high",
    tags: [...escalation, "cve.2024-49019"],
    falsePositives: [
      "A CA with the update of November 2024 may leave them out: then it was an attempt",
    ],
    detection: {
      selections: {
        issued,
        versionOne: {
          "data.certificate.template.name|exists": true,
          "data.certificate.template.oid": null,
        },
        policies: [
          { "data.extensions.oid": "1.3.6.1.4.1.311.21.10" },
          { "data.attributes.name": "ApplicationPolicies" },
        ],
      },
      condition: "issued and versionOne and policies",
    },
  },
  {
    id: "esc16",
    sigmaId: "e38454b4-d647-4ee0-8488-50eda28b4c97",
    title: "The CA left out the security extension",
    description:
      "ESC16: the last certificate of the template had the SID of its account, this one has not, and the template has no flag that says so. With DisableExtensionList the CA leaves it out for all templates. Once for each template.",
    certainty: "effect",
    level: "high",
    tags: escalation,
    falsePositives: ["A template that was changed so that the requester supplies the subject"],
    detection: {
      selections: {
        issued,
        ...canLogOn,
        without: { "data.certificate.sid": null },
        before: { "facts.templateHadSid": true },
        flag: { "data.certificateProperties.enrollmentFlags": "noSecurityExtension" },
      },
      condition: `issued and ${canLogOnIf} and without and before and not flag`,
    },
  },
  {
    id: "esc17",
    sigmaId: "249eb962-f12a-4333-9b6f-4ee4a2ee2070",
    title: "Server certificate for another's host",
    description:
      "ESC17: a certificate for servers names a host that is not the requester's, who is not in `web_teams`. It can take the place of that host in a connection.",
    certainty: "effect",
    level: "medium",
    tags: ["attack.credential-access", "attack.t1557", "attack.t1649"],
    falsePositives: ["Owners of hosts who are not in `web_teams`"],
    needs: ["web_teams"],
    detection: {
      selections: {
        issued,
        server: { [purposes]: "1.3.6.1.5.5.7.3.1" },
        foreign: { "facts.foreignNames": "dns" },
        team: { "data.request.requesterName|expand": "%web_teams%" },
      },
      condition: "issued and server and foreign and not team",
    },
  },
  {
    id: "certighost",
    sigmaId: "fa73342f-05d7-4171-93d3-b43f20fa81a2",
    title: "Machine certificate with the name of another machine in rmd",
    description:
      "CVE-2026-54121: a machine sent the request attribute rmd with the name of another machine, and that name stands in the certificate.",
    certainty: "exact",
    level: "critical",
    tags: [...escalation, "attack.t1068", "cve.2026-54121"],
    falsePositives: ["None known. A machine that names itself, as ConfigMgr does, raises no alarm"],
    detection: {
      selections: {
        issued,
        foreign: { "facts.foreignRmd|exists": true },
      },
      condition: "issued and foreign",
    },
  },
  {
    id: "certighost-cdc",
    sigmaId: "b0a97f5b-b918-4757-b8e0-55230ae7d9c5",
    title: "Request that sends the CA to a host that is not a domain controller",
    description:
      "CVE-2026-54121: the request attribute cdc makes the CA ask a host that is not in `domain_controllers`.",
    certainty: "exact",
    level: "critical",
    tags: [...escalation, "attack.t1068", "cve.2026-54121"],
    falsePositives: ["Domain controllers that are not in `domain_controllers` yet"],
    needs: ["domain_controllers"],
    detection: {
      selections: {
        received,
        foreign: { "facts.foreignCdc|exists": true },
      },
      condition: "received and foreign",
    },
  },
  {
    id: "certighost-dc",
    sigmaId: "fe4168a1-5bdd-49df-b686-1a11776b7157",
    title: "Certificate of a domain controller for somebody else",
    description:
      "CVE-2026-54121, in any form: a certificate has the DNS name or SID of a domain controller, and the requester is not one.",
    certainty: "exact",
    level: "critical",
    tags: [...escalation, "attack.t1068", "cve.2026-54121"],
    falsePositives: ["Domain controllers whose account is not in `domain_controller_accounts` yet"],
    needs: ["domain_controllers", "domain_controller_accounts"],
    detection: {
      selections: {
        issued,
        names: [
          {
            "data.certificate.subjectAlternativeNames.dns|expand": "%domain_controllers%",
          },
          { "data.certificate.sid|expand": "%domain_controller_sids%" },
        ],
        controller: { "data.request.requesterName|expand": "%domain_controller_accounts%" },
      },
      condition: "issued and names and not controller",
    },
  },
];
