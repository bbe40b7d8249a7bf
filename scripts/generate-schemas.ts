// Writes docs/reference/schemas/**/*.json and docs/reference/asyncapi.json from the zod schemas.
// Run after a build: node build/js/scripts/generate-schemas.js
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { schemaDocuments } from "../src/events/schemas/documents.ts";

const root = join("docs", "reference");
for (const { path, content } of schemaDocuments()) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), `${JSON.stringify(content, null, 2)}\n`);
}
