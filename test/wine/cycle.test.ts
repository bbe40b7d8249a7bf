import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makeTempDirectory } from "../integration/support/temp-directory.ts";
import { writeScenario } from "../scenarios/generate.ts";
import { groupBy } from "./support/group-by.ts";
import { frameTypes, readFrames } from "./support/journal-frames.ts";
import { eventsOf } from "./support/recorded.ts";
import { runStandin } from "./support/standin.ts";
import { prepareWine } from "./support/wine.ts";

/** How often the CA starts and stops. */
const cycles = Number(process.env["CERTWIRE_CYCLES"] ?? 10);
/** Start, one event, stop. */
const eventsPerCycle = 3;

test("a CA that starts and stops many times leaves one complete epoch for each life", async (t) => {
  if (!(await prepareWine(t))) return;
  const directory = makeTempDirectory("cycles");
  const journalDirectory = join(directory, "journal");
  mkdirSync(journalDirectory);
  const path = writeScenario("edges", directory);
  for (let cycle = 0; cycle < cycles; cycle += 1) {
    const run = await runStandin(path, { journalDirectory });
    assert.equal(run.exitCode, 0);
    assert.equal(run.end?.live, 0);
  }
  const epochs = groupBy(readFrames(journalDirectory), ({ epoch }) => epoch);
  assert.equal(epochs.size, cycles);
  for (const frames of epochs.values()) {
    assert.equal(eventsOf(frames).length, eventsPerCycle);
    assert.equal(frames.filter(({ type }) => type === frameTypes.seal).length, 1);
  }
});
