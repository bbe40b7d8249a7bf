import { failure } from "./fields.ts";
import type { LogMessageEntry } from "./message-entry.ts";

/** Messages about the scheduled comparison with the CA's database, and about what it finds. */
export const reconcileMessages = {
  "comparing the CA's database with the journal": {
    section: "The CA's database",
    levels: ["info"],
    fields: [],
    advice: "the time of the section `reconcile` has come",
  },
  "the CA's database was compared with the journal": {
    section: "The CA's database",
    levels: ["info"],
    fields: ["rows", "opened", "resolved", "unlisted", "dropped"],
    advice:
      "each finding that is new (`opened`) or gone (`resolved`) becomes an event; `unlisted` ones are too many, and wait; `dropped` reports, of findings that are gone, a sink that was down for long will not get",
  },
  "cannot compare the CA's database with the journal": {
    section: "The CA's database",
    levels: ["warn"],
    fields: failure,
    advice:
      "do what `hint` says; tried again at the next time of the section `reconcile`, or after 10 minutes if the state directory cannot be read",
  },
  "cannot read the journal before a comparison": {
    section: "The CA's database",
    levels: ["warn"],
    fields: failure,
    advice: "do what `hint` says; tried again after an hour, and by the next comparison",
  },
  "the journal begins after the last comparison": {
    section: "The CA's database",
    levels: ["warn"],
    fields: ["coveredSince"],
    advice:
      "retention has deleted records before they were compared: what happened between the last comparison and `coveredSince` is not. Give the journal more space, or compare more often",
  },
  "the comparison waits for another one": {
    section: "The CA's database",
    levels: ["info"],
    fields: failure,
    advice: "`certwire reconcile` or `certwire backfill` runs; tried again every minute",
  },
  "the CA's database is busy; it is read again later": {
    section: "The CA's database",
    levels: ["info"],
    fields: ["delayMs", ...failure],
    advice: "the CA is busy or restarts",
  },
  "cannot publish findings": {
    section: "The CA's database",
    levels: ["warn"],
    fields: ["sink", ...failure],
    advice:
      "check free space and rights of the [state directory](state-directory.md); tried again after a minute",
  },
} as const satisfies Record<string, LogMessageEntry>;
