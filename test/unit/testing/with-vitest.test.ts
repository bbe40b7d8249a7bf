import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

const require = createRequire(import.meta.url);

test("the kit works in vitest", async () => {
  const vitest = join(dirname(require.resolve("vitest/package.json")), "vitest.mjs");
  // Its own limits, 5 s for a test, are for a quick machine.
  const limits = ["--testTimeout=600000", "--hookTimeout=600000"];
  const flags = ["run", ...limits, "--root", import.meta.dirname, "with-vitest.spec"];
  // The runner that runs this test marks its children.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { stdout } = await promisify(execFile)(process.execPath, [vitest, ...flags], {
    env: { ...env, NO_COLOR: "1" },
  });
  assert.match(stdout, /Tests +1 passed/);
});
