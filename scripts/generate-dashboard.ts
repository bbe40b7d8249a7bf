// Writes config/grafana-dashboard.json.
import { writeFileSync } from "node:fs";
import { grafanaDashboard } from "./dashboard.ts";

writeFileSync("config/grafana-dashboard.json", `${JSON.stringify(grafanaDashboard(), null, 2)}\n`);
