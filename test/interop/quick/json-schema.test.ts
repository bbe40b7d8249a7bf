import assert from "node:assert/strict";
import { test } from "node:test";
import { repoRoot } from "../../integration/support/repo-root.ts";
import { runCommand } from "../../integration/support/run-command.ts";
import { readGoldenEvents } from "../../support/golden-events.ts";
import { pythonPath, pythonProgram } from "../support/python.ts";
import { keepResult, pythonVersion } from "../support/results.ts";

test("Python's jsonschema accepts every golden event by the published schemas of both drafts, and refuses a wrong member", async () => {
  const output = await runCommand(pythonPath(), [pythonProgram("json_schema.py"), repoRoot]);
  const count = readGoldenEvents().length;
  assert.deepEqual(JSON.parse(output.toString()), { "2020-12": count, "draft-07": count });
  keepResult({
    software: "`jsonschema` for Python",
    version: pythonVersion("jsonschema"),
    passed: { result: `${2 * count} of ${2 * count}` },
  });
});
