import type { CertwireEvent, EventKind } from "../events/event.ts";
import { knownKind, textAt } from "./facts.ts";

/** Classes of OCSF that Certwire's events are of. */
export const ocsfClasses = {
  base: { uid: 0, name: "Base Event", categoryUid: 0, category: "Uncategorized" },
  entity: {
    uid: 3004,
    name: "Entity Management",
    categoryUid: 3,
    category: "Identity & Access Management",
  },
  lifecycle: {
    uid: 6002,
    name: "Application Lifecycle",
    categoryUid: 6,
    category: "Application Activity",
  },
  error: {
    uid: 6008,
    name: "Application Error",
    categoryUid: 6,
    category: "Application Activity",
  },
} as const;

/** Severities by `severity_id`. */
export const severities = { 1: "Informational", 2: "Low", 3: "Medium", 4: "High" } as const;
/** Statuses by `status_id`. */
export const statuses = { 0: "Unknown", 1: "Success", 2: "Failure" } as const;

/** OCSF's class and numbers of a kind. */
export interface OcsfKind {
  readonly class: keyof typeof ocsfClasses;
  readonly activity: readonly [id: number, name: string];
  readonly severity: keyof typeof severities;
  readonly status: keyof typeof statuses;
  /** What the managed entity is. */
  readonly entity?: "certificate" | "certificate request" | "CRL" | "certification authority";
}

const certificateKind = { class: "entity", severity: 1, status: 1, entity: "certificate" } as const;
const requestKind = { class: "entity", severity: 1, entity: "certificate request" } as const;
const create = [1, "Create"] as const;

/**
 * How OCSF classes each kind. A denied request is a certificate that was not created; a certificate that is put on hold
 * is suspended, not deactivated (see `ocsfKindOf`).
 */
export const ocsfKinds: Readonly<Record<EventKind, OcsfKind>> = {
  "certificate.issued": { ...certificateKind, activity: create },
  "certificate.revoked": { ...certificateKind, activity: [11, "Deactivate"] },
  "certificate.unrevoked": { ...certificateKind, activity: [13, "Resume"] },
  "certificate.imported": { ...certificateKind, activity: create },
  "request.pending": { ...requestKind, activity: [99, "Pending"], status: 0 },
  "request.denied": { ...certificateKind, activity: create, severity: 2, status: 2 },
  "request.failed": { ...certificateKind, activity: create, severity: 2, status: 2 },
  "request.retrieved": { ...requestKind, activity: [2, "Read"], status: 1 },
  "crl.issued": { ...certificateKind, activity: create, entity: "CRL" },
  "ca.started": { class: "lifecycle", activity: [3, "Start"], severity: 1, status: 1 },
  "ca.changed": {
    class: "entity",
    activity: [3, "Update"],
    severity: 3,
    status: 1,
    entity: "certification authority",
  },
  "ca.stopped": { class: "lifecycle", activity: [4, "Stop"], severity: 1, status: 1 },
  "ca.unrecognized": { class: "entity", activity: [0, "Unknown"], severity: 2, status: 0 },
  "journal.gap": { class: "error", activity: [1, "General Error"], severity: 4, status: 2 },
  "reconcile.finding": { class: "error", activity: [1, "General Error"], severity: 3, status: 0 },
};

/** For a kind of a later version. */
const baseKind: OcsfKind = { class: "base", activity: [0, "Unknown"], severity: 1, status: 0 };

/** Class and numbers of an event. */
export function ocsfKindOf(event: CertwireEvent): OcsfKind {
  const kind = knownKind(event);
  const found = kind === undefined ? baseKind : ocsfKinds[kind];
  const isHold =
    kind === "certificate.revoked" && textAt(event, "data.revocation.reason") === "certificateHold";
  return isHold ? { ...found, activity: [12, "Suspend"] } : found;
}
