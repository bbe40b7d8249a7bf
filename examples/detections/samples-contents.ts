import {
  alice,
  anyPurpose,
  clientAuth,
  linkedPolicy,
  machine,
  otherPolicy,
  type SamplesByRule,
  sample,
  serverAuth,
} from "./sample.ts";

/** Samples of the rules about what else a certificate has. */
export const contentSamples: SamplesByRule = {
  esc2: [
    sample("any purpose", ["esc2"], { ...alice, purposes: [anyPurpose] }),
    sample("no purpose", ["esc2"], { ...alice, purposes: [] }),
    sample("a CA from a template that is not known", ["esc2"], {
      ...machine,
      template: { name: "User" },
      purposes: [],
      isCa: true,
    }),
    sample("near miss: a subordinate CA", [], {
      ...machine,
      template: { name: "SubCA" },
      purposes: [],
      isCa: true,
    }),
    sample("near miss: a purpose that begins in the same way", [], {
      ...alice,
      purposes: [`${anyPurpose}.1`],
    }),
    sample("near miss: purposes that cannot be read", [], { ...alice, purposes: "broken" }),
  ],
  esc9: [
    sample("the flag of the published row 0x80029", ["esc9"], {
      ...alice,
      sid: undefined,
      enrollmentFlags: 0x80029,
    }),
    sample("without any purpose", ["esc2", "esc9"], {
      ...alice,
      sid: undefined,
      purposes: [],
      enrollmentFlags: 0x80029,
    }),
    sample("near miss: purposes that cannot be read", [], {
      ...alice,
      sid: undefined,
      enrollmentFlags: 0x80029,
      purposes: "broken",
    }),
    sample("near miss: the flag below it", [], { ...alice, enrollmentFlags: 0x40029 }),
    sample("near miss: no logon", [], {
      ...machine,
      sid: undefined,
      purposes: [serverAuth],
      enrollmentFlags: 0x80020,
    }),
  ],
  esc13: [
    sample("a linked policy", ["esc13"], { ...alice, policies: [otherPolicy, linkedPolicy] }),
    sample("near miss: a member of the group", [], {
      requester: "CORP\\tier0.admin",
      upn: ["tier0.admin@corp.example"],
      policies: [linkedPolicy],
    }),
    sample("near miss: a member of the other policy's group", [], {
      ...alice,
      policies: ["1.2.3.4"],
    }),
    sample("near miss: a policy with a longer OID", [], { ...alice, policies: [otherPolicy] }),
  ],
  esc15: [
    sample("application policies in the certificate", ["esc15"], {
      ...machine,
      purposes: [serverAuth],
      template: { name: "WebServer" },
      applicationPolicies: [clientAuth],
    }),
    sample("as a request attribute", ["esc15"], {
      ...machine,
      purposes: [serverAuth],
      template: { name: "WebServer" },
      attributes: [["applicationpolicies", clientAuth]],
    }),
    sample("near miss: a later template", [], { ...machine, applicationPolicies: [clientAuth] }),
    sample("near miss: version 1 without them", [], {
      ...machine,
      purposes: [serverAuth],
      template: { name: "WebServer" },
    }),
  ],
  esc16: [
    sample("the SID is gone", ["esc16"], alice, { ...alice, sid: undefined }),
    sample(
      "near miss: there never was one",
      [],
      { ...alice, sid: undefined },
      {
        ...alice,
        sid: undefined,
      },
    ),
    sample(
      "near miss: the SID before was one that the requester supplied",
      [],
      { ...alice, sidOrigin: "request" },
      { ...alice, sid: undefined },
    ),
    sample("near miss: it is still there", [], alice, alice),
    sample("near miss: another template", [], alice, {
      ...alice,
      template: { name: "User" },
      sid: undefined,
    }),
    sample(
      "near miss: it was said once",
      [],
      alice,
      { ...alice, sid: undefined },
      {
        ...alice,
        sid: undefined,
      },
    ),
    sample(
      "without any purpose",
      ["esc2", "esc16"],
      { ...alice, purposes: [] },
      {
        ...alice,
        purposes: [],
        sid: undefined,
      },
    ),
    sample(
      "near miss: purposes that cannot be read",
      [],
      { ...alice, purposes: "broken" },
      {
        ...alice,
        purposes: "broken",
        sid: undefined,
      },
    ),
    sample(
      "near miss: no logon",
      [],
      { ...machine, purposes: [serverAuth] },
      {
        ...machine,
        purposes: [serverAuth],
        sid: undefined,
      },
    ),
    sample(
      "near miss: the template says so",
      ["esc9"],
      { ...alice, enrollmentFlags: 0x80029 },
      {
        ...alice,
        enrollmentFlags: 0x80029,
        sid: undefined,
      },
    ),
  ],
};
