import type { HistogramCounts } from "../pipeline/tally.ts";
import type { Observation } from "../service/live-status.ts";
import type { Labels, Metric } from "./metric.ts";
import { serviceMetrics } from "./metrics-of-service.ts";
import { sinkMetrics } from "./metrics-of-sinks.ts";

/** Every metric, in the order in which they are served and documented. */
export const metrics: readonly Metric[] = [...serviceMetrics, ...sinkMetrics];

/** The formats that Prometheus reads: text 0.0.4, and OpenMetrics 1.0. */
export type ExpositionFormat = "prometheus" | "openmetrics";

/** The bytes of an observation are made once, however many scrape it. */
const bodies = {
  prometheus: new WeakMap<Observation, Buffer>(),
  openmetrics: new WeakMap<Observation, Buffer>(),
} as const;

/** All metrics in a text format, in UTF-8; the same bytes for the same observation. */
export function metricsBody(observation: Observation, format: ExpositionFormat): Buffer {
  const known = bodies[format].get(observation);
  if (known !== undefined) return known;
  const body = Buffer.from(metricsText(observation, format));
  bodies[format].set(observation, body);
  return body;
}

/**
 * All metrics in a text format. Written by hand and not by a client library: every value is counted elsewhere already,
 * in the place that the log takes it from.
 */
export function metricsText(observation: Observation, format: ExpositionFormat): string {
  const blocks = metrics.flatMap((metric) => {
    const lines = metric
      .read(observation)
      .flatMap(({ labels, value }) =>
        typeof value === "number"
          ? [line(metric.name, labels, value)]
          : histogramLines(metric.name, labels, value),
      );
    return lines.length === 0 ? [] : [...head(metric, format), ...lines];
  });
  return `${[...blocks, ...(format === "openmetrics" ? ["# EOF"] : [])].join("\n")}\n`;
}

function head({ name, type, help }: Metric, format: ExpositionFormat): string[] {
  // In OpenMetrics the family of a counter is named without the suffix of its samples.
  const family = format === "openmetrics" ? name.replace(/_total$/, "") : name;
  const text = help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  const escaped = format === "openmetrics" ? text.replaceAll('"', '\\"') : text;
  return [`# HELP ${family} ${escaped}`, `# TYPE ${family} ${type}`];
}

function histogramLines(
  name: string,
  labels: Labels,
  { limits, counts, sum }: HistogramCounts,
): string[] {
  let below = 0;
  const buckets = counts.map((count, index) => {
    below += count;
    const limit = limits[index];
    return line(
      `${name}_bucket`,
      { ...labels, le: limit === undefined ? "+Inf" : limitText(limit) },
      below,
    );
  });
  return [...buckets, line(`${name}_sum`, labels, sum), line(`${name}_count`, labels, below)];
}

function line(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escapeLabel(text)}"`);
  const all = pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
  return `${name}${all} ${value}`;
}

function escapeLabel(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}

/** OpenMetrics wants a point in the values of `le`. */
function limitText(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value);
}
