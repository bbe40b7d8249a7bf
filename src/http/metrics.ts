import type { Metric } from "./metric.ts";
import { serviceMetrics } from "./metrics-of-service.ts";
import { sinkMetrics } from "./metrics-of-sinks.ts";

/** Every metric, in the order in which they are served and documented. */
export const metrics: readonly Metric[] = [...serviceMetrics, ...sinkMetrics];
