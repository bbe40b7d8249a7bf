import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

/** The rows of the tables, each with the name of its thing. */
const rows = readFileSync("docs/reference/versions.md", "utf8")
  .split("\n")
  .filter((line) => line.startsWith("| "))
  .map((line) => line.split("|").map((cell) => cell.trim()))
  .reduce<string[][]>((all, [, name = "", ...cells]) => {
    all.push([name === "" ? (all.at(-1)?.[0] ?? "") : name, ...cells]);
    return all;
  }, []);

function versionsOf(name: string): string[] {
  return rows.filter(([first]) => first === name).map(([, version = ""]) => version);
}

function found(file: string, pattern: RegExp): string {
  const [, text] = pattern.exec(readFileSync(file, "utf8")) ?? [];
  assert.ok(text !== undefined, `${file} has no ${pattern}`);
  return text;
}

test("the page of versions names the versions of Kafka that the tests fetch", () => {
  const usual = found("test/integration/support/kafka/pom.xml", /<kafka\.version>(.+)</);
  const older = found("scripts/run-parts.mjs", /olderKafka = "(.+)"/);
  assert.deepEqual(versionsOf("Apache Kafka"), [usual, older]);
  assert.equal(found("scripts/ci-docker.sh", /^kafka_version=(.+)$/m), older);
});

test("the page of versions names the lines of Node.js that the tests run", () => {
  const lines = found("scripts/run-parts.mjs", /nodeLines = \[(.+)\]/);
  assert.equal(versionsOf("Node.js on Linux")[0], lines);
  assert.equal(
    versionsOf("Node.js for Windows, in Wine").at(-1),
    found("test/wine/support/wine.ts", /\[20, 22\] : \[(.+)\]/),
  );
});
