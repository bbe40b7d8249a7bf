import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import { makeTempDirectory } from "../integration/support/temp-directory.ts";
import { readScenario } from "../scenarios/format.ts";
import { writeScenario } from "../scenarios/generate.ts";
import { Expectation } from "./expected.ts";
import { differences } from "./support/compare.ts";
import { groupBy } from "./support/group-by.ts";
import { readFrames } from "./support/journal-frames.ts";
import { eventsOf, readRecorded } from "./support/recorded.ts";
import { type CallLine, runStandin } from "./support/standin.ts";
import { prepareWine } from "./support/wine.ts";

const startup = 0x80;
/** How often the CA is killed. */
const rounds = Number(process.env["CERTWIRE_KILL_ROUNDS"] ?? 5);

test("TerminateProcess at any moment loses no event whose Notify had returned", async (t) => {
  if (!(await prepareWine(t))) return;
  const path = writeScenario("busy-shutdown", makeTempDirectory("scenarios"));
  const scenario = readScenario(path);
  const expectation = new Expectation(scenario);
  for (let round = 0; round < rounds; round += 1) {
    const killAfter = randomInt(1, scenario.steps.length / 4);
    const run = await runStandin(path, { killAfter });
    assert.equal(run.exitCode, 9);
    const returned = run.calls.filter(({ call }) => call === "Notify");
    assert.ok(returned.length >= killAfter);
    const records = readRecorded(run.journalDirectory);
    const byContext = groupBy(records, ({ context }) => context);
    const contextOf = (call: CallLine): number => scenario.steps[call.step!]!.context;
    for (const [context, { length }] of groupBy(returned, contextOf)) {
      const recorded = byContext.get(context)?.filter(({ event }) => event !== startup) ?? [];
      const where = `round ${round}, killed after ${killAfter} calls, context ${context}`;
      assert.ok(recorded.length >= length, `${where}: ${length - recorded.length} events lost`);
      const steps = scenario.steps.filter((step) => step.context === context);
      for (const [index, record] of recorded.entries()) {
        assert.deepEqual(differences(expectation.step(steps[index]!), record), [], where);
      }
    }
    const sequences = eventsOf(readFrames(run.journalDirectory)).map(({ sequence }) => sequence);
    assert.equal(new Set(sequences).size, sequences.length);
  }
});
