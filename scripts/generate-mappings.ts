// Writes the tables of the mappings in docs/reference/events.md, and config/opensearch-index-template.json.
import { readFileSync, writeFileSync } from "node:fs";
import { indexTemplate } from "./index-template.ts";
import { withMappingTables } from "./mapping-tables.ts";

const page = "docs/reference/events.md";
writeFileSync(page, withMappingTables(readFileSync(page, "utf8")));
const template = `${JSON.stringify(indexTemplate(), undefined, 2)}\n`;
writeFileSync("config/opensearch-index-template.json", template);
