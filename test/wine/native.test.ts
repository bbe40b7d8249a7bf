// The suites of the C++ parts that need no Windows, built for Windows: the files, locks, clocks and compiler are other ones.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { prepareWine, runWine, windowsBuild, windowsPath } from "./support/wine.ts";

const suites = {
  "core_test.exe": "the journal",
  "collect_test.exe": "what is read for each event",
  "service_host_test.exe": "the log and the options of the service host",
};

for (const [program, part] of Object.entries(suites)) {
  test(`the tests of ${part} pass on Windows too`, async (t) => {
    if (!(await prepareWine(t))) return;
    const output = await runWine(windowsPath(join(windowsBuild, program)), []);
    const [, cases = ""] =
      /test cases: +(\d+) \| +\1 passed \| 0 failed \| 0 skipped/.exec(output) ?? [];
    assert.ok(Number(cases) > 0, output);
    t.diagnostic(`${program}: ${cases} test cases`);
  });
}
