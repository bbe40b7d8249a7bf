// Each query of the shipped dashboard, answered by a real Prometheus that scrapes a real service.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { type Panel, VariableType } from "@grafana/grafana-foundation-sdk/dashboard";
import type { dataquery as Dataquery } from "@grafana/grafana-foundation-sdk/prometheus";
import { grafanaDashboard } from "../../scripts/dashboard.ts";
import { startCli } from "../support/run-cli.ts";
import { sampleObservation } from "../support/sample-observation.ts";
import { flushed, journalDirectory, openSmall, record } from "../support/small-journal.ts";
import { until } from "../support/until.ts";
import { freePorts } from "./support/free-ports.ts";
import { Prometheus, type QueriedSeries } from "./support/prometheus.ts";
import { serveObservations } from "./support/serve-observations.ts";

const dashboard = grafanaDashboard();

interface PanelQuery {
  readonly title: string;
  readonly expression: string;
  readonly legend: string;
}

const queries: readonly PanelQuery[] = (dashboard.panels ?? []).flatMap((panel) => {
  const { title = "", targets = [] } = panel as Panel;
  return (targets as Dataquery[]).map(({ expr, legendFormat = "" }) => ({
    title,
    expression: expr,
    legend: legendFormat,
  }));
});

type Values = ReadonlyMap<string, string>;

/** PromQL as Grafana sends it. */
function filledIn(expression: string, values: Values): string {
  const named = expression.replaceAll(/\$(\w+)/g, (text, name: string) => values.get(name) ?? text);
  assert.doesNotMatch(named, /\$/);
  return named;
}

/** What Grafana lets one choose at the top of the page, with all of it chosen. */
async function chosenValues(prometheus: Prometheus, instances: number): Promise<Values> {
  const values = new Map([["__rate_interval", "60s"]]);
  for (const { name, type, query } of dashboard.templating?.list ?? []) {
    if (type !== VariableType.Query || typeof query !== "string") continue;
    const [, selector = "", label = ""] = /^label_values\((.*), (\w+)\)$/.exec(query) ?? [];
    const found = await until(
      async () => {
        const each = await prometheus.labelValues(label, filledIn(selector, values));
        return each.length >= (name === "instance" ? instances : 1) && each;
      },
      `there is something to choose for ${name}`,
      { everyMs: 200 },
    );
    // A dot of an address stands for itself. The backslash is one of PromQL's string too.
    const escaped = found.map((value) => value.replaceAll(".", "\\\\."));
    values.set(name, `(${escaped.join("|")})`);
  }
  return values;
}

const isShown = ({ value }: QueriedSeries): boolean => Number.isFinite(value);

test("no panel of the dashboard is empty, and no two of its lines have one name, while a sink works and another does not", async (t) => {
  const journal = journalDirectory(t);
  const simulator = openSmall(journal);
  t.after(() => simulator.close());
  const [port = 0] = await freePorts(1);
  const config = join(dirname(journal), "certwire.json");
  const content = {
    journal: { directory: journal },
    state: { directory: "state" },
    http: { listen: `127.0.0.1:${port}` },
    sinks: [
      { name: "files", url: "file:events" },
      { name: "broken", url: "amqp://127.0.0.1:1/?exchange=one", retryMaxMs: 50 },
    ],
  };
  writeFileSync(config, JSON.stringify(content));
  const service = startCli(["run", "--config", config]);
  t.after(() => service.child.kill("SIGKILL"));
  // Only on Windows does a service compare with the database of a CA.
  const comparing = await serveObservations(t, () => sampleObservation());
  const prometheus = await Prometheus.start(t, `127.0.0.1:${port}`, comparing);
  const values = await chosenValues(prometheus, 2);
  const only = (target: string): Values =>
    new Map([...values, ["instance", target.replaceAll(".", "\\\\.")]]);
  const ofService = only(`127.0.0.1:${port}`);
  const valuesFor = (expression: string): Values =>
    expression.includes("certwire_reconcile_") ? only(comparing) : ofService;

  let recorded = 0;
  const missing = new Map(queries.map((query) => [query.expression, query]));
  const names = new Map<string, Set<string>>();
  await until(
    async () => {
      // A rate takes two scrapes, between which something comes.
      record(simulator, recorded + 1, recorded + 5);
      recorded += 5;
      await flushed(simulator);
      for (const { title, expression, legend } of missing.values()) {
        const answer = await prometheus.query(filledIn(expression, valuesFor(expression)));
        const series = answer.filter(isShown);
        if (series.length === 0) continue;
        missing.delete(expression);
        const lines = names.get(title) ?? new Set();
        names.set(title, lines);
        for (const { labels } of series) {
          if (legend === "") continue;
          const name = legend.replaceAll(/\{\{(\w+)\}\}/g, (_, label: string) => {
            assert.ok(labels[label], `${title}: a line without ${label}`);
            return labels[label];
          });
          assert.ok(!lines.has(name), `${title}: two lines are called ${name}`);
          lines.add(name);
        }
      }
      return missing.size === 0;
    },
    "every panel shows something",
    { everyMs: 500, state: () => [...missing.values()].map(({ title }) => title) },
  );
  assert.deepEqual([...(names.get("State") ?? [])], ["failing"]);
  assert.equal(service.child.exitCode, null);
});
