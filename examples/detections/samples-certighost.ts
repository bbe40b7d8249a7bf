import { alice, clientAuth, machine, type SamplesByRule, sample } from "./sample.ts";

/** Samples of the rules about CVE-2026-54121. */
export const certighostSamples: SamplesByRule = {
  certighost: [
    sample("the name of a domain controller", ["esc17", "certighost", "certighost-dc"], {
      ...machine,
      dns: ["dc1.corp.example"],
      sid: "S-1-5-21-1-2-3-1000",
      attributes: [["rmd", "DC1.corp.example"]],
    }),
    sample("the name of another machine", ["certighost"], {
      ...machine,
      purposes: [clientAuth],
      dns: ["file1.corp.example"],
      attributes: [["RMD", "file1.corp.example"]],
    }),
    sample("near miss: a machine that names itself, as ConfigMgr does", [], {
      ...machine,
      attributes: [
        ["ccm", "cm1.corp.example"],
        ["cdc", "DC1.corp.example"],
        ["rmd", "WS-1172.corp.example"],
      ],
    }),
    sample("near miss: another machine in rmd that is not in the certificate", [], {
      ...machine,
      attributes: [["rmd", "file1.corp.example"]],
    }),
    sample("near miss: a user's request names the machine that it came from", [], {
      ...alice,
      attributes: [["rmd", "ws-1172.corp.example"]],
    }),
    sample("near miss: a machine whose name Windows cut to 15 characters", [], {
      requester: "CORP\\PRINTSERVER-BER$",
      dns: ["printserver-berlin.corp.example"],
      attributes: [["rmd", "printserver-berlin.corp.example"]],
    }),
  ],
  "certighost-cdc": [
    sample("a host that is not a domain controller", ["certighost-cdc"], {
      ...machine,
      attributes: [["cdc", "evil.corp.example"]],
    }),
    sample("in a request that was refused", ["certighost-cdc"], {
      ...machine,
      decision: "denied",
      attributes: [["CDC", "10.1.2.3"]],
    }),
    sample("beside a domain controller", ["certighost-cdc"], {
      ...machine,
      attributes: [
        ["cdc", "DC1.corp.example"],
        ["cdc", "evil.corp.example"],
      ],
    }),
    sample("near miss: no domain controller is named", [], machine),
    sample("near miss: a domain controller in another case", [], {
      ...machine,
      attributes: [["cdc", "dc2.CORP.example"]],
    }),
  ],
  "certighost-dc": [
    sample("the DNS name", ["certighost-dc"], {
      ...machine,
      purposes: [clientAuth],
      dns: ["DC2.corp.example"],
    }),
    sample("the SID", ["certighost-dc"], { ...machine, sid: "S-1-5-21-1-2-3-1000" }),
    sample("near miss: the domain controller itself", [], {
      ...machine,
      requester: "CORP\\dc1$",
      dns: ["dc1.corp.example"],
      sid: "S-1-5-21-1-2-3-1000",
    }),
    sample("near miss: a name that ends in the same way", [], {
      ...machine,
      requester: "CORP\\XDC1$",
      dns: ["xdc1.corp.example"],
    }),
  ],
};
