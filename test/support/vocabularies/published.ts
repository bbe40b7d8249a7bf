import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";

/** A schema that scripts/fetch-vocabularies.sh fetched; skips the test where it is missing, and fails it in CI. */
export function published(context: TestContext, name: string): unknown {
  const file = join("var", "vocabularies", `${name}.json`);
  if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8"));
  const message = `${file} is missing: bash scripts/fetch-vocabularies.sh`;
  if (process.env["CI"] === "true") throw new Error(message);
  context.skip(message);
  return undefined;
}
