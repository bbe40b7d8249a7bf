import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { eventKinds } from "../../../src/events/event.ts";
import { mergeRows, tablesOf, withTables } from "../../interop/support/interop-page.ts";
import { npmVersion, pythonVersion } from "../../interop/support/results.ts";
import { readGoldenEvents } from "../../support/golden-events.ts";

const page = readFileSync("docs/reference/interop.md", "utf8");
const [sdks, others] = tablesOf(page);

test("the quick rows of the interop page have the installed versions and all golden events; otherwise: npm run test:interop", () => {
  const count = readGoldenEvents().length;
  const all = (cases: number) => `${cases} of ${cases}`;
  const quickSdks = [
    ["JavaScript: `cloudevents`", npmVersion("cloudevents")],
    ["Python: `cloudevents`", pythonVersion("cloudevents")],
  ] as const;
  for (const [software, version] of quickSdks) {
    assert.deepEqual(sdks?.rows.get(software), [version, ...Array(4).fill(all(count))], software);
  }
  const quick = [
    ["`jsonschema` for Python", pythonVersion("jsonschema"), all(2 * count)],
    ["`@asyncapi/parser`", npmVersion("@asyncapi/parser"), all(eventKinds.length)],
    ["`quicktype-core`", npmVersion("quicktype-core"), all(count)],
    // Each system has its own.
    ["PostgreSQL", undefined, all(count)],
  ] as const;
  for (const [software, version, passed] of quick) {
    const cells = others?.rows.get(software) ?? [];
    assert.deepEqual([cells[0], cells.at(-1)], [version ?? cells[0], passed], software);
  }
});

test("a result goes into the row of its software, and the other rows stay", () => {
  const tables = tablesOf(page);
  assert.equal(withTables(page, tables), page);
  const result = { software: "PostgreSQL", version: "99.1", passed: { result: "3 of 3" } };
  const changed = withTables(page, mergeRows(tables, [result]));
  const lines = page.split("\n");
  const differing = changed.split("\n").filter((line, at) => line !== lines[at]);
  assert.equal(differing.length, 1);
  assert.match(differing[0] ?? "", /^\| PostgreSQL \| 99\.1 \| keeps every event .+ \| 3 of 3 \|$/);
  assert.throws(() => mergeRows(tables, [{ ...result, software: "MySQL" }]), /no row of MySQL/);
});
