// Writes the index template for ECS; part of `npm run generate`.
import { writeFileSync } from "node:fs";
import { ecsTemplate } from "./ecs-template.ts";

writeFileSync(
  "examples/siem/ecs-index-template.json",
  `${JSON.stringify(ecsTemplate(), undefined, 2)}\n`,
);
