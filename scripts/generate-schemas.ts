// Writes docs/reference/schemas/*.json and docs/reference/asyncapi.json from the zod schemas.
// Run after a build: node build/js/scripts/generate-schemas.js
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { schemaDocuments } from "../src/events/schemas/documents.ts";

const root = join("docs", "reference");
mkdirSync(join(root, "schemas"), { recursive: true });
for (const { path, content } of schemaDocuments()) {
  writeFileSync(join(root, path), `${JSON.stringify(content, null, 2)}\n`);
}
