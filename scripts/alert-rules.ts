import { type AlertEntry, alerts } from "../src/health/alerts.ts";

const head = `# Alerts for Prometheus, made from src/health/alerts.ts. The scrape job of Certwire must be called "certwire".
# severity "page": events stop or may get lost; "ticket": act within days. \`certwire explain NAME\` prints an alert's runbook.
groups:
  - name: certwire
    rules:
`;

/** The text of config/prometheus-alerts.yml. A text in JSON is one in YAML. */
export function alertRules(): string {
  const rules = Object.entries(alerts).map(([name, entry]) => ruleOf(name, entry));
  return head + rules.join("");
}

function ruleOf(name: string, alert: AlertEntry): string {
  const { summary, expression, severity } = alert;
  return `      - alert: ${name}
        expr: ${JSON.stringify(expression.replaceAll("\n", " "))}
        for: ${alert.for}
        labels:
          severity: ${severity}
        annotations:
          summary: ${JSON.stringify(summary)}
          runbook: ${JSON.stringify(`certwire explain ${name}`)}
`;
}

const listHeading = "## The alerts\n";

/** The page with its last section, the list of alerts, made anew. */
export function alertList(page: string): string {
  const [text = ""] = page.split(listHeading);
  const rows = Object.entries(alerts).map(([name, alert]) => {
    const { summary, severity }: AlertEntry = alert;
    const plain = summary
      .replaceAll(" on {{ $labels.instance }}", "")
      .replaceAll(/^Sink \{\{ \$labels\.sink \}\}/g, "A sink")
      .replaceAll(/sink \{\{ \$labels\.sink \}\}/g, "a sink")
      .replaceAll("{{ $value }}", "N");
    return `| [${name}](runbooks/${name}.md) | ${severity} | ${alert.for} | ${plain} |\n`;
  });
  return `${text}${listHeading}\n| alert | severity | for | fires when |\n|---|---|---|---|\n${rows.join("")}`;
}
