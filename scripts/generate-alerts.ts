// Writes config/prometheus-alerts.yml, and the list in docs/how-to/alert-with-prometheus.md, from the table of alerts.
import { readFileSync, writeFileSync } from "node:fs";
import { alertList, alertRules } from "./alert-rules.ts";

const page = "docs/how-to/alert-with-prometheus.md";
writeFileSync("config/prometheus-alerts.yml", alertRules());
writeFileSync(page, alertList(readFileSync(page, "utf8")));
