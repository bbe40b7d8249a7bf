import assert from "node:assert/strict";
import { before, test } from "node:test";
import { makeTempDirectory } from "../integration/support/temp-directory.ts";
import { readScenario } from "../scenarios/format.ts";
import { writeScenario } from "../scenarios/generate.ts";
import { until } from "../support/until.ts";
import { expectedQuestions } from "./expected-questions.ts";
import { checkContents, checkRun, checkStartAndStop, isUnhurried } from "./support/check-run.ts";
import { runStandin } from "./support/standin.ts";
import { prepareWine } from "./support/wine.ts";

const directory = makeTempDirectory("scenarios");
let everyday = "";

before(() => {
  everyday = writeScenario("everyday", directory);
});

test("every property of every kind of event is recorded byte for byte as the CA served it", async (t) => {
  if (!(await prepareWine(t))) return;
  const run = await runStandin(everyday);
  const outcomes = checkRun(everyday, run);
  checkContents(outcomes);
  checkStartAndStop(outcomes);
  assert.equal(run.end?.live, 0, "every object of the CA is released");
});

test("every property that Microsoft documents is asked for, once in each event that has it", async (t) => {
  if (!(await prepareWine(t))) return;
  // A call that uses up its time on a busy machine asks for less.
  const play = async () => {
    const run = await runStandin(everyday);
    return isUnhurried(run) && run;
  };
  const run = await until(play, "no call of the CA uses up its time");
  const wanted = expectedQuestions(readScenario(everyday));
  assert.deepEqual(run.end?.asked, wanted);
});

test("a CA that knows IDispatch only gets the same records", async (t) => {
  if (!(await prepareWine(t))) return;
  const path = writeScenario("late-bound", directory);
  const run = await runStandin(path);
  const outcomes = checkRun(path, run);
  checkContents(outcomes);
  checkStartAndStop(outcomes);
});

test("the module describes itself and subscribes to all real events", async (t) => {
  if (!(await prepareWine(t))) return;
  const { calls } = await runStandin(writeScenario("edges", directory));
  const texts = calls.filter(({ call }) => call === "GetDescription").map(({ text }) => text);
  assert.equal(texts.length, 2, "through the vtable and late-bound");
  assert.match(texts[0] ?? "", /Certwire/);
  assert.equal(texts[0], texts[1]);
  assert.match(calls.find(({ call }) => call === "GetManageModule")?.text ?? "", /^\d+\.\d+/);
  assert.equal(calls.find(({ call }) => call === "Initialize")?.mask, 0x27f);
});
