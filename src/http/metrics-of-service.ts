import { clock } from "../clock.ts";
import { writerConditions } from "../health/facts.ts";
import type { Status } from "../health/status.ts";
import { ageOf, type Metric, type Sample, single } from "./metric.ts";

const healthStates = ["ok", "degraded", "failing"] as const;
const quantiles = [
  ["0.5", "p50Us"],
  ["0.99", "p99Us"],
  ["0.999", "p999Us"],
] as const;

type Durations = NonNullable<NonNullable<Status["journal"]>["durations"]>;

/** Samples of the exit module's durations, one or more for each operation. */
function eachOperation(
  samples: (durations: Durations[keyof Durations]) => readonly Sample[],
): Metric["read"] {
  return ({ status }) =>
    Object.entries(status.journal?.durations ?? {}).flatMap(([operation, durations]) =>
      samples(durations).map(({ labels, value }) => ({ labels: { operation, ...labels }, value })),
    );
}

/** What is measured of the journal, the exit module and the service itself. */
export const serviceMetrics: readonly Metric[] = [
  {
    name: "certwire_health_state",
    type: "gauge",
    labels: ["state"],
    help: "1 for the state of health, 0 for the others.",
    read: ({ status }) =>
      healthStates.map((state) => ({ labels: { state }, value: status.state === state ? 1 : 0 })),
  },
  {
    name: "certwire_health_reason",
    type: "gauge",
    labels: ["code", "sink", "state"],
    help: "1 for each reason of a state that is not `ok`; `sink` is empty for one that is about none.",
    read: ({ status }) => {
      // Two certificates of a sink may end, for instance: the worst comes first.
      const keys = new Map(
        status.reasons.toReversed().map((each) => [`${each.code} ${each.sink ?? ""}`, each]),
      );
      return [...keys.values()].map(({ code, sink = "", state }) => ({
        labels: { code, sink, state },
        value: 1,
      }));
    },
  },
  {
    name: "certwire_build_info",
    type: "gauge",
    labels: ["version", "node"],
    help: "1; the labels have the versions of Certwire and Node.js.",
    read: ({ status }) => [
      { labels: { version: status.service.version, node: process.versions.node }, value: 1 },
    ],
  },
  {
    name: "certwire_start_time_seconds",
    type: "gauge",
    labels: [],
    help: "When the service started, in s since 1970.",
    read: single(() => clock.startedMs / 1000),
  },
  {
    name: "certwire_process_resident_memory_bytes",
    type: "gauge",
    labels: [],
    help: "Memory of the service's process.",
    read: single(() => process.memoryUsage.rss()),
  },
  {
    name: "certwire_process_cpu_seconds_total",
    type: "counter",
    labels: [],
    help: "CPU time of the service's process.",
    read: single(() => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1_000_000;
    }),
  },
  {
    name: "certwire_journal_segments",
    type: "gauge",
    labels: [],
    help: "Segments of the journal.",
    read: single(({ status }) => status.journal?.segments),
  },
  {
    name: "certwire_journal_bytes",
    type: "gauge",
    labels: [],
    help: "Bytes of the journal's segments.",
    read: single(({ status }) => status.journal?.bytes),
  },
  {
    name: "certwire_journal_capacity_bytes",
    type: "gauge",
    labels: [],
    help: "Bytes that the journal may come to have: its limit, or what its volume leaves.",
    read: single(({ status }) => status.journal?.capacityBytes),
  },
  {
    name: "certwire_journal_free_bytes",
    type: "gauge",
    labels: [],
    help: "Bytes free on the journal's volume.",
    read: single(({ status }) => status.journal?.freeBytes),
  },
  {
    name: "certwire_journal_max_bytes",
    type: "gauge",
    labels: [],
    help: "Bytes above which the journal may not grow: the stricter limit of configuration and exit module.",
    read: single(({ status }) => status.journal?.maxBytes),
  },
  {
    name: "certwire_journal_min_free_bytes",
    type: "gauge",
    labels: [],
    help: "Bytes that have to stay free on the journal's volume, by the stricter of both limits.",
    read: single(({ status }) => status.journal?.minFreeBytes),
  },
  {
    name: "certwire_ca_certificate_not_after_timestamp_seconds",
    type: "gauge",
    labels: [],
    help: "End of the CA's own certificate, in s since 1970, by the newest event that a sink has read.",
    read: single(({ views }) => {
      const ends = views.flatMap(({ caNotAfterMs }) => caNotAfterMs ?? []);
      return ends.length === 0 ? undefined : Math.max(...ends) / 1000;
    }),
  },
  {
    name: "certwire_newest_record_timestamp_seconds",
    type: "gauge",
    labels: [],
    help: "When the CA's newest record was made, in s since 1970.",
    read: single(({ status }) => {
      const time = status.journal?.newest?.time;
      return time === undefined ? undefined : Date.parse(time) / 1000;
    }),
  },
  {
    name: "certwire_reconcile_last_timestamp_seconds",
    type: "gauge",
    labels: [],
    help: "When the last complete scheduled comparison with the CA's database began, in s since 1970; absent if there was none.",
    read: single(({ reconcile }) =>
      reconcile?.lastMs === undefined ? undefined : reconcile.lastMs / 1000,
    ),
  },
  {
    name: "certwire_reconcile_rows",
    type: "gauge",
    labels: [],
    help: "Rows of the CA's database that this comparison read.",
    read: single(({ reconcile }) => reconcile?.rows),
  },
  {
    name: "certwire_reconcile_running",
    type: "gauge",
    labels: [],
    help: "1 while a scheduled comparison runs, else 0.",
    read: single(({ reconcile }) => reconcile && Number(reconcile.isRunning)),
  },
  {
    name: "certwire_reconcile_failures_total",
    type: "counter",
    labels: [],
    help: "Scheduled comparisons that failed.",
    read: single(({ reconcile }) => reconcile?.failures),
  },
  {
    name: "certwire_reconcile_findings",
    type: "gauge",
    labels: ["class"],
    help: "Open findings of the scheduled comparisons, without those that were too many.",
    read: ({ reconcile }) =>
      Object.entries(reconcile?.open ?? {}).map(([found, value]) => ({
        labels: { class: found },
        value,
      })),
  },
  {
    name: "certwire_reconcile_findings_unlisted",
    type: "gauge",
    labels: [],
    help: "Findings that are too many to become events yet: as many as the last comparison of every row had, or more since.",
    read: single(({ reconcile }) => reconcile?.unlisted),
  },
  {
    name: "certwire_reconcile_unpublished",
    type: "gauge",
    labels: ["sink"],
    help: "Reports of findings that the sink does not have yet.",
    read: ({ reconcile }) =>
      (reconcile?.unpublished ?? []).map(({ sink, reports }) => ({
        labels: { sink },
        value: reports,
      })),
  },
  {
    name: "certwire_writer_up",
    type: "gauge",
    labels: [],
    help: "1 while the exit module holds the journal's lock, else 0; absent if that cannot be known.",
    read: single(({ status }) => {
      const writer = status.journal?.writer ?? "unknown";
      if (writer === "unknown") return undefined;
      return writer === "running" ? 1 : 0;
    }),
  },
  {
    name: "certwire_writer_beat_age_seconds",
    type: "gauge",
    labels: [],
    help: "Time since the exit module last gave a sign of life, which it does every 10 s while it runs.",
    read: single((observation) => ageOf(observation.status.journal?.writerBeat?.time, observation)),
  },
  {
    name: "certwire_writer_condition",
    type: "gauge",
    labels: ["condition"],
    help: "1 for the condition of the exit module at its last sign of life, 0 for the others.",
    read: ({ status }) => {
      const beat = status.journal?.writerBeat;
      if (beat === undefined) return [];
      return writerConditions.map((condition) => ({
        labels: { condition },
        value: beat.condition === condition ? 1 : 0,
      }));
    },
  },
  {
    name: "certwire_writer_dropped_records_total",
    type: "counter",
    labels: [],
    help: "Records that the exit module dropped for lack of memory; begins at 0 with the CA, not with the service.",
    read: single(({ status }) => status.journal?.writerBeat?.droppedRecords),
  },
  {
    name: "certwire_writer_waiting_bytes",
    type: "gauge",
    labels: [],
    help: "Memory of records that the exit module has not written yet.",
    read: single(({ status }) => status.journal?.writerBeat?.waitingBytes),
  },
  {
    name: "certwire_writer_operations_total",
    type: "counter",
    labels: ["operation"],
    help: "Operations that the exit module measured (`append`, `write`, `flush`), as far as this service has read the journal.",
    read: eachOperation(({ count }) => [{ labels: {}, value: count }]),
  },
  {
    name: "certwire_writer_duration_seconds",
    type: "gauge",
    labels: ["operation", "quantile"],
    help: "Quantiles of these operations' durations; `append` is the time for which the CA was held.",
    read: eachOperation((durations) =>
      quantiles.flatMap(([quantile, key]) => {
        const us = durations[key];
        return us === undefined ? [] : [{ labels: { quantile }, value: us / 1_000_000 }];
      }),
    ),
  },
];
