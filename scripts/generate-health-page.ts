// Writes docs/reference/health.md from the table of reasons.
import { writeFileSync } from "node:fs";
import { healthPage } from "../src/health/health-page.ts";

writeFileSync("docs/reference/health.md", healthPage());
