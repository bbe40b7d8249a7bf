import assert from "node:assert/strict";
import { test } from "node:test";
import { makeTempDirectory } from "../integration/support/temp-directory.ts";
import { writeScenario } from "../scenarios/generate.ts";
import { until } from "../support/until.ts";
import { checkContents, checkRun, checkStartAndStop, type Outcomes } from "./support/check-run.ts";
import { groupBy } from "./support/group-by.ts";
import { runStandin } from "./support/standin.ts";
import { prepareWine } from "./support/wine.ts";

const directory = makeTempDirectory("scenarios");

/** Most chains that had begun and not ended at the same moment. */
function mostInterleaved({ outcomes }: Outcomes): number {
  const chains = groupBy(outcomes, ({ step }) => step.chain);
  const turns = [...chains.values()].flatMap((members) => [
    { at: Math.min(...members.map(({ call }) => call.begin)), change: 1 },
    { at: Math.max(...members.map(({ call }) => call.end)), change: -1 },
  ]);
  let open = 0;
  return turns
    .toSorted((a, b) => a.at - b.at)
    .reduce((most, { change }) => Math.max(most, (open += change)), 0);
}

test("thousands of events of 16 threads are all recorded, in order per request, without a change", async (t) => {
  if (!(await prepareWine(t))) return;
  const path = writeScenario("volume", directory);
  const run = await runStandin(path);
  const outcomes = checkRun(path, run);
  checkContents(outcomes);
  checkStartAndStop(outcomes);
  assert.equal(new Set(outcomes.outcomes.map(({ call }) => call.thread)).size, 16);
  assert.ok(mostInterleaved(outcomes) >= 200);
  assert.equal(run.end?.live, 0);
});

test("a stop while 16 threads are calling loses none of their events", async (t) => {
  if (!(await prepareWine(t))) return;
  // On a busy machine the threads may all happen to be between two calls when the stop comes, or done.
  const isDuring = async (): Promise<boolean> => {
    const path = writeScenario("busy-shutdown", directory);
    const run = await runStandin(path);
    const outcomes = checkRun(path, run);
    checkContents(outcomes);
    const stop = run.calls.find(({ call }) => call === "Shutdown");
    const stopped = outcomes.records.findIndex(({ event }) => event === 0x40);
    const isFollowed = stopped >= 0 && stopped < outcomes.records.length - 1;
    return (
      isFollowed && run.calls.some(({ begin, end }) => begin < stop!.begin && end > stop!.begin)
    );
  };
  await until(isDuring, "calls are running when the stop comes, and events after it are recorded");
});
