import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { rules } from "./rules.ts";
import { sigmaYaml } from "./sigma.ts";

const directory = "examples/detections/sigma";
const python = "var/python/bin/python";

test("the Sigma rules are those of the rules: npm run generate writes them", () => {
  assert.deepEqual(
    readdirSync(directory).toSorted(),
    rules.map(({ id }) => `${id}.yml`).toSorted(),
  );
  for (const rule of rules) {
    const file = readFileSync(join(directory, `${rule.id}.yml`), "utf8");
    assert.equal(file, sigmaYaml(rule), rule.id);
  }
});

test("no text has a character that Sigma reads in another way than the rules do", () => {
  for (const { id, detection } of rules) {
    const alternatives = Object.values(detection.selections).flat();
    for (const [field, value] of alternatives.flatMap((fields) => Object.entries(fields))) {
      if (field.endsWith("|re")) continue;
      assert.doesNotMatch(JSON.stringify(value), /[*?\\]/, `${id}: ${field}`);
    }
  }
});

const textOf = (path: string) => existsSync(path) && readFileSync(path, "utf8");
const isInstalled =
  textOf("var/python/requirements.txt") === textOf("test/interop/python/requirements.txt");
const isMissing = !isInstalled && process.env["CI"] !== "true";
const skip = isMissing && "pySigma is not installed: npm run setup";

test("pySigma reads every rule and finds no issue", { skip }, () => {
  const output = execFileSync(python, ["scripts/check-sigma.py", directory], { encoding: "utf8" });
  assert.match(output, new RegExp(`^${rules.length} rules, \\d+ checks, 0 issues$`, "m"));
});
