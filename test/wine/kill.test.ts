import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import { makeTempDirectory } from "../integration/support/temp-directory.ts";
import { readScenario, type Scenario } from "../scenarios/format.ts";
import { writeScenario } from "../scenarios/generate.ts";
import { scaled, sizeFromEnvironment } from "../support/scale.ts";
import { until } from "../support/until.ts";
import { Expectation } from "./expected.ts";
import { type Allowance, differences } from "./support/compare.ts";
import { groupBy } from "./support/group-by.ts";
import { readFrames } from "./support/journal-frames.ts";
import { eventsOf, type RecordedEvent, readRecorded } from "./support/recorded.ts";
import { type CallLine, runStandin } from "./support/standin.ts";
import { prepareWine } from "./support/wine.ts";

/** Start and stop of the CA. */
const ofTheCa = [0x80, 0x40];
/** How often the CA is killed. */
const rounds = sizeFromEnvironment("CERTWIRE_KILL_ROUNDS", scaled(5));
/**
 * Notify waits 2 ms for the disk and no longer, so on a machine whose processors are all busy the last
 * events before a kill may still be in memory, and now and then more than this. A writer that has stopped would
 * lose all of them each time.
 */
const mostInMemory = 200;
const clockSlack = 10_000n;

/** With 16 threads on such a machine a call may use up its 500 ms; then the record names what is missing. */
const busyMachine: Allowance = { excuse: "budget" };

interface Loss {
  readonly returned: bigint;
  readonly where: string;
}

/** The calls that returned and have no record; the n-th record of a context is its n-th step. */
function lossesOf(
  scenario: Scenario,
  returned: readonly CallLine[],
  byContext: ReadonlyMap<number, readonly RecordedEvent[]>,
): Loss[] {
  const chains = groupBy(returned, ({ step }) => scenario.steps[step!]!.context);
  return [...chains].flatMap(([context, calls]) => {
    const recorded = byContext.get(context)?.length ?? 0;
    const inOrder = calls.toSorted((a, b) => a.end - b.end);
    return inOrder
      .slice(recorded)
      .map(({ to, us }) => ({ returned: BigInt(to), where: `context ${context}, ${us} µs` }));
  });
}

/** One run; undefined when more than `mostInMemory` events were still in memory. */
async function playAndKill(round: string, path: string, scenario: Scenario) {
  const killAfter = randomInt(1, scenario.steps.length);
  const run = await runStandin(path, { killAfter });
  const where = `${round}, killed after ${killAfter} calls`;
  assert.equal(run.exitCode, 9, where);
  const returned = run.calls.filter(({ call }) => call === "Notify");
  assert.ok(returned.length >= killAfter);
  const all = readRecorded(run.journalDirectory);
  const records = all.filter(({ event }) => !ofTheCa.includes(event));
  const byContext = groupBy(records, ({ context }) => context);
  const losses = lossesOf(scenario, returned, byContext);
  if (losses.length > mostInMemory) return undefined;
  return { where, run, records, byContext, losses };
}

test("TerminateProcess loses nothing but what was still in memory, and leaves no hole", async (t) => {
  if (!(await prepareWine(t))) return;
  const path = writeScenario("busy-shutdown", makeTempDirectory("scenarios"));
  const scenario = readScenario(path);
  const expectation = new Expectation(scenario);
  for (let round = 0; round < rounds; round += 1) {
    const { where, run, records, byContext, losses } = await until(
      () => playAndKill(`round ${round}`, path, scenario),
      "few events are still in memory when the CA is killed",
    );
    const newest = records.reduce((last, { time }) => (time > last ? time : last), 0n);
    const holes = losses.filter((loss) => loss.returned < newest - clockSlack);
    assert.deepEqual(holes, [], `${where}: events lost although later ones are recorded`);
    t.diagnostic(`${where}: ${records.length} recorded, ${losses.length} were still in memory`);
    for (const [context, chain] of byContext) {
      const steps = scenario.steps.filter((step) => step.context === context);
      for (const [index, record] of chain.entries()) {
        const found = differences(expectation.step(steps[index]!), record, busyMachine);
        assert.deepEqual(found, [], where);
      }
    }
    const sequences = eventsOf(readFrames(run.journalDirectory)).map(({ sequence }) => sequence);
    assert.equal(new Set(sequences).size, sequences.length);
  }
});
