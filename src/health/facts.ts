import type { FindingClass } from "../events/finding-event.ts";
import type { WriterBeat } from "../journal/writer-beat.ts";
import type { DeadKind, PipelineTrouble } from "../pipeline/trouble.ts";

export { writerConditions } from "../journal/writer-beat.ts";

/** What is known about one enabled sink. What is absent is not known, and is not a reason for anything. */
export interface SinkFacts {
  readonly name: string;
  readonly troubles?: readonly PipelineTrouble[];
  /** For how long the broker has said that it accepts nothing, in ms. */
  readonly blockedForMs?: number;
  readonly deadKinds?: readonly DeadKind[];
  /** Age of the newest dead letter, in ms. */
  readonly deadLetterAgeMs?: number;
  /** How much of the space for dead letters is used, 0 to 1 or above. */
  readonly deadLetterFill?: number;
  readonly isCheckpointDamaged?: boolean;
  /** Why files of the sink in the state directory cannot be read; absent if they can. */
  readonly stateError?: string;
  /** Age of the oldest event that is not acknowledged, in ms. */
  readonly backlogMs?: number;
  /** Bytes of the journal after the sink's checkpoint. */
  readonly backlogBytes?: number;
  /** The certificate files that it uses. */
  readonly certificates?: readonly CertificateFact[];
}

/** The end of a certificate. */
export interface CertificateFact {
  /** Where it is from, such as the path of its file. */
  readonly name: string;
  /** In ms since 1970. */
  readonly notAfterMs: number;
}

/** What is known about the journal. */
export interface JournalFacts {
  /** Bytes that it may come to have. */
  readonly capacityBytes: number;
  /** Its maximum size, in bytes. */
  readonly maxBytes: number;
  /** Bytes free on its volume. */
  readonly freeBytes: number;
  /** Free space that the configuration asks for, in bytes. */
  readonly minFreeBytes: number;
  /** Free space below which the exit module creates no segment, in bytes; 0 if it is not recorded. */
  readonly writerMinFreeBytes: number;
  /** True if the exit module holds its lock; absent if that cannot be known here. */
  readonly isWriterAlive?: boolean;
  /** The newest sign of life of the exit module; absent if there is none, or it cannot be read. */
  readonly writerBeat?: WriterBeat;
  /** True if the newest record says that the CA stopped. */
  readonly isCaStopped?: boolean;
  /** When the newest record was made, in ms since 1970; absent for an empty journal. */
  readonly newestMs?: number;
  /** When the newest gap that stands for a loss was read or recorded, in ms since 1970. */
  readonly gapMs?: number;
}

/** What is known about the scheduled comparison with the CA's database. Times are in ms since 1970. */
export interface ReconcileFacts {
  readonly isRunning: boolean;
  /** Whether the service's account may read the database; absent before the CA has said so. */
  readonly mayRead?: boolean;
  /** Comparisons that failed since the start of the service. */
  readonly failures: number;
  /** Why the last one failed, or the next one cannot begin, and since when; absent if neither is so. */
  readonly failure?: { readonly sinceMs: number; readonly detail: string };
  /** When the last complete one began; absent if there was none. */
  readonly lastMs?: number;
  /** Rows that it compared, and findings that were too many to be reported. */
  readonly rows?: number;
  readonly unlisted?: number;
  /** Those of them that a backfill ends, and those of deleted rows. */
  readonly unlistedMissing?: number;
  readonly unlistedDeleted?: number;
  /** Open findings of each class. */
  readonly open?: Readonly<Record<FindingClass, number>>;
  /** When the next one begins; absent while one runs. */
  readonly nextMs?: number;
  /** When the newest one, open or too many, was found that no backfill ends. */
  readonly lastingMs?: number;
  /** Of each enabled sink; empty until the findings are read. */
  readonly unpublished?: readonly UnpublishedFacts[];
  /** From when on the next complete one is overdue. */
  readonly overdueMs?: number;
}

/** What a sink does not have of the findings. */
export interface UnpublishedFacts {
  readonly sink: string;
  readonly reports: number;
  /** Since when there are some, in ms since 1970; absent if there are none. */
  readonly sinceMs?: number;
  /** Why, as far as it is known. */
  readonly error?: string;
}

/** Everything that the state of health depends on. */
export interface HealthFacts {
  /** `unknown` if the state directory is locked from another machine. Default: not a reason for anything. */
  readonly service?: "running" | "stopped" | "unknown";
  /** When a service that runs wrote its status last, or started, in ms since 1970; absent if that is not known. */
  readonly serviceWroteMs?: number;
  readonly sinks: readonly SinkFacts[];
  /** The certificate files that no sink uses: that of the HTTP endpoint. */
  readonly certificates?: readonly CertificateFact[];
  readonly journal?: JournalFacts;
  /** Absent if nothing is compared on a schedule. */
  readonly reconcile?: ReconcileFacts;
  /** Why the journal, or the files of all sinks in the state directory, cannot be read; absent if they can. */
  readonly journalError?: string;
  readonly stateError?: string;
}

/** What counts as too long; from the section `health` of the configuration. */
export interface HealthLimits {
  /** Age of the oldest unacknowledged event from which a sink is behind, in s. */
  readonly backlogSeconds: number;
  /** How long the CA may record nothing, in hours; 0 for as long as it likes. */
  readonly quietHours: number;
}

/** The defaults of the configuration. */
export const defaultHealthLimits: HealthLimits = { backlogSeconds: 900, quietHours: 192 };
