// Writes the tables of docs/reference/interop.md from the results of the tests that have passed in this checkout.
// Rows of software that did not run keep what they say. npm run test:interop runs it after its tests.
import { readFileSync, writeFileSync } from "node:fs";
import { mergeRows, tablesOf, withTables } from "../test/interop/support/interop-page.ts";
import { readResults } from "../test/interop/support/results.ts";

const path = "docs/reference/interop.md";
const page = readFileSync(path, "utf8");
writeFileSync(path, withTables(page, mergeRows(tablesOf(page), readResults())));
