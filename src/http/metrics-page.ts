import { metrics } from "./metrics.ts";

const head = `# Metrics

\`/metrics\` of the [HTTP endpoint](../how-to/see-it-run.md) serves these, in the text format of Prometheus, or as OpenMetrics to a client
that asks for it. Counters and histograms begin at 0 with the service; \`rate()\` and \`increase()\` know that. The log line
[\`progress\`](log-lines.md#progress) has the same counters from the same place.

\`event_kind\` is a [kind of event](events.md), \`failure\` a kind of failure and \`reason\` a reason as in the
[log](log-lines.md#publishing). The number of series is limited by the number of sinks: no label has a name from a certificate.

| metric | type | labels | meaning |
|---|---|---|---|
`;

/** The text of docs/reference/metrics.md. */
export function metricsPage(): string {
  const rows = metrics.map(({ name, type, labels, help }) => {
    const names = labels.map((label) => `\`${label}\``).join(", ");
    return `| \`${name}\` | ${type} | ${names} | ${help.replaceAll("|", "\\|")} |\n`;
  });
  return `${head}${rows.join("")}`;
}
