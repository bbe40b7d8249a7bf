import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Command } from "commander";
import { alertList, alertRules } from "../../../scripts/alert-rules.ts";
import { grafanaDashboard } from "../../../scripts/dashboard.ts";
import { createProgram } from "../../../src/cli/program.ts";
import { type AlertEntry, alertOf, alerts } from "../../../src/health/alerts.ts";
import { healthReasons } from "../../../src/health/reasons.ts";
import { metrics } from "../../../src/http/metrics.ts";
import { repoRoot } from "../../integration/support/repo-root.ts";

const entries: [string, AlertEntry][] = Object.entries(alerts);
const text = (...path: string[]) => readFileSync(join(repoRoot, ...path), "utf8");

/** Names of metrics in PromQL, without what a histogram appends to its own. */
function metricsIn(expressions: string): Set<string> {
  const names = expressions.match(/certwire_\w+/g) ?? [];
  return new Set(names.map((name) => name.replace(/_bucket$/, "")));
}

test("every reason that a running service can give has an alert", () => {
  const covered = new Set(entries.flatMap(([, { reasons }]) => [...reasons]));
  const missing = Object.entries(healthReasons)
    .filter(([, { when }]) => !when.includes("Only `certwire status` can find this"))
    .map(([code]) => code)
    .filter((code) => !covered.has(code as never));
  assert.deepEqual(missing, []);
});

test("alerts and dashboard use only metrics that the service has", () => {
  const known = new Set(metrics.map(({ name }) => name));
  const used = [
    ...metricsIn(entries.map(([, { expression }]) => expression).join("\n")),
    ...metricsIn(JSON.stringify(grafanaDashboard())),
  ];
  assert.ok(used.length > 15, used.join());
  assert.deepEqual(
    used.filter((name) => !known.has(name)),
    [],
  );
});

test("every alert has a runbook, and every runbook an alert", () => {
  const pages = readdirSync(join(repoRoot, "docs", "how-to", "runbooks")).toSorted();
  assert.deepEqual(pages, entries.map(([name]) => `${name}.md`).toSorted());
  for (const page of pages) {
    const runbook = text("docs", "how-to", "runbooks", page);
    const headings = [...runbook.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading);
    const name = page.slice(0, -".md".length);
    const sections = ["Impact", "Diagnose", "Fix", "Recovery"];
    assert.deepEqual(headings, [name, ...sections]);
  }
});

test("the shipped rules, their list and the dashboard are those that the code makes", () => {
  assert.equal(text("config", "prometheus-alerts.yml"), alertRules());
  const page = text("docs", "how-to", "alert-with-prometheus.md");
  assert.equal(page, alertList(page));
  const dashboard = JSON.stringify(grafanaDashboard(), null, 2);
  assert.equal(text("config", "grafana-dashboard.json"), `${dashboard}\n`);
});

test("the runbook of a reason is that of the alert which fires for its state", () => {
  assert.equal(alertOf("certificate-ends", "degraded"), "CertwireCertificateExpires");
  assert.equal(alertOf("certificate-ends", "failing"), "CertwireCertificateExpired");
  assert.equal(alertOf("volume-nearly-full", "failing"), "CertwireVolumeFull");
  assert.equal(alertOf("volume-nearly-full", "degraded"), "CertwireVolumeNearlyFull");
  assert.equal(alertOf("sink-unreachable", "degraded"), "CertwireSinkDown");
  assert.equal(alertOf("service-stopped", "failing"), undefined);
});

test("every command in a runbook runs as it is written", () => {
  const program = createProgram();
  for (const page of readdirSync(join(repoRoot, "docs", "how-to", "runbooks"))) {
    const commands = text("docs", "how-to", "runbooks", page).matchAll(/`certwire ([^`]+)`/g);
    for (const [, words = ""] of commands) assertRuns(program, words.split(/\s+/), page);
  }
});

/** The command exists, with these options, and needs no other option or argument. */
function assertRuns(program: Command, words: readonly string[], page: string): void {
  const [name, ...rest] = words;
  const command = program.commands.find((each) => each.name() === name);
  const where = `${page}: ${words.join(" ")}`;
  assert.ok(command, where);
  if (command.commands.length > 0) return assertRuns(command, rest, page);
  const options = rest.filter((word) => word.startsWith("--"));
  for (const option of options) {
    assert.ok(
      command.options.some(({ long }) => long === option),
      where,
    );
  }
  const needed = command.options.filter(({ mandatory, long }) => {
    return mandatory && !options.includes(long ?? "");
  });
  assert.deepEqual(needed, [], where);
  const values = rest.filter((word) => !word.startsWith("--"));
  const required = command.registeredArguments.filter((each) => each.required);
  assert.ok(values.length >= required.length, where);
}
