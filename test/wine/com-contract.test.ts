import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { prepareWine, runWine, windowsBuild, windowsPath } from "./support/wine.ts";

test("the exit module keeps the COM contract from regsvr32 to regsvr32 /u", async (t) => {
  if (!(await prepareWine(t))) return;
  const program = join(windowsBuild, "exit-module-test.exe");
  const output = await runWine(windowsPath(program), [], 180_000);
  assert.match(output, /Status: SUCCESS!/);
  assert.doesNotMatch(output, /[1-9]\d* skipped/);
});
