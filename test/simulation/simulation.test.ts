import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { sizeFromEnvironment } from "../support/scale.ts";

/** How many scripts are run, one for each seed from 1. */
const runs = sizeFromEnvironment("CERTWIRE_SIMULATION_RUNS", 100);

function simulate(...args: string[]): { readonly status: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync("node", ["scripts/simulate.mjs", ...args], {
    encoding: "utf8",
  });
  return { status, output: `${stdout}${stderr}` };
}

test("whatever fails and whenever, no event is lost, invented, out of order or late", (context) => {
  const { status, output } = simulate("--seed", "1", "--runs", String(runs));
  assert.equal(status, 0, output);
  context.diagnostic(output.trim());
});

test("scripts that have found a fault once find none", () => {
  const { status, output } = simulate("--script", "test/simulation/found.ndjson");
  assert.equal(status, 0, output);
});

test("a seed gives the same run each time", () => {
  const [first, second] = [1, 2].map(() => simulate("--seed", "12", "--runs", "2").output);
  const stepsOf = (output = ""): string | undefined => /, (\d+ steps)/.exec(output)?.[1];
  assert.ok(stepsOf(first));
  assert.equal(stepsOf(first), stepsOf(second));
});

test("a checkpoint that is one record ahead is found", () => {
  const { status, output } = simulate("--mutations", "cursor-off-by-one", "--runs", "5");
  assert.equal(status, 0, output);
  assert.match(output, /found after .* the checkpoint is after record/);
});
