import {
  alice,
  clientAuth,
  machine,
  requestAgent,
  type SamplesByRule,
  sample,
  serverAuth,
} from "./sample.ts";

/** Samples of the rules about names in certificates. */
export const nameSamples: SamplesByRule = {
  esc1: [
    sample("a user's certificate for the administrator", ["esc1"], {
      requester: "CORP\\alice",
      upn: ["administrator@corp.example"],
    }),
    sample("with a foreign SID that only a URI has", ["esc1"], alice, {
      requester: "CORP\\alice",
      upn: ["alice@corp.example"],
      uri: ["tag:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-500"],
    }),
    sample("of a machine for another host", ["esc1"], {
      ...machine,
      sid: undefined,
      purposes: [clientAuth],
      dns: ["ws-1172.corp.example", "file1.corp.example"],
    }),
    sample("of a machine with the name of a user, for that user", ["esc1"], {
      requester: "CORP\\Administrator$",
      upn: ["administrator@corp.example"],
    }),
    sample("of a user with the name of a machine, for that machine", ["esc1"], {
      requester: "CORP\\dc1",
      upn: ["dc1$@corp.example"],
    }),
    sample("of a machine for the parent of a host of its own", ["esc1"], {
      ...machine,
      sid: undefined,
      purposes: [clientAuth],
      dns: ["ws-1172.srv9.corp.example", "srv9.corp.example"],
    }),
    sample("for a host below the own one", ["esc1"], {
      ...machine,
      sid: undefined,
      purposes: [clientAuth],
      dns: ["ws-1172.corp.example", "dc1.ws-1172.corp.example"],
    }),
    sample("with the SID of another account than before", ["esc1"], alice, {
      ...alice,
      sid: "S-1-5-21-1-2-3-500",
      sidOrigin: "request",
    }),
    sample("without any purpose", ["esc1", "esc2"], {
      requester: "CORP\\alice",
      upn: ["administrator@corp.example"],
      purposes: [],
    }),
    sample("submitted by another account that is not an agent", ["esc1"], {
      requester: "CORP\\alice",
      caller: "CORP\\WEB1$",
      upn: ["administrator@corp.example"],
    }),
    sample("by an agent for itself", ["esc1"], {
      requester: "CORP\\alice",
      caller: "CORP\\Alice",
      signerPolicies: requestAgent,
      upn: ["administrator@corp.example"],
    }),
    sample("near miss: the directory has that name, which is ESC10", ["esc10"], {
      ...alice,
      upn: ["administrator"],
    }),
    sample("near miss: the own name in another case", [], {
      requester: "CORP\\Alice",
      upn: ["ALICE@corp.example"],
    }),
    sample("near miss: no purpose with which anybody can log on", [], {
      requester: "CORP\\alice",
      upn: ["administrator@corp.example"],
      purposes: ["1.3.6.1.5.5.7.3.4"],
    }),
    sample("near miss: a name that the settings know", [], {
      requester: "CORP\\asmith",
      upn: ["Anna.Smith@corp.example"],
    }),
    sample("near miss: a name that the settings know, of an account in another case", [], {
      requester: "Corp\\ASmith",
      upn: ["anna.smith@corp.example"],
    }),
    sample("near miss: a known service that enrols for devices", [], {
      requester: "CORP\\NDES1$",
      dns: ["phone7.corp.example"],
    }),
    sample("near miss: a domain controller with the names of its domain", [], {
      requester: "CORP\\DC1$",
      dns: ["DC1.corp.example", "corp.example", "CORP"],
      purposes: [clientAuth, serverAuth],
    }),
    sample("near miss: a machine whose name Windows cut to 15 characters", [], {
      requester: "CORP\\PRINTSERVER-BER$",
      dns: ["printserver-berlin.corp.example"],
    }),
    sample("near miss: the own name of a machine as a principal name", [], {
      requester: "CORP\\WS-1172$",
      upn: ["ws-1172$@corp.example"],
    }),
    sample("near miss: purposes that cannot be read", [], {
      requester: "CORP\\alice",
      upn: ["administrator@corp.example"],
      purposes: "broken",
    }),
    sample("near miss: a known agent asked for it", [], {
      requester: "CORP\\alice",
      caller: "CORP\\smartcard.desk",
      requestFlags: 0x10,
      upn: ["alice.adm@corp.example"],
    }),
    sample("near miss: refused", [], {
      requester: "CORP\\alice",
      upn: ["administrator@corp.example"],
      decision: "denied",
    }),
  ],
  esc6: [
    sample("the name of the attribute is in the certificate", ["esc1", "esc6"], {
      requester: "CORP\\alice",
      upn: ["administrator@corp.example"],
      attributes: [["san", "upn=Administrator@corp.example&dns=x.corp.example"]],
    }),
    sample("near miss: an attribute with another name", [], {
      ...alice,
      attributes: [["sanitized", "upn=alice@corp.example"]],
    }),
    sample("near miss: no attribute", [], alice),
  ],
  "esc6-attempt": [
    sample("the CA did not take the name", ["esc6-attempt"], {
      ...alice,
      attributes: [["SAN", "upn=administrator@corp.example"]],
    }),
    sample("the CA refused the request", ["esc6-attempt"], {
      ...alice,
      decision: "denied",
      attributes: [["SAN", "upn=administrator@corp.example"]],
    }),
    sample("near miss: an empty value", [], { ...alice, attributes: [["SAN", ""]] }),
  ],
  esc10: [
    sample("the administrator's name with the requester's SID", ["esc10"], {
      ...alice,
      upn: ["administrator"],
    }),
    sample("without any purpose", ["esc2", "esc10"], {
      ...alice,
      upn: ["administrator"],
      purposes: [],
    }),
    sample("submitted by another account that is not an agent", ["esc10"], {
      ...alice,
      caller: "CORP\\WEB1$",
      upn: ["administrator"],
    }),
    sample("by an agent for itself", ["esc10"], {
      ...alice,
      requestFlags: 0x10,
      upn: ["administrator"],
    }),
    sample("near miss: purposes that cannot be read", [], {
      ...alice,
      upn: ["administrator"],
      purposes: "broken",
    }),
    sample("near miss: a known agent asked for it", [], {
      ...alice,
      caller: "CORP\\smartcard.desk",
      requestFlags: 0x10,
      upn: ["alice.adm@corp.example"],
    }),
    sample("near miss: the requester supplied the name, which is ESC1", ["esc1"], {
      ...alice,
      sid: undefined,
      upn: ["administrator"],
    }),
    sample("near miss: the name of a request attribute, which is ESC6", ["esc6"], {
      ...alice,
      upn: ["administrator@corp.example"],
      attributes: [["SAN", "upn=administrator@corp.example"]],
    }),
    sample("near miss: the own name", [], alice),
    sample("near miss: a name that the settings know", [], {
      ...alice,
      requester: "CORP\\asmith",
      upn: ["anna.smith@corp.example"],
    }),
    sample("near miss: no logon", [], {
      ...alice,
      upn: ["administrator"],
      purposes: ["1.3.6.1.5.5.7.3.4"],
    }),
  ],
  esc17: [
    sample("another host", ["esc17"], {
      requester: "CORP\\alice",
      dns: ["pay.corp.example"],
      purposes: [serverAuth],
    }),
    sample("a machine with its own and another host", ["esc17"], {
      ...machine,
      dns: ["ws-1172.corp.example", "pay.corp.example"],
      purposes: [serverAuth],
    }),
    sample("a machine with its own host and the parent of it", ["esc17"], {
      ...machine,
      dns: ["ws-1172.pay.corp.example", "pay.corp.example"],
      purposes: [serverAuth],
    }),
    sample("near miss: a domain controller with the names of its domain", [], {
      requester: "CORP\\dc1$",
      dns: ["dc1.corp.example", "corp.example", "corp"],
      purposes: [serverAuth],
    }),
    sample("near miss: not for servers", [], {
      requester: "CORP\\alice",
      dns: ["pay.corp.example"],
      purposes: ["1.3.6.1.5.5.7.3.4"],
    }),
    sample("near miss: the web team", [], {
      requester: "CORP\\Web.Team",
      dns: ["pay.corp.example"],
      purposes: [serverAuth],
    }),
    sample("near miss: a host below the own one", [], {
      ...machine,
      dns: ["ws-1172.corp.example", "www.ws-1172.corp.example"],
      purposes: [serverAuth],
    }),
  ],
};
