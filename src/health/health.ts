import type { PipelineTrouble } from "../pipeline/trouble.ts";
import { countOf, formatBytes, formatDuration } from "../units.ts";
import { type AlertName, alertOf } from "./alerts.ts";
import {
  type CertificateFact,
  defaultHealthLimits,
  type HealthFacts,
  type HealthLimits,
  type JournalFacts,
  type ReconcileFacts,
  type SinkFacts,
} from "./facts.ts";
import { type HealthCode, type HealthState, healthReasons } from "./reasons.ts";

/** Why the state is not `ok`. */
export interface HealthReason {
  readonly code: HealthCode;
  readonly state: Exclude<HealthState, "ok">;
  /** Name of the sink; absent if it is about none. */
  readonly sink?: string;
  /** Since when, RFC 3339; absent if that is not known. */
  readonly since?: string;
  /** What exactly, in one line: an error, a number, a name. Written by others, so escape it for a terminal. */
  readonly detail?: string;
  readonly meaning: string;
  /** What to do. */
  readonly hint: string;
  /** Section of the documentation, below `docs/`. */
  readonly docs: string;
  /** Alert whose runbook says more; absent if no alert is about it. */
  readonly runbook?: AlertName;
}

/** A state with its reasons, the worst first. */
export interface Health {
  readonly state: HealthState;
  readonly reasons: readonly HealthReason[];
}

/** What a reason says besides its code and state. */
interface Extent {
  readonly sink?: string;
  readonly sinceMs?: number | undefined;
  readonly detail?: string | undefined;
}

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

const blockedTooLongMs = 10 * minute;
/** Dead letters of one kind in a row that are more than single events. */
const deadInARow = 3;
/** How old the newest of them may be: of a seldom kind nothing may come that shows that the cause is gone. */
const deadKindMs = day;
const deadLetterMs = 10 * minute;
const deadLetterFill = 0.8;
const backlogShare = { degraded: 0.5, failing: 0.75 };
const gapMs = day;
/** How long a finding counts that no backfill ends: nobody can do more than examine it. */
const lastingFindingMs = 7 * day;
const unpublishedMs = hour;
const clockMs = 5 * minute;
const certificateMs = 30 * day;
/** Of the exit module and of the service; both give a sign of life every 10 s. */
const silenceMs = minute;

/** The state of health that follows from facts at a time, in ms since 1970. */
export function assessHealth(
  facts: HealthFacts,
  nowMs: number,
  limits: HealthLimits = defaultHealthLimits,
): Health {
  const reasons = [
    ...serviceReasons(facts, nowMs),
    ...certificateReasons(facts.certificates, nowMs),
    ...facts.sinks.flatMap((sink) => sinkReasons(sink, facts.journal, nowMs, limits)),
    ...(facts.journal === undefined ? [] : journalReasons(facts.journal, nowMs, limits)),
    ...(facts.reconcile === undefined ? [] : reconcileReasons(facts.reconcile, nowMs)),
  ];
  return healthOf(reasons);
}

/** A health with these reasons. */
export function healthOf(reasons: readonly HealthReason[]): Health {
  const failing = reasons.filter(({ state }) => state === "failing");
  const others = reasons.filter(({ state }) => state !== "failing");
  const state = failing.length > 0 ? "failing" : others.length > 0 ? "degraded" : "ok";
  return { state, reasons: [...failing, ...others] };
}

/** Section of the documentation of a reason, below `docs/`. */
export function docsOf(code: HealthCode): string {
  return `reference/health.md#${code}`;
}

function reason(code: HealthCode, isFailing: boolean, extent: Extent = {}): HealthReason {
  const { sink, sinceMs, detail } = extent;
  const { meaning, hint } = healthReasons[code];
  const state = isFailing ? "failing" : "degraded";
  const runbook = alertOf(code, state);
  return {
    code,
    state,
    ...(sink !== undefined && { sink }),
    ...(sinceMs !== undefined && { since: new Date(sinceMs).toISOString() }),
    ...(detail !== undefined && { detail }),
    meaning,
    hint,
    docs: docsOf(code),
    ...(runbook !== undefined && { runbook }),
  };
}

function serviceReasons(
  { service, serviceWroteMs = Number.POSITIVE_INFINITY, stateError, journalError }: HealthFacts,
  nowMs: number,
): HealthReason[] {
  const isSilent = service === "running" && nowMs - serviceWroteMs > silenceMs;
  return [
    ...(service === "stopped" ? [reason("service-stopped", true)] : []),
    ...(isSilent ? [reason("service-silent", true, { sinceMs: serviceWroteMs })] : []),
    ...(stateError === undefined ? [] : [reason("state-unreadable", true, { detail: stateError })]),
    ...(journalError === undefined
      ? []
      : [reason("journal-unreadable", true, { detail: journalError })]),
  ];
}

function sinkReasons(
  facts: SinkFacts,
  journal: JournalFacts | undefined,
  nowMs: number,
  limits: HealthLimits,
): HealthReason[] {
  const { name: sink, blockedForMs, backlogMs, stateError } = facts;
  const found = [...troubleReasons(facts, nowMs), ...deadLetterReasons(facts, nowMs)];
  if (stateError !== undefined) {
    found.push(reason("state-unreadable", true, { sink, detail: stateError }));
  }
  if (blockedForMs !== undefined) {
    const sinceMs = nowMs - blockedForMs;
    found.push(reason("sink-blocked", blockedForMs >= blockedTooLongMs, { sink, sinceMs }));
  }
  if (facts.isCheckpointDamaged === true) found.push(reason("checkpoint-damaged", false, { sink }));
  if (backlogMs !== undefined && backlogMs > limits.backlogSeconds * 1000) {
    const detail = `the oldest event has waited for ${formatDuration(backlogMs)}`;
    // The time at which the limit was passed.
    const sinceMs = nowMs - backlogMs + limits.backlogSeconds * 1000;
    found.push(reason("sink-behind", false, { sink, sinceMs, detail }));
  }
  found.push(
    ...spaceReasons(facts, journal),
    ...certificateReasons(facts.certificates, nowMs, sink),
  );
  return found;
}

/** What a pipeline reports, each code once: the worst lane, and the longest time. */
function troubleReasons({ name: sink, troubles = [] }: SinkFacts, nowMs: number): HealthReason[] {
  const worst = new Map<HealthCode, PipelineTrouble>();
  for (const trouble of troubles) {
    const code = codeOf(trouble);
    if (code === undefined) continue;
    const known = worst.get(code);
    const newest = known === undefined || (trouble.isAlarm && !known.isAlarm) ? trouble : known;
    const forMs = Math.max(trouble.forMs, known?.forMs ?? 0);
    worst.set(code, { ...newest, forMs });
  }
  return [...worst].map(([code, { isAlarm, forMs, error }]) => {
    // The first refusal of an opening is not an alarm of its pipeline, but no retry ends it.
    const isFailing = isAlarm || code === "sink-refused";
    return reason(code, isFailing, { sink, sinceMs: nowMs - forMs, detail: error });
  });
}

const refusals: ReadonlySet<string> = new Set(["CERTWIRE_SINK_AUTH", "CERTWIRE_SINK_CONFIG"]);

/** `undefined` for a failure that is about one event and ends with its dead letter. */
function codeOf({ part, kind, code = "" }: PipelineTrouble): HealthCode | undefined {
  switch (part) {
    case "open":
      return refusals.has(code) ? "sink-refused" : "sink-unreachable";
    case "lanes":
      return "lanes-changing";
    case "source":
      return "journal-unreadable";
    case "record":
      return "record-waits";
    case "checkpoint":
      return "checkpoint-unwritable";
    case "routed kinds":
      return "routed-kinds-unwritable";
    case "dead letter":
      return code === "CERTWIRE_DEAD_LETTERS_FULL" ? "dead-letters-full" : "dead-letter-unwritable";
    default:
      return codeOfFailure(kind);
  }
}

function codeOfFailure(kind: string | undefined): HealthCode | undefined {
  if (kind === "poison") return undefined;
  if (kind === "auth" || kind === "config") return "sink-refused";
  if (kind === "unroutable") return "events-unroutable";
  return kind === "retry-identical" ? "sink-busy" : "sink-unreachable";
}

function deadLetterReasons(facts: SinkFacts, nowMs: number): HealthReason[] {
  const { name: sink, deadKinds = [], deadLetterAgeMs, deadLetterFill: fill = 0 } = facts;
  const found = deadKinds
    .filter(({ count, newestMs }) => count >= deadInARow && newestMs < deadKindMs)
    .map(({ kind, count, forMs }) => {
      const detail = `${kind}: the last ${count}`;
      return reason("kind-dead-lettered", true, { sink, sinceMs: nowMs - forMs, detail });
    });
  if (deadLetterAgeMs !== undefined && deadLetterAgeMs < deadLetterMs) {
    found.push(reason("dead-letters", false, { sink, sinceMs: nowMs - deadLetterAgeMs }));
  }
  if (fill >= deadLetterFill) {
    const detail = `${Math.floor(fill * 100)} % of the limit`;
    found.push(reason("dead-letters-near-limit", false, { sink, detail }));
  }
  return found;
}

/** Events are lost when a backlog does not fit into the journal, whether its size or the volume limits it. */
function spaceReasons(
  { name: sink, backlogBytes = 0 }: SinkFacts,
  journal: JournalFacts | undefined,
): HealthReason[] {
  if (journal === undefined || journal.capacityBytes <= 0) return [];
  const share = backlogBytes / journal.capacityBytes;
  if (share < backlogShare.degraded) return [];
  const detail = `the backlog takes ${Math.floor(share * 100)} % of the journal's space`;
  return [reason("journal-near-limit", share >= backlogShare.failing, { sink, detail })];
}

function certificateReasons(
  certificates: readonly CertificateFact[] = [],
  nowMs: number,
  sink?: string,
): HealthReason[] {
  return certificates.flatMap((certificate) => {
    const ending = endingOf(certificate, nowMs);
    if (ending === undefined) return [];
    const { notAfterMs } = certificate;
    const sinceMs = ending.hasEnded ? notAfterMs : notAfterMs - certificateMs;
    const { hasEnded, detail } = ending;
    return [
      reason("certificate-ends", hasEnded, {
        ...(sink !== undefined && { sink }),
        sinceMs,
        detail,
      }),
    ];
  });
}

/** How a certificate ends within 30 days, or has ended; `undefined` for one that lasts longer. */
export function endingOf(
  { name, notAfterMs }: CertificateFact,
  nowMs: number,
): { readonly hasEnded: boolean; readonly detail: string } | undefined {
  if (notAfterMs - nowMs >= certificateMs) return undefined;
  const hasEnded = notAfterMs <= nowMs;
  const end = new Date(notAfterMs).toISOString().slice(0, 10);
  return { hasEnded, detail: `${name} ${hasEnded ? "ended" : "ends"} on ${end}` };
}

function journalReasons(
  journal: JournalFacts,
  nowMs: number,
  { quietHours }: HealthLimits,
): HealthReason[] {
  const { newestMs, isWriterAlive, isCaStopped = false } = journal;
  const found = [...volumeReasons(journal), ...beatReasons(journal, nowMs)];
  if (isWriterAlive === false && newestMs !== undefined && !isCaStopped) {
    found.push(reason("writer-gone", true));
  }
  if (newestMs !== undefined) {
    const quietMs = nowMs - newestMs;
    const isQuiet = quietHours > 0 && quietMs > quietHours * hour;
    if (isQuiet && !isCaStopped) {
      const sinceMs = newestMs + quietHours * hour;
      const detail = `the newest record is ${formatDuration(quietMs)} old`;
      found.push(reason("no-events", false, { sinceMs, detail }));
    }
    if (-quietMs >= clockMs) {
      const detail = `the newest record is ${formatDuration(-quietMs)} ahead`;
      found.push(reason("clock-behind", false, { detail }));
    }
  }
  if (journal.gapMs !== undefined && nowMs - journal.gapMs < gapMs) {
    found.push(reason("gap-seen", false, { sinceMs: journal.gapMs }));
  }
  return found;
}

/** What is wrong with the exit module, in words. */
const conditionTexts = {
  "no-space": "no space: its volume or one of its limits is full",
  "io-error": "writing or flushing fails",
  hangs: "the disk does not answer",
  dropping: "its memory is full",
} as const;

/** A writer that has ended says nothing any more, and whether one that cannot be seen has ended is not known. */
function beatReasons(
  { writerBeat: beat, isWriterAlive }: JournalFacts,
  nowMs: number,
): HealthReason[] {
  if (beat === undefined || isWriterAlive === false) return [];
  const silentMs = nowMs - beat.timeMs;
  if (silentMs > silenceMs) {
    if (isWriterAlive !== true) return [];
    const detail = `the last one was ${formatDuration(silentMs)} ago`;
    return [reason("writer-stuck", true, { sinceMs: beat.timeMs + silenceMs, detail })];
  }
  const { condition, osError, waitingBytes, droppedRecords } = beat;
  if (condition === "ok" || condition === "unknown") return [];
  const error = osError === undefined ? "" : ` (system error ${osError})`;
  const detail = [
    `${conditionTexts[condition]}${error}`,
    `${formatBytes(waitingBytes)} wait in memory`,
    `${countOf(droppedRecords, "record")} dropped since its start`,
  ].join("; ");
  return [reason("writer-degraded", condition !== "hangs", { detail })];
}

function volumeReasons(journal: JournalFacts): HealthReason[] {
  const { freeBytes, minFreeBytes, writerMinFreeBytes } = journal;
  const isStopping = freeBytes < writerMinFreeBytes;
  if (!isStopping && freeBytes >= minFreeBytes) return [];
  const limit = isStopping ? writerMinFreeBytes : minFreeBytes;
  const detail = `${freeBytes} bytes are free, ${limit} should be`;
  return [reason("volume-nearly-full", isStopping, { detail })];
}

function reconcileReasons(facts: ReconcileFacts, nowMs: number): HealthReason[] {
  const { failure, lastMs, overdueMs, unpublished = [] } = facts;
  const found: HealthReason[] = [];
  if (failure !== undefined) found.push(reason("reconcile-failed", false, failure));
  if (overdueMs !== undefined && nowMs > overdueMs) {
    const last =
      lastMs === undefined
        ? "none was complete"
        : `the last one is of ${formatDuration(nowMs - lastMs)} ago`;
    found.push(reason("reconcile-overdue", false, { sinceMs: overdueMs, detail: last }));
  }
  found.push(...findingReasons(facts, nowMs));
  for (const { sink, sinceMs, reports, error } of unpublished) {
    if (sinceMs === undefined || nowMs - sinceMs < unpublishedMs) continue;
    const detail = [countOf(reports, "report"), ...(error === undefined ? [] : [error])].join(": ");
    found.push(reason("reconcile-unpublished", false, { sink, sinceMs, detail }));
  }
  return found;
}

function findingReasons(
  { open, unlisted = 0, unlistedMissing = 0, unlistedDeleted = 0, lastingMs }: ReconcileFacts,
  nowMs: number,
): HealthReason[] {
  if (open === undefined) return [];
  const isNew = lastingMs !== undefined && nowMs - lastingMs < lastingFindingMs;
  if (open.missing + unlistedMissing === 0 && !isNew) return [];
  const counts = [
    `${open.missing} missing`,
    `${open.state} state`,
    `${open.changed} changed`,
    `${open.unknown} unknown`,
    `${unlisted - unlistedDeleted} too many`,
  ];
  const detail = counts.filter((each) => !each.startsWith("0 ")).join(", ");
  return [reason("reconcile-findings", false, { detail })];
}
