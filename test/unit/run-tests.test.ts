import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type TestContext, test } from "node:test";
import { temporaryDirectory } from "../support/run-cli.ts";

const script = resolve("scripts/run-tests.mjs");
const passing = (title: string): string =>
  `import { test } from "node:test"; test("${title}", () => {});`;

/** Runs these test files, given by path and source, in groups. */
function runGroups(
  context: TestContext,
  sources: Readonly<Record<string, string>>,
  flag = "--together=6",
) {
  const directory = temporaryDirectory(context);
  const temporary = join(directory, "temporary");
  mkdirSync(temporary);
  for (const [path, source] of Object.entries({
    "package.json": '{"type":"module"}',
    ...sources,
  })) {
    const file = join(directory, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, source);
  }
  // Under this variable the runner would report to ours in its binary form.
  const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [script, flag, "--test-reporter=tap", "tests"],
    { cwd: directory, encoding: "utf8", env: { ...environment, TMPDIR: temporary } },
  );
  const results = stdout.split("\n").filter((line) => /^(not )?ok /.test(line));
  const titles = results.map((line) => line.replace(/ \d+ - /, " ")).toSorted();
  return { status, titles, stderr, left: readdirSync(temporary) };
}

test("folders whose names differ only in where they are divided all run", (t) => {
  const { status, titles, left } = runGroups(t, {
    "tests/a-b/c/one.test.js": passing("one"),
    "tests/a/b-c/two.test.js": passing("two"),
  });
  assert.deepEqual([status, titles], [0, ["ok one", "ok two"]]);
  assert.deepEqual(left, [], "the files of the groups are removed");
});

for (const [why, source] of [
  ["throws", 'throw new Error("no");'],
  ["cannot be parsed", "import {"],
]) {
  test(`a file that ${why} fails under its own name, and the others of its group run`, (t) => {
    const { status, titles } = runGroups(t, {
      "tests/a.test.js": passing("before it"),
      "tests/b.test.js": source ?? "",
      "tests/c.test.js": passing("after it"),
    });
    const failed = "not ok tests/b.test.js can be loaded";
    assert.deepEqual([status, titles], [1, [failed, "ok after it", "ok before it"]]);
  });
}

for (const flag of ["--together=0", "--together=some"]) {
  test(`${flag} is refused`, (t) => {
    const { status, titles, stderr } = runGroups(t, { "tests/a.test.js": passing("a") }, flag);
    assert.deepEqual([status, titles], [1, []]);
    assert.match(stderr, /is not a number of files/);
  });
}
