import { Gauge, type MetricType, Registry, type RegistryContentType } from "prom-client";
import type { Observation } from "../service/live-status.ts";
import type { Metric, Sample } from "./metric.ts";
import { metrics } from "./metrics.ts";

/** The formats that Prometheus reads: text 0.0.4, and OpenMetrics 1.0. */
export type ExpositionFormat = "prometheus" | "openmetrics";

/** The bytes of an observation are made once, however many scrape it. */
const bodies = {
  prometheus: new WeakMap<Observation, Promise<Buffer>>(),
  openmetrics: new WeakMap<Observation, Promise<Buffer>>(),
} as const;

/** All metrics in a text format, in UTF-8; the same bytes for the same observation. */
export function metricsBody(observation: Observation, format: ExpositionFormat): Promise<Buffer> {
  const known = bodies[format].get(observation);
  if (known !== undefined) return known;
  const body = metricsText(observation, format).then((text) => Buffer.from(text));
  bodies[format].set(observation, body);
  return body;
}

/** All metrics in a text format. A metric without samples is left out. */
export async function metricsText(
  observation: Observation,
  format: ExpositionFormat,
): Promise<string> {
  const registry = new Registry<RegistryContentType>();
  registry.setContentType(contentTypes[format]);
  for (const metric of metrics) {
    const samples = metric.read(observation);
    if (samples.length > 0) registry.registerMetric(new ReadMetric(metric, samples, format));
  }
  return registry.metrics();
}

/** The content type of a format. */
export const contentTypes = {
  prometheus: Registry.PROMETHEUS_CONTENT_TYPE,
  openmetrics: Registry.OPENMETRICS_CONTENT_TYPE,
} as const;

/**
 * A metric whose samples are there already. Nothing is counted in prom-client: every value is counted in the place
 * that the log takes it from, so that the two cannot differ.
 */
class ReadMetric extends Gauge {
  readonly #family: Awaited<ReturnType<Gauge["get"]>>;

  constructor(metric: Metric, samples: readonly Sample[], format: ExpositionFormat) {
    super({ name: metric.name, help: metric.help, registers: [] });
    this.#family = {
      // OpenMetrics names the family of a counter without the suffix, which the registry then adds to the samples.
      name: format === "openmetrics" ? metric.name.replace(/_total$/, "") : metric.name,
      help: metric.help,
      // The declared type numbers what the registry writes as a word.
      type: metric.type as unknown as MetricType,
      aggregator: "sum",
      collect() {},
      values: samples.flatMap((sample) => valuesOf(metric.name, sample)),
    };
  }

  override async get() {
    return this.#family;
  }
}

function valuesOf(name: string, { labels, value }: Sample) {
  if (typeof value === "number") return [{ labels, value }];
  let below = 0;
  const buckets = value.counts.map((count, index) => {
    below += count;
    const limit = value.limits[index];
    const le = limit === undefined ? "+Inf" : limitText(limit);
    return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: below };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: value.sum },
    { metricName: `${name}_count`, labels, value: below },
  ];
}

/** OpenMetrics wants a point in the values of `le`. */
function limitText(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value);
}
