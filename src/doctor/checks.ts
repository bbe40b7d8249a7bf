import type { HealthCode } from "../health/reasons.ts";

/** The links between the CA and a consumer, in the order of an event's way. */
export const links = [
  "exit module",
  "journal",
  "service",
  "configuration",
  "sinks",
  "clock",
  "event log",
  "CA's database",
] as const;

/** One of `links`. */
export type Link = (typeof links)[number];

/** One row of the table below, which is the only place where checks are defined. */
interface CheckEntry {
  readonly link: Link;
  /** What is asked, in one sentence. `docs/how-to/doctor.md` has the same (tested). */
  readonly question: string;
}

/** Every check of `certwire doctor`, in its order. */
export const doctorChecks = {
  "module-registered": {
    link: "exit module",
    question: "Is the DLL registered, built for x64, and where only administrators can change it?",
  },
  "module-version": {
    link: "exit module",
    question: "Is the DLL of the same version as this command?",
  },
  "module-signature": {
    link: "exit module",
    question: "Is the signature of the DLL valid, if it or the rest of Certwire is signed?",
  },
  "module-enabled": {
    link: "exit module",
    question: "Is `Certwire.Exit` in the CA's list, and does the CA run?",
  },
  "module-loaded": {
    link: "exit module",
    question: "Has the DLL that is registered now begun to write since the CA was started?",
  },
  "journal-directory": {
    link: "journal",
    question: "Can the journal be read, and is it the one that the module writes?",
  },
  "journal-rights": {
    link: "journal",
    question: "Would the module use the directory, and can others read or change it?",
  },
  "journal-space": {
    link: "journal",
    question: "Is there more space than the limits of service and module leave free?",
  },
  "journal-writer": {
    link: "journal",
    question: "Does the module hold the journal, and how old is the newest record?",
  },
  "journal-appends": {
    link: "journal",
    question: "How long does the CA wait for a record, and is what was written flushed?",
  },
  "journal-gaps": { link: "journal", question: "Has an event been lost lately?" },
  "service-running": {
    link: "service",
    question: "Does the service run, as Windows and its lock see it?",
  },
  "service-account": {
    link: "service",
    question: "Which account does the service have, and does Windows start it?",
  },
  "state-directory": {
    link: "service",
    question: "Can the service write its state, and is all that is there whole?",
  },
  configuration: {
    link: "configuration",
    question: "Is the configuration valid, with every file and secret that it names?",
  },
  "sink-connection": {
    link: "sinks",
    question: "Can the sink be opened: broker, credentials, topics or exchange?",
  },
  "sink-destination": {
    link: "sinks",
    question: "Do settings of the topics or queues lose events, or make them smaller?",
  },
  "sink-certificates": {
    link: "sinks",
    question: "Do certificates end soon: those of the configuration, and the broker's own?",
  },
  "sink-backlog": { link: "sinks", question: "How much waits for the sink?" },
  "dead-letters": { link: "sinks", question: "Is there what could not be published?" },
  clock: {
    link: "clock",
    question: "Is the clock of this machine right, as far as answers and records show it?",
  },
  "event-log": {
    link: "event log",
    question: "What have module and service reported to Windows in the last 24 hours?",
  },
  "ca-database": {
    link: "CA's database",
    question: "May this account read the CA's database, as `reconcile` and `backfill` do?",
  },
  "ca-database-service": {
    link: "CA's database",
    question: "May the account of the service, if it compares on a schedule?",
  },
} as const satisfies Record<string, CheckEntry>;

/** A key of `doctorChecks`; stable across versions, so scripts may match on it. */
export type CheckName = keyof typeof doctorChecks;

/** The check that a reason of health belongs to. */
export const checkOfReason: Readonly<Record<HealthCode, CheckName>> = {
  "service-stopped": "service-running",
  "service-silent": "service-running",
  "state-unreadable": "state-directory",
  "journal-unreadable": "journal-directory",
  "sink-unreachable": "sink-connection",
  "sink-refused": "sink-connection",
  "sink-busy": "sink-connection",
  "sink-blocked": "sink-connection",
  "lanes-changing": "sink-connection",
  "events-unroutable": "sink-connection",
  "kind-dead-lettered": "dead-letters",
  "dead-letters": "dead-letters",
  "dead-letters-near-limit": "dead-letters",
  "dead-letters-full": "dead-letters",
  "dead-letter-unwritable": "state-directory",
  "record-waits": "sink-backlog",
  "checkpoint-unwritable": "state-directory",
  "checkpoint-damaged": "state-directory",
  "routed-kinds-unwritable": "state-directory",
  "sink-behind": "sink-backlog",
  "journal-near-limit": "journal-space",
  "volume-nearly-full": "journal-space",
  "writer-gone": "journal-writer",
  "writer-stuck": "journal-writer",
  "writer-degraded": "journal-writer",
  "no-events": "journal-writer",
  "gap-seen": "journal-gaps",
  "reconcile-failed": "ca-database",
  "reconcile-overdue": "ca-database",
  "reconcile-findings": "ca-database",
  "reconcile-unpublished": "ca-database",
  "clock-behind": "clock",
  "certificate-ends": "sink-certificates",
};
