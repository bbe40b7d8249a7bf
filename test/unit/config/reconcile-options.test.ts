import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ConfigError } from "../../../src/config/config-error.ts";
import { inspectSinks } from "../../../src/config/inspect.ts";
import { parseConfig } from "../../../src/config/load.ts";
import { temporaryDirectory } from "../../support/run-cli.ts";

function textWith(reconcile: object): string {
  const [journal, state] = [{ directory: "journal" }, { directory: "state" }];
  const sinks = [{ name: "files", url: "file:events" }];
  return JSON.stringify({ journal, state, reconcile, sinks }, undefined, 2);
}

const hour = 3_600_000;

test("a schedule is every day at 02:00 unless the configuration says otherwise", () => {
  assert.deepEqual(parseConfig("certwire.json", textWith({})).reconcile, {
    everyMs: 24 * hour,
    atMinute: 120,
    fullMs: 30 * 24 * hour,
    share: 0.5,
  });
  const all = {
    every: "6h",
    at: "0:30",
    full: "never",
    hours: "22:00-06:15",
    share: 20,
    ca: "Contoso",
  };
  assert.deepEqual(parseConfig("certwire.json", textWith(all)).reconcile, {
    everyMs: 6 * hour,
    atMinute: 30,
    hours: { from: 1320, to: 375 },
    share: 0.2,
    ca: "Contoso",
  });
});

const refused = [
  { every: "5h" },
  { every: "32d" },
  { every: "0d" },
  { every: "1" },
  { at: "24:00" },
  { at: "2" },
  { full: "0d" },
  { full: "367d" },
  { full: "12h" },
  { hours: "22:00-01:00" },
  { hours: "22:00-06:00", at: "12:00" },
  { hours: "22:00-06:00", at: "06:00" },
  { hours: "02:00-06:00", at: "01:59" },
  { hours: "22:00" },
  { hours: "1:00-2:00-3:00" },
  { hours: "1:00-01:00" },
  { share: 0 },
  { share: 101 },
  { share: 1.5 },
  { ca: "" },
];

for (const options of refused) {
  test(`the schedule ${JSON.stringify(options)} is refused at its place`, () => {
    assert.throws(
      () => parseConfig("certwire.json", textWith(options)),
      (error) => {
        assert.ok(error instanceof ConfigError);
        const [path] = error.diagnostics.map((each) => each.path);
        assert.equal(path, `reconcile.${Object.keys(options)[0]}`);
        return true;
      },
    );
  });
}

test("the first and the last minute of the hours are a time of a schedule, also past midnight", () => {
  for (const at of ["22:00", "23:59", "00:00", "05:59"]) {
    const { reconcile } = parseConfig("certwire.json", textWith({ at, hours: "22:00-06:00" }));
    assert.ok(reconcile, at);
  }
});

test("a schedule is refused where there is no database of a CA, and nothing else is", (t) => {
  const file = join(temporaryDirectory(t), "certwire.json");
  writeFileSync(file, textWith({}));
  assert.throws(
    () => inspectSinks(file, { platform: "linux" }),
    (error) => {
      assert.ok(error instanceof ConfigError);
      const [found] = error.diagnostics;
      assert.equal(found?.path, "reconcile");
      assert.match(found.message, /only Windows has/);
      return true;
    },
  );
  assert.deepEqual(inspectSinks(file, { platform: "win32" }).errors, []);
});
