import { BigValueTextMode } from "@grafana/grafana-foundation-sdk/common";
import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";
import * as prometheus from "@grafana/grafana-foundation-sdk/prometheus";
import * as stat from "@grafana/grafana-foundation-sdk/stat";
import * as table from "@grafana/grafana-foundation-sdk/table";
import * as timeseries from "@grafana/grafana-foundation-sdk/timeseries";

/** One line of a panel: PromQL, and how its series are called. */
type Query = readonly [expression: string, legend: string];

const source = { type: "prometheus", uid: "${datasource}" };
/** Chosen at the top of the page. */
const chosen = 'instance=~"$instance"';
const chosenSink = `${chosen},sink=~"$sink"`;

/** `at`: its place among the queries of its panel. */
function target([expression, legend]: Query, at = 0): prometheus.DataqueryBuilder {
  return new prometheus.DataqueryBuilder()
    .refId(String.fromCharCode("A".charCodeAt(0) + at))
    .expr(expression)
    .legendFormat(legend);
}

/** A value has the colour of the last step that it has reached; Grafana's own steps end with red from 80 on. */
function steps(...later: readonly dashboard.Threshold[]): dashboard.ThresholdsConfigBuilder {
  return new dashboard.ThresholdsConfigBuilder()
    .mode(dashboard.ThresholdsMode.Absolute)
    .steps([{ value: null, color: later.length > 0 ? "green" : "text" }, ...later]);
}

function fixedColor(color: string): dashboard.DynamicConfigValue[] {
  return [{ id: "color", value: { mode: dashboard.FieldColorModeId.Fixed, fixedColor: color } }];
}

function graph(title: string, unit: string, description: string, ...queries: readonly Query[]) {
  const panel = new timeseries.PanelBuilder()
    .title(title)
    .description(description)
    .unit(unit)
    .min(0)
    .datasource(source)
    .span(8)
    .height(8);
  return queries.reduce((built, query, at) => built.withTarget(target(query, at)), panel);
}

function figure(title: string, unit: string, description: string, query: Query) {
  return new stat.PanelBuilder()
    .title(title)
    .description(description)
    .unit(unit)
    .datasource(source)
    .thresholds(steps())
    .span(6)
    .height(4)
    .withTarget(target(query).instant());
}

function reasons() {
  const query = target([`certwire_health_reason{${chosen}} == 1`, ""]).instant();
  return new table.PanelBuilder()
    .title("Reasons")
    .description("Why the state is not ok; empty if it is. `certwire status` says what to do.")
    .datasource(source)
    .span(24)
    .height(5)
    .withTarget(query.format(prometheus.PromQueryFormat.Table));
}

function quantile(share: number, histogram: string): Query {
  const rates = `sum by (sink, le) (rate(${histogram}_bucket{${chosenSink}}[$__rate_interval]))`;
  return [`histogram_quantile(${share}, ${rates})`, `{{sink}} ${share}`];
}

function rate(metric: string, legend: string, by: string): Query {
  return [`sum by (${by}) (rate(${metric}{${chosenSink}}[$__rate_interval]))`, legend];
}

function variable(name: string, label: string, query: string): dashboard.QueryVariableBuilder {
  return new dashboard.QueryVariableBuilder(name)
    .label(label)
    .query(query)
    .datasource(source)
    .refresh(dashboard.VariableRefresh.OnTimeRangeChanged)
    .multi(true)
    .includeAll(true);
}

function stateRow(built: dashboard.DashboardBuilder): dashboard.DashboardBuilder {
  return built
    .withRow(new dashboard.RowBuilder("State"))
    .withPanel(
      figure("State", "none", "How many of the chosen CAs are in each state.", [
        `count by (state) (certwire_health_state{${chosen}} == 1)`,
        "{{state}}",
      ])
        .textMode(BigValueTextMode.ValueAndName)
        .overrideByName("ok", fixedColor("green"))
        .overrideByName("degraded", fixedColor("orange"))
        .overrideByName("failing", fixedColor("red")),
    )
    .withPanel(
      figure("Delay", "s", "Age of the oldest event that is not acknowledged.", [
        `max by (sink) (certwire_backlog_age_seconds{${chosenSink}})`,
        "{{sink}}",
      ]).thresholds(steps({ value: 900, color: "orange" })),
    )
    .withPanel(
      figure("Since the newest record", "s", "How long the CA has recorded nothing.", [
        `time() - max by (instance) (certwire_newest_record_timestamp_seconds{${chosen}})`,
        "{{instance}}",
      ]),
    )
    .withPanel(
      figure("Backlog of the journal's space", "percentunit", "At 85 % events get lost.", [
        `max by (instance, sink) (certwire_backlog_bytes{${chosenSink}} / on (instance, job) group_left () certwire_journal_capacity_bytes)`,
        "{{sink}}",
      ]).thresholds(steps({ value: 0.5, color: "orange" }, { value: 0.75, color: "red" })),
    )
    .withPanel(reasons());
}

function eventsRow(built: dashboard.DashboardBuilder): dashboard.DashboardBuilder {
  return built
    .withRow(new dashboard.RowBuilder("Events"))
    .withPanel(
      graph("Acknowledged", "ops", "Events that the sink acknowledged, by kind.", [
        `sum by (sink, event_kind) (rate(certwire_events_acknowledged_total{${chosenSink}}[$__rate_interval]))`,
        "{{sink}} {{event_kind}}",
      ]),
    )
    .withPanel(
      graph(
        "Latency, end to end",
        "s",
        "From the record of an event to its acknowledgement.",
        quantile(0.5, "certwire_end_to_end_latency_seconds"),
        quantile(0.99, "certwire_end_to_end_latency_seconds"),
      ),
    )
    .withPanel(
      graph("Backlog", "short", "Records after the checkpoint.", [
        `certwire_backlog_records{${chosenSink}}`,
        "{{instance}} {{sink}}",
      ]),
    );
}

function sinksRow(built: dashboard.DashboardBuilder): dashboard.DashboardBuilder {
  return built
    .withRow(new dashboard.RowBuilder("Sinks"))
    .withPanel(
      graph(
        "Publishes",
        "s",
        "Duration of single publishes, failed ones too.",
        quantile(0.5, "certwire_publish_duration_seconds"),
        quantile(0.99, "certwire_publish_duration_seconds"),
      ),
    )
    .withPanel(
      graph(
        "Failures",
        "ops",
        "Failed publishes by kind, and failed tries to open the sink.",
        rate("certwire_publish_failures_total", "{{sink}} {{failure}}", "sink, failure"),
        rate("certwire_open_failures_total", "{{sink}} open", "sink"),
      ),
    )
    .withPanel(
      graph("Dead letters", "short", "Dead letters written, since the service started.", [
        `sum by (sink, reason) (certwire_dead_letters_total{${chosenSink}})`,
        "{{sink}} {{reason}}",
      ]),
    );
}

function journalRow(built: dashboard.DashboardBuilder): dashboard.DashboardBuilder {
  return built
    .withRow(new dashboard.RowBuilder("Journal and exit module"))
    .withPanel(
      graph(
        "Journal",
        "bytes",
        "Size of the journal, and what it may come to.",
        [`certwire_journal_bytes{${chosen}}`, "{{instance}} used"],
        [`certwire_journal_capacity_bytes{${chosen}}`, "{{instance}} limit"],
      ),
    )
    .withPanel(
      graph("The CA is held for", "s", "Durations of an append, of 1,000 calls the slowest too.", [
        `certwire_writer_duration_seconds{${chosen},operation="append"}`,
        "{{instance}} {{quantile}}",
      ]),
    )
    .withPanel(
      graph(
        "Signs of life of the exit module",
        "s",
        "Time since the last one; it gives one every 10 s.",
        [`certwire_writer_beat_age_seconds{${chosen}}`, "{{instance}}"],
      ),
    )
    .withPanel(
      graph("Process of the service", "bytes", "Memory.", [
        `certwire_process_resident_memory_bytes{${chosen}}`,
        "{{instance}}",
      ]),
    );
}

function comparisonRow(built: dashboard.DashboardBuilder): dashboard.DashboardBuilder {
  return built
    .withRow(new dashboard.RowBuilder("Scheduled comparison with the CA's database"))
    .withPanel(
      graph("Open findings", "short", "What journal and database do not both have, by class.", [
        `certwire_reconcile_findings{${chosen}}`,
        "{{instance}} {{class}}",
      ]),
    )
    .withPanel(
      graph(
        "Since the last comparison",
        "s",
        "How long ago the last complete one began; empty without one.",
        [`time() - certwire_reconcile_last_timestamp_seconds{${chosen}}`, "{{instance}}"],
      ),
    )
    .withPanel(
      graph(
        "Failed comparisons",
        "short",
        "Since the service started; `certwire status` says why.",
        [`certwire_reconcile_failures_total{${chosen}}`, "{{instance}}"],
      ),
    );
}

/** The dashboard for Grafana 11.6 or later: config/grafana-dashboard.json. */
export function grafanaDashboard(): Dashboard {
  const built = new dashboard.DashboardBuilder("Certwire")
    .uid("certwire")
    .description("Events of a certification authority: from the journal to each sink.")
    .tags(["certwire", "pki"])
    .refresh("30s")
    .time({ from: "now-6h", to: "now" })
    .withVariable(new dashboard.DatasourceVariableBuilder("datasource").type("prometheus"))
    .withVariable(variable("instance", "CA", "label_values(certwire_build_info, instance)"))
    .withVariable(
      variable("sink", "Sink", 'label_values(certwire_sink_state{instance=~"$instance"}, sink)'),
    );
  const rows = [stateRow, eventsRow, sinksRow, journalRow, comparisonRow];
  const { panels = [], ...rest } = rows.reduce((all, row) => row(all), built).build();
  return { ...rest, panels: panels.map((panel, at) => ({ ...panel, id: at + 1 })) };
}
