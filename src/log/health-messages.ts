import { failure } from "./fields.ts";
import type { LogMessageEntry } from "./message-entry.ts";

/** Messages about health, and about the HTTP endpoint that shows it. */
export const healthMessages = {
  "the health is failing": {
    section: "Health",
    levels: ["error"],
    fields: ["reasons"],
    advice:
      "act: each reason is a code with the sink it is about, and has [a section](health.md); while the state stays, reasons that come and go are logged every 5 minutes at most",
  },
  "the health is degraded": {
    section: "Health",
    levels: ["warn"],
    fields: ["reasons"],
    advice: "read the reasons, and plan what they say",
  },
  "cannot assess the health": {
    section: "Health",
    levels: ["warn"],
    fields: failure,
    advice: "report it: it is a fault in Certwire; events are published all the same",
  },
  "cannot write the status file": {
    section: "Health",
    levels: ["warn"],
    fields: failure,
    advice:
      "check the free space and the rights of the state directory; until then `certwire status` shows what journal and state directory show",
  },
  "the HTTP endpoint listens": {
    section: "Health",
    levels: ["info"],
    fields: ["listen"],
    advice: "nothing",
  },
  "the HTTP endpoint uses a new certificate": {
    section: "Health",
    levels: ["info"],
    fields: ["listen"],
    advice: "nothing",
  },
  "cannot use the HTTP endpoint's new certificate": {
    section: "Health",
    levels: ["warn"],
    fields: failure,
    advice:
      "correct certificate or key; the old ones serve on, and the files are read again every 10 s",
  },
  "the HTTP endpoint cannot listen; events are published all the same": {
    section: "Health",
    levels: ["error"],
    fields: ["listen", "failures", "delayMs", ...failure],
    advice:
      "the address is in use or not of this machine, or certificate, key or token cannot be read; tried again every 30 s at the latest",
  },
  "the HTTP endpoint has ended; events are published all the same": {
    section: "Health",
    levels: ["error"],
    fields: failure,
    advice:
      "the endpoint's code cannot be loaded, or failed: install the package again, and restart the service",
  },
  "a request of the HTTP endpoint failed": {
    section: "Health",
    levels: ["warn"],
    fields: failure,
    advice: "report it: it is a fault in Certwire, unless the token's file cannot be read",
  },
  "cannot send an update to the status page": {
    section: "Health",
    levels: ["warn"],
    fields: failure,
    advice: "report it: it is a fault in Certwire; the page tries again",
  },
} as const satisfies Record<string, LogMessageEntry>;
