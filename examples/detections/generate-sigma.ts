// Writes the Sigma rules; part of `npm run generate`.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rules } from "./rules.ts";
import { sigmaYaml } from "./sigma.ts";

const directory = "examples/detections/sigma";
mkdirSync(directory, { recursive: true });
for (const rule of rules) writeFileSync(join(directory, `${rule.id}.yml`), sigmaYaml(rule));
