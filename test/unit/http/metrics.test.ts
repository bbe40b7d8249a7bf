import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { metricsText } from "../../../src/http/exposition.ts";
import { metrics } from "../../../src/http/metrics.ts";
import { metricsPage } from "../../../src/http/metrics-page.ts";
import { parseMetrics } from "../../support/parse-metrics.ts";
import { sampleObservation } from "../../support/sample-observation.ts";

test("every metric of the table is served, with its type and its labels, and no other", async () => {
  const { families, samples } = parseMetrics(await metricsText(sampleObservation(), "prometheus"));
  assert.deepEqual(
    [...families].map(([name, { type }]) => `${type} ${name}`),
    metrics.map(({ name, type }) => `${type} ${name}`),
  );
  for (const { name, type, labels } of metrics) {
    const own = type === "histogram" ? `${name}_count` : name;
    const found = [...samples.keys()].filter((key) => key.replace(/\{.*$/s, "") === own);
    assert.ok(found.length > 0, name);
    for (const key of found) {
      const names = [...key.matchAll(/[{,](\w+)="/g)].map(([, label]) => label);
      assert.deepEqual(new Set(names), new Set(labels), key);
    }
  }
});

test("what cannot be read of a sink is left out, not zero", async () => {
  const given = sampleObservation();
  const [view] = given.views;
  assert.ok(view);
  const { oldestUnacknowledged: _, ...stats } = view.stats;
  const sinks = [{ name: "kafka", kind: "kafka" }];
  const observation = {
    ...given,
    views: [{ ...view, stats }],
    status: { ...given.status, sinks },
  };
  const { samples } = parseMetrics(await metricsText(observation, "prometheus"));
  const unknown = /^certwire_(backlog|checkpoint_age|dead_letter_(bytes|fill))/;
  assert.deepEqual(
    [...samples.keys()].filter((key) => unknown.test(key)),
    [],
  );
});

test("names follow the rules: the prefix, a base unit, and `_total` for counters alone", () => {
  for (const { name, type, help } of metrics) {
    assert.match(name, /^certwire_[a-z]+(_[a-z]+)*$/);
    assert.equal(name.endsWith("_total"), type === "counter", name);
    assert.doesNotMatch(name, /_(ms|us|kilobytes|percent|minutes)(_|$)/);
    // Neither needs an escape: prom-client leaves a quote as it is, which OpenMetrics does not allow.
    assert.match(help, /^[^\n\\"]+\.$/, name);
  }
  assert.equal(new Set(metrics.map(({ name }) => name)).size, metrics.length);
});

test("the values are those of the monitor, the readers and the disk", async () => {
  const { samples } = parseMetrics(await metricsText(sampleObservation(), "prometheus"));
  const sink = 'sink="kafka"';
  const expected = {
    [`certwire_events_acknowledged_total{${sink},event_kind="certificate.issued"}`]: 2,
    [`certwire_events_acknowledged_total{${sink},event_kind="crl.issued"}`]: 1,
    [`certwire_events_skipped_total{${sink},event_kind="request.denied"}`]: 1,
    [`certwire_publish_failures_total{${sink},failure="auth"}`]: 1,
    [`certwire_publish_failures_total{${sink},failure="reset"}`]: 0,
    [`certwire_events_retried_total{${sink},failure="reset"}`]: 7,
    [`certwire_events_dead_lettered_total{${sink},event_kind="crl.issued",reason="rejected"}`]: 1,
    [`certwire_dead_letters_total{${sink},reason="rejected"}`]: 1,
    [`certwire_sink_connected{${sink}}`]: 1,
    [`certwire_broker_certificate_not_after_timestamp_seconds{${sink},server="broker1:9093"}`]:
      Date.parse("2026-06-15T12:00:03Z") / 1000,
    certwire_ca_certificate_not_after_timestamp_seconds: Date.parse("2026-06-15T12:00:02Z") / 1000,
    certwire_journal_max_bytes: 6000,
    certwire_journal_min_free_bytes: 7000,
    [`certwire_gaps_total{${sink},reason="corrupt"}`]: 1,
    [`certwire_gaps_total{${sink},reason="other"}`]: 1,
    [`certwire_backlog_age_seconds{${sink}}`]: 10,
    [`certwire_checkpoint_age_seconds{${sink}}`]: 2,
    [`certwire_backlog_records{${sink}}`]: 2,
    [`certwire_dead_letter_fill_ratio{${sink}}`]: 0.25,
    [`certwire_sink_state{${sink},state="alarm"}`]: 1,
    [`certwire_sink_state{${sink},state="publishing"}`]: 0,
    [`certwire_sink_blocked{${sink}}`]: 1,
    [`certwire_damaged_ranges_total{${sink}}`]: 2,
    [`certwire_broken_links_total{${sink}}`]: 1,
    [`certwire_publish_duration_seconds_bucket{${sink},le="0.01"}`]: 0,
    [`certwire_publish_duration_seconds_bucket{${sink},le="0.025"}`]: 1,
    [`certwire_publish_duration_seconds_sum{${sink}}`]: 0.012,
    [`certwire_batch_events_bucket{${sink},le="2.0"}`]: 0,
    [`certwire_batch_events_bucket{${sink},le="5.0"}`]: 1,
    [`certwire_batch_events_bucket{${sink},le="+Inf"}`]: 1,
    [`certwire_end_to_end_latency_seconds_count{${sink}}`]: 3,
    'certwire_writer_duration_seconds{operation="append",quantile="0.99"}': 0.00008,
    'certwire_writer_operations_total{operation="flush"}': 0,
    certwire_writer_up: 1,
    certwire_writer_beat_age_seconds: 7,
    'certwire_writer_condition{condition="no-space"}': 1,
    'certwire_writer_condition{condition="ok"}': 0,
    certwire_writer_dropped_records_total: 3,
    certwire_writer_waiting_bytes: 4096,
    'certwire_health_state{state="failing"}': 1,
    [`certwire_health_reason{code="sink-refused",${sink},state="failing"}`]: 1,
    [`certwire_build_info{version="1.2.3",node="${process.versions.node}"}`]: 1,
  };
  for (const [name, value] of Object.entries(expected))
    assert.equal(samples.get(name), value, name);
});

test("a histogram only grows from bucket to bucket, up to its count", async () => {
  const { samples } = parseMetrics(await metricsText(sampleObservation(), "prometheus"));
  const buckets = [...samples].filter(([name]) =>
    name.startsWith("certwire_end_to_end_latency_seconds_bucket"),
  );
  const counts = buckets.map(([, count]) => count);
  assert.deepEqual(
    counts,
    counts.toSorted((a, b) => a - b),
  );
  assert.equal(counts.at(-1), 3);
});

test("OpenMetrics names the families of counters without their suffix, and ends", async () => {
  const text = await metricsText(sampleObservation(), "openmetrics");
  assert.ok(text.endsWith("\n# EOF\n"));
  const { families } = parseMetrics(text);
  assert.equal(families.get("certwire_events_acknowledged")?.type, "counter");
});

test("what is not known is left out", async () => {
  const { status, ...others } = sampleObservation();
  const { journal: _, ...rest } = status;
  const bare = { ...rest, sinks: [], reasons: [] };
  const { families } = parseMetrics(await metricsText({ ...others, status: bare }, "prometheus"));
  for (const name of ["certwire_writer_up", "certwire_backlog_bytes", "certwire_journal_bytes"]) {
    assert.equal(families.has(name), false, name);
  }
});

test("the reference page of the metrics is the one that the table makes", () => {
  assert.equal(readFileSync("docs/reference/metrics.md", "utf8"), metricsPage());
});
