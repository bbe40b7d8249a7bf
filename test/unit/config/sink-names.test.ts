import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "../../../src/config/config-error.ts";
import { parseConfig } from "../../../src/config/load.ts";

/** What is wrong with a configuration of sinks with these names. */
function problemsOf(...names: string[]): (string | undefined)[][] {
  const sinks = names.map((name) => ({ name, url: `file:${name}` }));
  const config = { journal: { directory: "j" }, state: { directory: "s" }, sinks };
  try {
    parseConfig("certwire.json", JSON.stringify(config));
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.diagnostics.map(({ path, message, hint }) => [path, message, hint]);
  }
}

test("a sink may not have the name of the files that hold what another one does besides live events", () => {
  for (const work of ["reconcile", "backfill", "replay"]) {
    const message = `is the name of the dead letters of ${work} to sink "a"`;
    const hint = `Give it a name that is not "${work}-" with the name of another sink.`;
    assert.deepEqual(problemsOf(`${work}-a`, "a"), [["sinks[0].name", message, hint]]);
    assert.deepEqual(problemsOf(`${work}-a`, "b"), []);
  }
  const chain = problemsOf("a", "reconcile-a", "reconcile-reconcile-a");
  assert.equal(chain.length, 2, "of each with the one that its name has");
});
