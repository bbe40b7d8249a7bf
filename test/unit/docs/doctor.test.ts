import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { checkOfReason, doctorChecks, links } from "../../../src/doctor/checks.ts";
import { healthReasons } from "../../../src/health/reasons.ts";

const page = readFileSync("docs/how-to/doctor.md", "utf8");

test("every check has its row with link and question, in its order, and no row is stale", () => {
  const rows = [...page.matchAll(/^\| `([a-z-]+)` \| ([\w' ]+) \| (.+\?) \|$/gm)];
  assert.deepEqual(
    rows.map(([, check, link, question]) => ({ check, link, question })),
    Object.entries(doctorChecks).map(([check, entry]) => ({ check, ...entry })),
  );
});

test("checks come in the order of an event's way, and each reason of health belongs to one", () => {
  const order = Object.values(doctorChecks).map(({ link }) => links.indexOf(link));
  assert.deepEqual(
    order,
    order.toSorted((a, b) => a - b),
  );
  assert.deepEqual(Object.keys(checkOfReason), Object.keys(healthReasons));
});

test("the pages that findings name are there", () => {
  const sources = ["exit-module", "journal", "service", "sinks", "event-log", "configuration"];
  const named = sources.flatMap((name) => {
    const text = readFileSync(join("src", "doctor", `${name}.ts`), "utf8");
    return [...text.matchAll(/"((?:how-to|reference)\/[a-z-]+\.md)/g)].map(([, path = ""]) => path);
  });
  assert.ok(named.length > 5);
  for (const path of named) assert.ok(existsSync(join("docs", path)), path);
});
