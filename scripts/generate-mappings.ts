// Writes the tables of the mappings in docs/reference/events.md.
import { readFileSync, writeFileSync } from "node:fs";
import { withMappingTables } from "./mapping-tables.ts";

const file = "docs/reference/events.md";
writeFileSync(file, withMappingTables(readFileSync(file, "utf8")));
