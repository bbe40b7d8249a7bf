// Writes docs/reference/metrics.md from the table of metrics.
import { writeFileSync } from "node:fs";
import { metricsPage } from "../src/http/metrics-page.ts";

writeFileSync("docs/reference/metrics.md", metricsPage());
