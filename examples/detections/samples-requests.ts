import {
  alice,
  clientAuth,
  requestAgent,
  type SamplesByRule,
  sample,
  serverAuth,
  smartCardLogon,
} from "./sample.ts";

const denied = { ...alice, decision: "denied" } as const;

/** Samples of the rules about who asked, and how the CA decided. */
export const requestSamples: SamplesByRule = {
  "esc3-agent": [
    sample("a new agent", ["esc3-agent"], { ...alice, purposes: [requestAgent] }),
    sample("near miss: a known agent", [], {
      requester: "CORP\\smartcard.desk",
      upn: ["smartcard.desk@corp.example"],
      purposes: [requestAgent],
    }),
    sample("near miss: smart card logon", [], { ...alice, purposes: [smartCardLogon] }),
  ],
  "esc3-on-behalf": [
    sample("by the flag of the request", ["esc3-on-behalf"], {
      ...alice,
      caller: "CORP\\mallory",
      requestFlags: 0x10,
    }),
    sample("by the policies of the signer", ["esc3-on-behalf"], {
      ...alice,
      caller: "CORP\\mallory",
      signerPolicies: `1.3.6.1.5.5.7.3.2,${requestAgent}`,
    }),
    sample("near miss: a known agent", [], {
      ...alice,
      caller: "CORP\\Smartcard.Desk",
      requestFlags: 0x10,
    }),
    sample("near miss: a renewal that the own certificate signed", [], {
      ...alice,
      caller: "CORP\\ALICE",
      signerPolicies: requestAgent,
    }),
    sample("near miss: a signer with a longer OID", [], {
      ...alice,
      caller: "CORP\\mallory",
      signerPolicies: `${requestAgent}0\n1.${requestAgent}`,
    }),
    sample("near miss: another flag", [], {
      ...alice,
      caller: "CORP\\mallory",
      requestFlags: 0x20,
    }),
  ],
  esc4: [
    sample("another purpose", ["esc4"], alice, { ...alice, purposes: [clientAuth, serverAuth] }),
    sample("another version", ["esc4"], alice, {
      ...alice,
      template: { oid: "1.3.6.1.4.1.311.21.8.7", major: 100, minor: 6 },
    }),
    sample("approval no longer needed", ["esc4"], { ...alice, enrollmentFlags: 0x2b }, alice),
    sample("near miss: the same template", [], alice, {
      ...alice,
      requester: "CORP\\bob",
      upn: ["bob@corp.example"],
      sid: "S-1-5-21-1-2-3-1105",
    }),
    sample("near miss: another template", [], alice, {
      ...alice,
      template: { oid: "1.3.6.1.4.1.311.21.8.8", major: 3, minor: 1 },
      purposes: [smartCardLogon],
    }),
  ],
  esc7: [
    sample("issued after it was denied", ["esc7"], { ...alice, decision: "denied" }, alice),
    sample("issued after it had failed", ["esc7"], { ...alice, decision: "failed" }, alice),
    sample(
      "denied, then resubmitted to wait",
      ["esc7"],
      { ...alice, decision: "denied" },
      { ...alice, decision: "pending" },
      alice,
    ),
    sample("near miss: denied again", [], denied, denied),
    sample("the requester decided", ["esc7"], {
      ...alice,
      message: "Resubmitted by CORP\\Alice\n",
    }),
    sample(
      "near miss: a manager issued what was waiting",
      [],
      { ...alice, decision: "pending" },
      { ...alice, message: "Resubmitted by CORP\\pki.manager\n" },
    ),
    sample(
      "near miss: another request was denied",
      [],
      { ...alice, decision: "denied" },
      {
        ...alice,
        requestId: 4711,
      },
    ),
    sample("near miss: a manager whose name begins in the same way", [], {
      ...alice,
      message: "Resubmitted by CORP\\alice.admin\n",
    }),
  ],
};
