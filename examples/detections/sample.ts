// For the tests: what the samples of the rules are made of.
import type { IssuedSpec } from "./sample-records.ts";

/** One or more events in their order. */
export interface Sample {
  readonly what: string;
  /** The rules that the last event must raise, and no other. */
  readonly alarms: readonly string[];
  readonly specs: readonly IssuedSpec[];
}

/** Key purposes and policies. */
export const clientAuth = "1.3.6.1.5.5.7.3.2";
export const serverAuth = "1.3.6.1.5.5.7.3.1";
export const smartCardLogon = "1.3.6.1.4.1.311.20.2.2";
export const requestAgent = "1.3.6.1.4.1.311.20.2.1";
export const anyPurpose = "2.5.29.37.0";
export const linkedPolicy = "1.3.6.1.4.1.311.21.8.1.2.3.402";
export const otherPolicy = "1.3.6.1.4.1.311.21.8.1.2.3.4021";

/** What the rules know about the site of the samples. */
export const sampleSettings = {
  lists: {
    subca_templates: ["SubCA"],
    enrolment_agents: ["CORP\\smartcard.desk"],
    enrolment_services: ["CORP\\NDES1$"],
    web_teams: ["CORP\\web.team"],
    domain_controllers: ["DC1.corp.example", "DC2.corp.example"],
    domain_controller_accounts: ["CORP\\DC1$", "CORP\\DC2$"],
    domain_controller_sids: ["S-1-5-21-1-2-3-1000"],
  },
  each: {
    linked_policies: [
      { linked_policy: [linkedPolicy], linked_policy_members: ["CORP\\tier0.admin"] },
      { linked_policy: ["1.2.3.4"], linked_policy_members: ["CORP\\alice"] },
    ],
  },
  upns: { "CORP\\asmith": ["anna.smith@corp.example"] },
};

/** A user with the own certificate. */
export const alice = {
  requester: "CORP\\alice",
  upn: ["alice@corp.example"],
  sid: "S-1-5-21-1-2-3-1104",
};
/** A machine with the own certificate. */
export const machine = {
  requester: "CORP\\WS-1172$",
  dns: ["ws-1172.corp.example"],
  sid: "S-1-5-21-1-2-3-1172",
  purposes: [clientAuth, serverAuth],
};

/** A sample of the requests in their order. */
export const sample = (
  what: string,
  alarms: readonly string[],
  ...specs: IssuedSpec[]
): Sample => ({
  what,
  alarms,
  specs,
});

/** By the id of a rule; at least one that it finds, and one near miss. */
export type SamplesByRule = Readonly<Record<string, readonly Sample[]>>;
