// Each alert in Prometheus' own evaluator: it fires when it should, and stays silent when it should not.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { grafanaDashboard } from "../../scripts/dashboard.ts";
import { type AlertName, alerts } from "../../src/health/alerts.ts";
import type { HealthCode } from "../../src/health/reasons.ts";
import { repoRoot } from "./support/repo-root.ts";
import { makeTempDirectory } from "./support/temp-directory.ts";

const rules = join(repoRoot, "config", "prometheus-alerts.yml");
const instance = { job: "certwire", instance: "ca1:9470" };

/** A series: its name and labels, and its values minute by minute in promtool's notation. */
type Series = readonly [name: string, labels: Record<string, string>, values: string];

interface Case {
  readonly series: readonly Series[];
  /** Minute in which it fires; none for a case in which it never does. */
  readonly fires?: number;
  /** Labels of the alert besides those of the machine. */
  readonly labels?: Record<string, string>;
}

/** Minutes for which a case lasts. */
const minutes = 180;

function reason(code: HealthCode, state: string, values: string, sink = "kafka"): Series {
  return ["certwire_health_reason", { code, sink, state }, values];
}

/** It fires when the reason has lasted `fires` minutes; a shorter time and, if there is one, the milder state are silent. */
function onReason(code: HealthCode, state: string, fires: number, milder?: string): Case[] {
  const sink = "kafka";
  return [
    { series: [reason(code, state, `1x${minutes}`)], fires, labels: { sink } },
    ...(fires === 0 ? [] : [{ series: [reason(code, state, `1x${fires - 1} stale`)] }]),
    ...(milder === undefined ? [] : [{ series: [reason(code, milder, `1x${minutes}`)] }]),
    { series: [reason("sink-behind", "none", `1x${minutes}`)] },
  ];
}

const GiB = 1024 ** 3;
const capacity: Series = ["certwire_journal_capacity_bytes", {}, `${10 * GiB}x${minutes}`];
const late: Series = ["certwire_backlog_age_seconds", { sink: "kafka" }, `3600x${minutes}`];
const backlog = (values: string): Series => ["certwire_backlog_bytes", { sink: "kafka" }, values];
const append = { operation: "append", quantile: "0.99" };

/** The 99th percentile of `count` appends in s, and whether the exit module is there. */
function slowness(seconds: string, count: number, isUp: 0 | 1): Series[] {
  return [
    ["certwire_writer_duration_seconds", append, `${seconds}x${minutes}`],
    ["certwire_writer_operations_total", { operation: "append" }, `${count}x${minutes}`],
    ["certwire_writer_up", {}, `${isUp}x${minutes}`],
  ];
}

const cases: Record<AlertName, Case[]> = {
  CertwireDown: [
    { series: [["up", {}, `0x${minutes}`]], fires: 5 },
    { series: [["up", {}, `0x4 1x${minutes}`]] },
    { series: [["up", {}, `1x${minutes}`]] },
  ],
  CertwireRestarts: [
    { series: [["certwire_start_time_seconds", {}, `1 2 3 4 5x${minutes}`]], fires: 4 },
    { series: [["certwire_start_time_seconds", {}, `1 2 3 4x${minutes}`]] },
  ],
  CertwireSinkDown: [
    ...onReason("sink-unreachable", "failing", 10, "degraded"),
    ...onReason("sink-blocked", "failing", 10, "degraded"),
    // The codes of one outage may change.
    {
      series: [
        reason("sink-busy", "failing", `1x6 stale`),
        reason("sink-unreachable", "failing", `_x6 1x${minutes}`),
      ],
      fires: 10,
      labels: { sink: "kafka" },
    },
  ],
  CertwireSinkRefused: [
    ...onReason("sink-refused", "failing", 5, "degraded"),
    ...onReason("events-unroutable", "failing", 5),
  ],
  CertwireSinkBehind: onReason("sink-behind", "degraded", 30).slice(0, 2),
  CertwireDeadLetters: onReason("dead-letters", "degraded", 0),
  CertwireKindDeadLettered: onReason("kind-dead-lettered", "failing", 1),
  CertwireDeadLettersNearLimit: onReason("dead-letters-near-limit", "degraded", 10),
  CertwireDeadLettersFull: onReason("dead-letters-full", "failing", 1, "degraded"),
  CertwireStateUnwritable: [
    ...onReason("checkpoint-unwritable", "failing", 5),
    ...onReason("dead-letter-unwritable", "failing", 5, "degraded"),
    ...onReason("routed-kinds-unwritable", "failing", 5),
    ...onReason("state-unreadable", "failing", 5),
  ],
  CertwireJournalUnreadable: onReason("journal-unreadable", "failing", 5, "degraded"),
  CertwireRecordWaits: onReason("record-waits", "failing", 5),
  CertwireJournalNearLimit: onReason("journal-near-limit", "failing", 1, "degraded"),
  CertwireJournalFillsUp: [
    // 0.02 GiB a minute: 14.4 GiB in 12 hours. Two values are needed to see the growth.
    {
      series: [capacity, late, backlog(`0+${0.02 * GiB}x${minutes}`)],
      fires: 16,
      labels: { sink: "kafka" },
    },
    // 0.01 GiB a minute comes to less than 8.5 GiB as long as less than 1.3 GiB are there.
    { series: [capacity, late, backlog(`0+${0.01 * GiB}x100 ${GiB}x${minutes}`)] },
    // A backlog that grows fast, but of young events: a peak.
    {
      series: [
        capacity,
        backlog(`0+${0.02 * GiB}x${minutes}`),
        [late[0], late[1], `60x${minutes}`],
      ],
    },
    { series: [capacity, late, backlog(`${8 * GiB}-${0.02 * GiB}x${minutes}`)] },
  ],
  CertwireVolumeNearlyFull: [
    ...onReason("volume-nearly-full", "degraded", 10),
    {
      series: [
        reason("volume-nearly-full", "degraded", `1x6 stale`, ""),
        reason("volume-nearly-full", "failing", `_x6 1x${minutes}`, ""),
      ],
      fires: 10,
    },
  ],
  CertwireVolumeFull: onReason("volume-nearly-full", "failing", 1, "degraded"),
  CertwireWriterGone: onReason("writer-gone", "failing", 5),
  CertwireWriterStuck: onReason("writer-stuck", "failing", 5),
  CertwireWriterDegraded: [
    ...onReason("writer-degraded", "failing", 2),
    ...onReason("writer-degraded", "degraded", 2),
  ],
  CertwireQuiet: onReason("no-events", "degraded", 10),
  CertwireEventsLost: onReason("gap-seen", "degraded", 0),
  CertwireReconcileFailing: [
    ...onReason("reconcile-failed", "degraded", 60),
    ...onReason("reconcile-overdue", "degraded", 60),
    ...onReason("reconcile-unpublished", "degraded", 60),
  ],
  CertwireReconcileFindings: onReason("reconcile-findings", "degraded", 0),
  CertwireClockBehind: onReason("clock-behind", "degraded", 10),
  CertwireCertificateExpires: onReason("certificate-ends", "degraded", 60, "failing"),
  CertwireCertificateExpired: onReason("certificate-ends", "failing", 1, "degraded"),
  CertwireExitModuleSlow: [
    { series: slowness("0.003", 1000, 1), fires: 15, labels: append },
    { series: slowness("0.001", 1000, 1) },
    { series: slowness("0.003", 999, 1) },
    // A CA that is stopped holds up nobody; its last figures stay.
    { series: slowness("0.003", 1000, 0) },
  ],
};

function seriesText([name, labels, values]: Series): { series: string; values: string } {
  const all = Object.entries({ ...instance, ...labels });
  const text = all.map(([label, value]) => `${label}=${JSON.stringify(value)}`).join(",");
  return { series: `${name}{${text}}`, values };
}

function promtool(...args: string[]): { code: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync("promtool", args, { encoding: "utf8" });
  return { code: status, output: `${stdout}${stderr}` };
}

/** What promtool is to try out: nothing in the minute before an alert fires, then the alert; or never anything. */
function trial(name: AlertName, { series, fires, labels = {} }: Case): object {
  const { severity, summary } = alerts[name];
  const all: Record<string, string> = { ...instance, ...labels };
  const found = {
    exp_labels: { severity, ...all },
    exp_annotations: {
      summary: summary
        .replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_, label: string) => all[label] ?? "")
        .replaceAll("{{ $value }}", "4"),
      runbook: `certwire explain ${name}`,
    },
  };
  const silent =
    fires === undefined ? [0, 1, 6, 20, 61, 90, minutes] : fires === 0 ? [] : [fires - 1];
  return {
    interval: "1m",
    input_series: series.map(seriesText),
    alert_rule_test: [
      ...silent.map((minute) => ({ eval_time: `${minute}m`, alertname: name, exp_alerts: [] })),
      ...(fires === undefined
        ? []
        : [{ eval_time: `${fires}m`, alertname: name, exp_alerts: [found] }]),
    ],
  };
}

for (const [name, trials] of Object.entries(cases) as [AlertName, Case[]][]) {
  test(`${name} fires when it should, and stays silent when it should not`, () => {
    assert.ok(trials.some(({ fires }) => fires !== undefined));
    assert.ok(trials.some(({ fires }) => fires === undefined));
    const path = join(makeTempDirectory("alerts"), "tests.json");
    // JSON is YAML.
    const content = {
      rule_files: [rules],
      evaluation_interval: "1m",
      tests: trials.map((each) => trial(name, each)),
    };
    writeFileSync(path, JSON.stringify(content));
    const { code, output } = promtool("test", "rules", path);
    assert.equal(code, 0, output);
  });
}

test("Prometheus accepts the configuration of the example with the shipped rules", () => {
  const text = readFileSync(join(repoRoot, "docker", "prometheus.yml"), "utf8");
  const path = join(makeTempDirectory("prometheus"), "prometheus.yml");
  writeFileSync(path, text.replace("/etc/prometheus/certwire-alerts.yml", rules));
  const { code, output } = promtool("check", "config", path);
  assert.equal(code, 0, output);
  assert.match(output, new RegExp(`${Object.keys(alerts).length} rules found`));
});

test("Prometheus accepts the rules, and every query of the dashboard", () => {
  const { code, output } = promtool("check", "rules", rules);
  assert.equal(code, 0, output);
  const queries = [...JSON.stringify(grafanaDashboard()).matchAll(/"expr":("(?:[^"\\]|\\.)*")/g)];
  const records = queries.map(([, quoted = '""'], at) => ({
    record: `query_${at}`,
    expr: (JSON.parse(quoted) as string).replaceAll("$__rate_interval", "5m"),
  }));
  assert.ok(records.length > 15, String(records.length));
  const path = join(makeTempDirectory("dashboard"), "rules.json");
  writeFileSync(path, JSON.stringify({ groups: [{ name: "dashboard", rules: records }] }));
  const queriesChecked = promtool("check", "rules", path);
  assert.equal(queriesChecked.code, 0, queriesChecked.output);
});
