import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "jsonc-parser";
import { inspectConfig } from "../../../src/config/inspect.ts";
import { temporaryDirectory } from "../../support/run-cli.ts";

const page = readFileSync(join("docs", "how-to", "kafka-in-the-cloud.md"), "utf8");
const recipes = [...page.matchAll(/^```jsonc\n([^]*?)^```$/gm)].map(([, text = ""]) => text);

/** The files that hold the secrets of a recipe. */
function secretFiles(text: string): string[] {
  return [...text.matchAll(/"file": "([^"]+)"/g)].map(([, name = ""]) => name);
}

for (const [index, text] of recipes.entries()) {
  const { sinks } = parse(text) as { sinks: { name: string; sasl: { mechanism: string } }[] };
  const name = sinks.map((sink) => `${sink.name} with ${sink.sasl.mechanism}`).join();
  test(`recipe ${index + 1}, ${name}, passes the check without a warning`, (t) => {
    const directory = temporaryDirectory(t);
    for (const file of secretFiles(text)) writeFileSync(join(directory, file), "secret\n");
    const file = join(directory, "certwire.jsonc");
    writeFileSync(file, text);
    assert.deepEqual(inspectConfig(file).warnings, []);
  });
}

test("there are two recipes for each of the three services", () => {
  assert.equal(recipes.length, 6);
});

test("the page names the version of the package that is tested", () => {
  const { devDependencies } = JSON.parse(readFileSync("package.json", "utf8")) as {
    devDependencies: Record<string, string>;
  };
  const name = "aws-msk-iam-sasl-signer-js";
  assert.ok(page.includes(`npm install ${name}@${devDependencies[name]}\n`));
});
