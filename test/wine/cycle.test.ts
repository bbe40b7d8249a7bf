import assert from "node:assert/strict";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makeTempDirectory } from "../integration/support/temp-directory.ts";
import { writeScenario } from "../scenarios/generate.ts";
import { scaled, sizeFromEnvironment } from "../support/scale.ts";
import { frameTypes, readFrames, segmentPaths } from "./support/journal-frames.ts";
import { eventsOf } from "./support/recorded.ts";
import { runStandin } from "./support/standin.ts";
import { prepareWine } from "./support/wine.ts";

/** How often the CA starts and stops. */
const cycles = sizeFromEnvironment("CERTWIRE_CYCLES", scaled(10));
/** How long a stop waits for the seal. */
const sealWaitUs = 2_000_000;
/** Start, one event, stop. */
const eventsPerCycle = 3;

test("a CA that starts and stops many times leaves one complete epoch for each life", async (t) => {
  if (!(await prepareWine(t))) return;
  const directory = makeTempDirectory("cycles");
  const journalDirectory = join(directory, "journal");
  mkdirSync(journalDirectory);
  const path = writeScenario("edges", directory);
  let unsealed = 0;
  for (let cycle = 1; cycle <= cycles; cycle += 1) {
    const earlier = segmentPaths(journalDirectory);
    const run = await runStandin(path, { journalDirectory });
    const where = `cycle ${cycle}`;
    assert.equal(run.exitCode, 0, where);
    assert.equal(run.end?.live, 0, where);
    const own = readFrames(journalDirectory).filter(({ epoch }) => epoch === cycle);
    assert.equal(eventsOf(own).length, eventsPerCycle, where);
    const seals = own.filter(({ type }) => type === frameTypes.seal).length;
    const stop = run.calls.find(({ call }) => call === "Shutdown");
    // A stop waits 2 s for a disk that hangs, and no longer.
    if (seals === 0 && stop!.us >= sealWaitUs) unsealed += 1;
    else assert.equal(seals, 1, where);
    assert.equal(own.filter(({ type }) => type === frameTypes.gap).length, 0, where);
    // As the service deletes what is published: the segments of many lives would fill the disk.
    for (const segment of earlier) rmSync(segment);
  }
  assert.ok(unsealed < cycles / 2, `${unsealed} of ${cycles} lives have no seal`);
});
