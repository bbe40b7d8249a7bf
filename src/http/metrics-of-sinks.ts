import type { Observation, SinkView } from "../service/live-status.ts";
import { ageOf, eachKey, eachSink, type Metric } from "./metric.ts";

const states = [
  "connecting",
  "publishing",
  "retrying",
  "alarm",
  "draining",
  "stopped",
] as const satisfies readonly SinkView["stats"]["state"][];

function shown({ stats }: SinkView, { status }: Observation) {
  return status.sinks.find(({ name }) => name === stats.sink);
}

function backlogAge(view: SinkView, observation: Observation): number | undefined {
  const backlog = shown(view, observation)?.backlog;
  const known = backlog === undefined ? undefined : 0;
  const oldest = view.stats.oldestUnacknowledged ?? backlog?.oldestTime;
  return ageOf(oldest, observation) ?? known;
}

const sink = ["sink"];

/** What is counted and measured of each sink. */
export const sinkMetrics: readonly Metric[] = [
  {
    name: "certwire_events_acknowledged_total",
    type: "counter",
    labels: ["sink", "event_kind"],
    help: "Events that the sink acknowledged.",
    read: eachKey("event_kind", ({ tally }) => tally.acknowledged),
  },
  {
    name: "certwire_events_skipped_total",
    type: "counter",
    labels: ["sink", "event_kind"],
    help: "Events that the sink does not want (`only`, `except`); after a restart some count again.",
    read: eachKey("event_kind", ({ tally }) => tally.skipped),
  },
  {
    name: "certwire_acknowledged_bytes_total",
    type: "counter",
    labels: sink,
    help: "JSON bytes of the acknowledged events.",
    read: eachSink(({ stats }) => stats.acknowledgedBytes),
  },
  {
    name: "certwire_events_published_total",
    type: "counter",
    labels: sink,
    help: "Events handed to the sink; a retry counts again.",
    read: eachSink(({ stats }) => stats.publishedEvents),
  },
  {
    name: "certwire_publish_failures_total",
    type: "counter",
    labels: ["sink", "failure"],
    help: "Failed publishes by kind of failure; they are tried again, except of the kind `poison`.",
    read: eachKey("failure", ({ stats }) => stats.failures),
  },
  {
    name: "certwire_dead_letters_total",
    type: "counter",
    labels: ["sink", "reason"],
    help: "Dead letters written, by reason.",
    read: eachKey("reason", ({ stats }) => stats.deadLetters),
  },
  {
    name: "certwire_events_retried_total",
    type: "counter",
    labels: ["sink", "failure"],
    help: "Events that were sent again, by kind of failure; a series begins with its first failure.",
    read: eachKey("failure", ({ tally }) => tally.retried),
  },
  {
    name: "certwire_events_dead_lettered_total",
    type: "counter",
    labels: ["sink", "event_kind", "reason"],
    help: "The dead letters by kind of event too, `record` for one that could not be decoded; a series begins with its first dead letter.",
    read: ({ views }) =>
      views.flatMap(({ stats, tally }) =>
        tally.deadLetters.map(({ kind, reason, count }) => ({
          labels: { sink: stats.sink, event_kind: kind, reason },
          value: count,
        })),
      ),
  },
  {
    name: "certwire_gaps_total",
    type: "counter",
    labels: ["sink", "reason"],
    help: "Gaps read from the journal; `unclean-stop` alone is not a loss.",
    read: eachKey("reason", ({ tally }) => tally.gaps),
  },
  {
    name: "certwire_open_failures_total",
    type: "counter",
    labels: sink,
    help: "Failed tries to open the sink.",
    read: eachSink(({ stats }) => stats.openFailures),
  },
  {
    name: "certwire_source_failures_total",
    type: "counter",
    labels: sink,
    help: "Failed tries to read the journal.",
    read: eachSink(({ stats }) => stats.sourceFailures),
  },
  {
    name: "certwire_checkpoints_total",
    type: "counter",
    labels: sink,
    help: "Checkpoints written.",
    read: eachSink(({ stats }) => stats.checkpoints),
  },
  {
    name: "certwire_checkpoint_failures_total",
    type: "counter",
    labels: sink,
    help: "Failed tries to write a checkpoint.",
    read: eachSink(({ stats }) => stats.checkpointFailures),
  },
  {
    name: "certwire_lane_changes_total",
    type: "counter",
    labels: sink,
    help: "How often the sink's lanes changed.",
    read: eachSink(({ stats }) => stats.relayouts),
  },
  {
    name: "certwire_unmarked_records_total",
    type: "counter",
    labels: sink,
    help: "Records read without a mark of the writer because they were older than 2 s.",
    read: eachSink(({ stats }) => stats.reader?.unmarkedFrames),
  },
  {
    name: "certwire_damaged_ranges_total",
    type: "counter",
    labels: sink,
    help: "Damaged places found in the journal.",
    read: eachSink(({ stats }) => stats.reader?.damagedRanges),
  },
  {
    name: "certwire_broken_links_total",
    type: "counter",
    labels: sink,
    help: "Records read that do not fit into the journal's hash chain: somebody has changed the journal.",
    read: eachSink(({ stats }) => stats.reader?.brokenLinks),
  },
  {
    name: "certwire_sink_state",
    type: "gauge",
    labels: ["sink", "state"],
    help: "1 for the state that the sink's pipeline is in, 0 for the others.",
    read: ({ views }) =>
      views.flatMap(({ stats }) =>
        states.map((state) => ({
          labels: { sink: stats.sink, state },
          value: stats.state === state ? 1 : 0,
        })),
      ),
  },
  {
    name: "certwire_sink_connected",
    type: "gauge",
    labels: sink,
    help: "1 while the sink reaches its broker or files, as far as it has noticed.",
    read: eachSink(({ stats }) => (stats.isConnected ? 1 : 0)),
  },
  {
    name: "certwire_sink_blocked",
    type: "gauge",
    labels: sink,
    help: "1 while the broker has announced that it accepts nothing.",
    read: eachSink(({ troubles }) => (troubles.isBlocked ? 1 : 0)),
  },
  {
    name: "certwire_lanes",
    type: "gauge",
    labels: sink,
    help: "Lanes at work; 0 before the sink was opened.",
    read: eachSink(({ stats }) => stats.lanes),
  },
  {
    name: "certwire_in_flight_events",
    type: "gauge",
    labels: sink,
    help: "Events between the oldest unacknowledged one and the newest read.",
    read: eachSink(({ stats }) => stats.inFlightEvents),
  },
  {
    name: "certwire_in_flight_bytes",
    type: "gauge",
    labels: sink,
    help: "JSON bytes of the unacknowledged events in memory.",
    read: eachSink(({ stats }) => stats.inFlightBytes),
  },
  {
    name: "certwire_backlog_records",
    type: "gauge",
    labels: sink,
    help: "Records after the checkpoint; absent while it is in an older epoch than the newest record.",
    read: eachSink((view, observation) => shown(view, observation)?.backlog?.records),
  },
  {
    name: "certwire_backlog_bytes",
    type: "gauge",
    labels: sink,
    help: "Bytes of the journal after the checkpoint, unused ends of older segments included; absent if journal or checkpoint cannot be read.",
    read: eachSink((view, observation) => shown(view, observation)?.backlog?.bytes),
  },
  {
    name: "certwire_backlog_age_seconds",
    type: "gauge",
    labels: sink,
    help: "Age of the oldest event that is not acknowledged: the delay of the sink; 0 if there is none.",
    read: eachSink(backlogAge),
  },
  {
    name: "certwire_checkpoint_age_seconds",
    type: "gauge",
    labels: sink,
    help: "Time since the checkpoint was written; an idle sink writes none.",
    read: eachSink((view, observation) =>
      ageOf(shown(view, observation)?.checkpoint?.savedTime, observation),
    ),
  },
  {
    name: "certwire_dead_letter_bytes",
    type: "gauge",
    labels: sink,
    help: "Bytes of the sink's dead-letter files.",
    read: eachSink((view, observation) => shown(view, observation)?.deadLetters?.bytes),
  },
  {
    name: "certwire_dead_letter_fill_ratio",
    type: "gauge",
    labels: sink,
    help: "The same as a share of `maxDeadLetterMegabytes`; at 1 the sink waits.",
    read: eachSink((view, observation) => shown(view, observation)?.deadLetters?.share),
  },
  {
    name: "certwire_certificate_not_after_timestamp_seconds",
    type: "gauge",
    labels: ["sink", "file"],
    help: "End of a certificate file that the sink uses, in s since 1970: of a client certificate the first, of CAs to trust the last. `sink` is empty for the certificate of the HTTP endpoint.",
    read: ({ certificates }) =>
      [...certificates].flatMap(([name, files]) =>
        files.map((each) => ({
          labels: { sink: name, file: each.name },
          value: each.notAfterMs / 1000,
        })),
      ),
  },
  {
    name: "certwire_broker_certificate_not_after_timestamp_seconds",
    type: "gauge",
    labels: ["sink", "server"],
    help: "End of the certificate that a broker shows, in s since 1970, asked for twice a day.",
    read: ({ brokerCertificates }) =>
      [...brokerCertificates].flatMap(([name, servers]) =>
        servers.map((each) => ({
          labels: { sink: name, server: each.name },
          value: each.notAfterMs / 1000,
        })),
      ),
  },
  {
    name: "certwire_end_to_end_latency_seconds",
    type: "histogram",
    labels: sink,
    help: "Time from the record of an event in the journal to its acknowledgement.",
    read: eachSink(({ tally }) => tally.latency),
  },
  {
    name: "certwire_publish_duration_seconds",
    type: "histogram",
    labels: sink,
    help: "Time of single publishes, failed ones too.",
    read: eachSink(({ tally }) => tally.publishDuration),
  },
  {
    name: "certwire_batch_events",
    type: "histogram",
    labels: sink,
    help: "Events of single publishes, failed ones too.",
    read: eachSink(({ tally }) => tally.batchEvents),
  },
];
