// Writes docs/reference/status.schema.json from the schema of the status.
import { writeFileSync } from "node:fs";
import { statusJsonSchema } from "../src/health/status.ts";

writeFileSync(
  "docs/reference/status.schema.json",
  `${JSON.stringify(statusJsonSchema(), null, 2)}\n`,
);
