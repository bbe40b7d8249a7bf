import type { HealthCode } from "./reasons.ts";

/** One alert for Prometheus. `config/prometheus-alerts.yml` is made of the table below. */
export interface AlertEntry {
  /** What is so when it fires, in one sentence; labels of the series in the form of Prometheus. */
  readonly summary: string;
  /** PromQL; true while the condition holds. */
  readonly expression: string;
  /** How long the condition must hold, in the form of Prometheus. */
  readonly for: string;
  /** `page`: events stop or may get lost, somebody must act now. `ticket`: somebody must act within days. */
  readonly severity: "page" | "ticket";
  /** The reasons of health that it stands for; none if it is about something else. */
  readonly reasons: readonly HealthCode[];
}

type Reasons = readonly HealthCode[];

/** An alert on reasons of health, which the service finds out itself. */
function onReasons(
  reasons: Reasons,
  state: "failing" | "degraded" | "any",
): Pick<AlertEntry, "expression" | "reasons"> {
  const codes = reasons.length === 1 ? `code="${reasons[0]}"` : `code=~"${reasons.join("|")}"`;
  const series = `certwire_health_reason{${codes}${state === "any" ? "" : `,state="${state}"`}}`;
  // One alert must not begin anew because its condition has got another code or state.
  return { expression: `max without (code, state) (${series}) == 1`, reasons };
}

/** Every alert by its name. A page wakes somebody: nothing that ends by itself within minutes is one. */
export const alerts = {
  CertwireDown: {
    summary: "The Certwire service on {{ $labels.instance }} does not answer.",
    expression: 'up{job="certwire"} == 0',
    for: "5m",
    severity: "page",
    reasons: [],
  },
  CertwireRestarts: {
    summary:
      "The Certwire service on {{ $labels.instance }} has started {{ $value }} times in an hour.",
    expression: "changes(certwire_start_time_seconds[1h]) > 3",
    for: "0m",
    severity: "ticket",
    reasons: [],
  },
  CertwireSinkDown: {
    summary: "Sink {{ $labels.sink }} does not take events.",
    ...onReasons(["sink-unreachable", "sink-busy", "sink-blocked", "lanes-changing"], "failing"),
    for: "10m",
    severity: "page",
  },
  CertwireSinkRefused: {
    summary: "The broker of sink {{ $labels.sink }} refuses it.",
    ...onReasons(["sink-refused", "events-unroutable"], "failing"),
    for: "5m",
    severity: "page",
  },
  CertwireSinkBehind: {
    summary: "Sink {{ $labels.sink }} has been behind for half an hour.",
    ...onReasons(["sink-behind"], "any"),
    for: "30m",
    severity: "ticket",
  },
  CertwireDeadLetters: {
    summary: "Sink {{ $labels.sink }} has new dead letters.",
    // The reason lasts for 10 minutes; who reads tickets has an hour to see it.
    expression:
      'max without (code, state) (max_over_time(certwire_health_reason{code="dead-letters"}[1h])) == 1',
    for: "0m",
    severity: "ticket",
    reasons: ["dead-letters"],
  },
  CertwireKindDeadLettered: {
    summary: "Sink {{ $labels.sink }} makes every event of a kind a dead letter.",
    ...onReasons(["kind-dead-lettered"], "failing"),
    for: "1m",
    severity: "page",
  },
  CertwireDeadLettersNearLimit: {
    summary: "The dead letters of sink {{ $labels.sink }} take 80 % of their limit or more.",
    ...onReasons(["dead-letters-near-limit"], "any"),
    for: "10m",
    severity: "ticket",
  },
  CertwireDeadLettersFull: {
    summary: "The dead letters of sink {{ $labels.sink }} have reached their limit, and it waits.",
    ...onReasons(["dead-letters-full"], "failing"),
    for: "1m",
    severity: "page",
  },
  CertwireStateUnwritable: {
    summary: "Certwire cannot use its state directory.",
    ...onReasons(
      [
        "state-unreadable",
        "checkpoint-unwritable",
        "dead-letter-unwritable",
        "routed-kinds-unwritable",
      ],
      "failing",
    ),
    for: "5m",
    severity: "page",
  },
  CertwireJournalUnreadable: {
    summary: "Certwire cannot read the journal.",
    ...onReasons(["journal-unreadable"], "failing"),
    for: "5m",
    severity: "page",
  },
  CertwireRecordWaits: {
    summary: "Sink {{ $labels.sink }} waits at a record that this version cannot publish.",
    ...onReasons(["record-waits"], "failing"),
    for: "5m",
    severity: "page",
  },
  CertwireJournalNearLimit: {
    summary:
      "The backlog of sink {{ $labels.sink }} takes 75 % of the journal: events get lost soon.",
    ...onReasons(["journal-near-limit"], "failing"),
    for: "1m",
    severity: "page",
  },
  CertwireJournalFillsUp: {
    summary: "At this rate, events of sink {{ $labels.sink }} get lost within 12 hours.",
    expression: `predict_linear(certwire_backlog_bytes[2h], 12 * 3600)
  > on (instance, job) group_left () 0.85 * certwire_journal_capacity_bytes
and certwire_backlog_age_seconds > 600`,
    for: "15m",
    severity: "page",
    reasons: ["journal-near-limit"],
  },
  CertwireVolumeNearlyFull: {
    summary: "The journal's volume on {{ $labels.instance }} has little free space.",
    ...onReasons(["volume-nearly-full"], "any"),
    for: "10m",
    severity: "ticket",
  },
  CertwireVolumeFull: {
    summary:
      "The journal's volume on {{ $labels.instance }} is so full that the exit module stops recording.",
    ...onReasons(["volume-nearly-full"], "failing"),
    for: "1m",
    severity: "page",
  },
  CertwireWriterGone: {
    summary:
      "The exit module on {{ $labels.instance }} is gone, and the CA has not recorded a stop.",
    ...onReasons(["writer-gone"], "failing"),
    for: "5m",
    severity: "page",
  },
  CertwireWriterStuck: {
    summary: "The exit module on {{ $labels.instance }} gives no sign of life: it is stuck.",
    ...onReasons(["writer-stuck"], "failing"),
    for: "5m",
    severity: "page",
  },
  CertwireWriterDegraded: {
    summary: "The exit module on {{ $labels.instance }} cannot write records as it should.",
    // A disk that is slow for a moment ends by itself.
    ...onReasons(["writer-degraded"], "any"),
    for: "2m",
    severity: "page",
  },
  CertwireQuiet: {
    summary:
      "The CA on {{ $labels.instance }} has recorded nothing for longer than it ever should.",
    ...onReasons(["no-events"], "any"),
    for: "10m",
    severity: "ticket",
  },
  CertwireEventsLost: {
    summary: "The journal on {{ $labels.instance }} has a gap: events were lost, or may have been.",
    ...onReasons(["gap-seen"], "any"),
    for: "0m",
    severity: "page",
  },
  CertwireReconcileFailing: {
    summary:
      "The CA's database on {{ $labels.instance }} is not compared with the journal as scheduled, or a sink does not get what was found.",
    ...onReasons(["reconcile-failed", "reconcile-overdue", "reconcile-unpublished"], "any"),
    for: "1h",
    severity: "ticket",
  },
  CertwireReconcileFindings: {
    summary: "The journal and the CA's database on {{ $labels.instance }} do not agree.",
    ...onReasons(["reconcile-findings"], "any"),
    for: "0m",
    severity: "ticket",
  },
  CertwireClockBehind: {
    summary: "The clock on {{ $labels.instance }} is behind the newest record.",
    ...onReasons(["clock-behind"], "any"),
    for: "10m",
    severity: "ticket",
  },
  CertwireCertificateExpires: {
    summary: "A certificate that sink {{ $labels.sink }} uses expires within 30 days.",
    ...onReasons(["certificate-ends"], "degraded"),
    for: "1h",
    severity: "ticket",
  },
  CertwireCertificateExpired: {
    summary: "A certificate that sink {{ $labels.sink }} uses has expired.",
    ...onReasons(["certificate-ends"], "failing"),
    for: "1m",
    severity: "page",
  },
  CertwireExitModuleSlow: {
    summary:
      "The exit module on {{ $labels.instance }} holds up one call of the CA in 100 for over 2 ms.",
    // The percentile of a few calls says nothing, and a CA that is stopped holds up nobody.
    expression: `certwire_writer_duration_seconds{operation="append",quantile="0.99"} > 0.002
and on (instance, job) certwire_writer_operations_total{operation="append"} >= 1000
and on (instance, job) certwire_writer_up == 1`,
    for: "15m",
    severity: "ticket",
    reasons: [],
  },
} as const satisfies Record<string, AlertEntry>;

/** The name of an alert. */
export type AlertName = keyof typeof alerts;

/** The alert whose runbook is about a reason in a state; `undefined` if no alert is. */
export function alertOf(code: HealthCode, state: "degraded" | "failing"): AlertName | undefined {
  const entries: readonly (readonly [string, AlertEntry])[] = Object.entries(alerts);
  const about = entries.filter(([, { reasons }]) => reasons.includes(code));
  const exact = about.find(([, { expression }]) => expression.includes(`state="${state}"`));
  return (exact ?? about[0])?.[0] as AlertName | undefined;
}
