import assert from "node:assert/strict";
import { test } from "node:test";
import { makeTempDirectory } from "../integration/support/temp-directory.ts";
import type { ScenarioStep } from "../scenarios/format.ts";
import { writeScenario } from "../scenarios/generate.ts";
import { checkContents, checkRun, type Outcomes, runUnhurried } from "./support/check-run.ts";
import type { Allowance } from "./support/compare.ts";
import { runStandin, type StandinRun } from "./support/standin.ts";
import { prepareWine } from "./support/wine.ts";

const directory = makeTempDirectory("scenarios");
const maxEntries = 1_024;

async function play(
  name: string,
  runOnce: (path: string) => Promise<StandinRun> = runStandin,
): Promise<{ run: StandinRun; outcomes: Outcomes }> {
  const path = writeScenario(name, directory);
  const run = await runOnce(path);
  return { run, outcomes: checkRun(path, run) };
}

/** Scenarios in which each record has to say exactly what the step served, and nothing else. */
const exact = {
  "each-failing": "a property that fails costs nothing but itself and is named",
  "wrong-types": "a variant of another type is left out and named",
  edges: "empty, odd-length and extreme values are recorded as they are",
  large: "values of 64 KiB and more are recorded whole",
  "odd-texts": "text with zeros and lone surrogates loses nothing",
  secrets: "every spelling of a challenge is blanked, and nothing else",
  "odd-crls": "contradictory answers about CRLs are recorded or named",
  "context-fails": "an event whose context cannot be set is recorded with the reason",
  "create-fails": "an event without ICertServerExit is recorded with the reason",
  "no-class": "a CA without the class gets its events recorded",
  "no-com": "a thread without COM gets its event recorded",
  "implicit-com": "a thread that joined no apartment itself reads everything",
};

for (const [name, title] of Object.entries(exact)) {
  test(title, async (t) => {
    if (!(await prepareWine(t))) return;
    const { run, outcomes } = await play(name, runUnhurried);
    checkContents(outcomes);
    assert.equal(run.end?.live, 0, "every object of the CA is released");
  });
}

test("when every property fails each one is named with its code", async (t) => {
  if (!(await prepareWine(t))) return;
  const { run, outcomes } = await play("all-failing", runUnhurried);
  const asked = Object.keys(run.end?.asked ?? {}).filter((name) => name.startsWith("request."));
  assert.ok(asked.length > 40);
  for (const { step, record } of outcomes.outcomes) {
    assert.deepEqual([record.request, record.certificate], [{}, {}]);
    const served = Object.keys(step.certificate ?? {}).map((name) => `certificate.${name}`);
    const named = new Set(record.errors);
    const missing = [...asked, ...served].filter((name) => !named.has(`text:${name} 0x80070005`));
    assert.deepEqual(missing, []);
  }
});

for (const list of ["attributes", "extensions"] as const) {
  test(`an enumeration of ${list} that never ends is cut off at its limit and named`, async (t) => {
    if (!(await prepareWine(t))) return;
    const { outcomes } = await play(`endless-${list}`, runUnhurried);
    checkContents(outcomes, () => ({ excuse: "limit" }));
    for (const { record } of outcomes.outcomes) {
      assert.equal(record[list].length, maxEntries);
      assert.ok(record.errors.includes(`text:${list} limit`));
    }
  });
}

test("properties of 50 ms each use up the budget, the rest is named, the main ones are there", async (t) => {
  if (!(await prepareWine(t))) return;
  const { outcomes } = await play("slow-properties");
  checkContents(outcomes, () => ({ excuse: "budget" }));
  for (const { step, record } of outcomes.outcomes) {
    assert.ok(record.errors.some((error) => error.endsWith(" budget")));
    assert.equal(record.request["RequestID"], `long:${idOf(step)}`);
    assert.ok("Disposition" in record.request);
  }
});

function idOf(step: ScenarioStep): number | undefined {
  const id = step.request?.["RequestID"];
  return id && "long" in id ? id.long : undefined;
}

function isFaulty(step: ScenarioStep): boolean {
  return step.faults !== undefined;
}

test("a property that takes 10 s delays its own call only", async (t) => {
  if (!(await prepareWine(t))) return;
  const { outcomes } = await play("stuck-property");
  checkContents(outcomes, (step) => (isFaulty(step) ? { excuse: "budget" } : {}));
  const stuck = outcomes.outcomes.find(({ step }) => isFaulty(step))!.call;
  const others = outcomes.outcomes.filter(({ step }) => !isFaulty(step)).map(({ call }) => call);
  assert.ok(others.some(({ begin, end }) => begin > stuck.begin && end < stuck.end));
});

const crashes = {
  "crash-create": "while the object is made",
  "crash-context": "in SetContext",
  "crash-property": "in a property",
  "crash-enumeration": "in an enumeration",
  "crash-extension": "in an extension",
  "crash-threads": "among 16 threads",
};

for (const [name, place] of Object.entries(crashes)) {
  test(`an access violation ${place} is caught, recorded, and ends the reading`, async (t) => {
    if (!(await prepareWine(t))) return;
    const isSmall = name !== "crash-threads";
    const { run, outcomes } = await play(name, isSmall ? runUnhurried : runStandin);
    const faulted = outcomes.outcomes.find(({ step }) => isFaulty(step));
    assert.ok(faulted);
    const fault = faulted.call;
    checkContents(outcomes, (step): Allowance => {
      const { call } = outcomes.outcomes.find((outcome) => outcome.step === step)!;
      return call.end < fault.begin ? {} : { endsInFault: true };
    });
    assert.ok(faulted.record.errors.some((error) => error.endsWith(" fault")));
    for (const { call, record } of outcomes.outcomes) {
      if (call.begin > fault.end) assert.deepEqual([record.request, record.certificate], [{}, {}]);
    }
    assert.ok((run.end?.live ?? 99) <= 16, "only what was in use at the fault stays alive");
  });
}
