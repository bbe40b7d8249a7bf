import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { scaled, sizeFromEnvironment } from "../support/scale.ts";
import { prepareWine, runWine, windowsBuild, windowsPath } from "./support/wine.ts";

const rounds = sizeFromEnvironment("CERTWIRE_KILL_ROUNDS", 30);

test("TerminateProcess of writer, reader or both costs nothing that had returned committed", async (t) => {
  if (!(await prepareWine(t))) return;
  const program = windowsPath(join(windowsBuild, "journal_kill.exe"));
  // The program itself multiplies them by CERTWIRE_TEST_SCALE.
  const output = await runWine(program, [String(rounds)], 60_000 + scaled(rounds) * 5000);
  const figures = JSON.parse(output.slice(output.indexOf("{"))) as Record<string, number>;
  assert.equal(figures["rounds"], scaled(rounds));
  assert.equal(figures["failures"], 0);
  assert.ok(figures["committed"]! > 0 && figures["uncleanStops"]! > 0, output);
  t.diagnostic(output.trim());
});
