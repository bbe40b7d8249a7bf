// Runs simulations: see docs/explanation/simulation.md.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import fc from "fast-check";
import { type Scenario, scenarios } from "./scenario.ts";
import { simulate } from "./simulation.ts";
import { Violation } from "./violation.ts";

const hourMs = 3_600_000;

// A stack for each error of the simulated world takes longer than the rest of the step.
Error.stackTraceLimit = 0;

const { values } = parseArgs({
  options: {
    hours: { type: "string" },
    seconds: { type: "string" },
    seed: { type: "string", default: "1" },
    runs: { type: "string" },
    script: { type: "string" },
    "no-shrink": { type: "boolean", default: false },
  },
});

interface Total {
  runs: number;
  simulatedMs: number;
  steps: number;
  records: number;
  starts: number;
  /** Actions of the scripts that are not records. */
  faults: number;
}

const total: Total = { runs: 0, simulatedMs: 0, steps: 0, records: 0, starts: 0, faults: 0 };
/** Processor time: on a busy machine a run takes as many steps as on another. */
function usedSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

async function runOne(scenario: Scenario): Promise<void> {
  const done = await simulate(scenario);
  total.runs += 1;
  total.simulatedMs += done.simulatedMs;
  total.steps += done.steps;
  total.records += done.records;
  total.starts += done.starts;
  total.faults += scenario.steps.filter(({ action }) => action.do !== "record").length;
}

function summary(): string {
  const seconds = usedSeconds();
  const hours = total.simulatedMs / hourMs;
  const speed = `${seconds.toFixed(1)} s of processor time, ${(hours / seconds).toFixed(0)} hours in each`;
  return `${total.runs} runs, ${hours.toFixed(1)} simulated hours, ${total.records} records, ${total.faults} faults, ${total.starts} starts of the service, ${total.steps} steps in ${speed}`;
}

function report(error: unknown): void {
  console.error(error instanceof Error ? error.message : String(error));
  if (!(error instanceof Violation)) {
    if (error instanceof Error) console.error(error.stack);
    return;
  }
  for (const { at, level, sink = "", message, fields } of error.log) {
    const time = (at / 1000).toFixed(3).padStart(12);
    console.error(`${time} ${level} ${sink} ${message} ${JSON.stringify(fields).slice(0, 200)}`);
  }
}

/** How many steps the search for a shorter script may take, on any machine. */
const shrinkingSteps = 10_000_000;

/** Runs one seed; on failure prints the shortest script that still fails. Returns whether it was green. */
async function runSeed(seed: number): Promise<boolean> {
  let left: number | undefined;
  const property = fc.asyncProperty(scenarios, async (scenario) => {
    if (left !== undefined) {
      // A script that is not run is no shorter one that fails, which ends the search.
      if (left > 0) await simulate(scenario, (steps) => (left = (left ?? 0) - steps));
      return;
    }
    try {
      await runOne(scenario);
    } catch (error) {
      left = shrinkingSteps;
      throw error;
    }
  });
  const result = await fc.check(property, {
    seed,
    numRuns: 1,
    // Each shorter script is another run.
    endOnFailure: values["no-shrink"],
  });
  if (!result.failed) return true;
  const [scenario] = result.counterexample ?? [];
  console.error(`seed ${seed} fails after ${summary()}`);
  report(result.errorInstance);
  console.error(`again: npm run simulate -- --seed ${seed} --runs 1`);
  console.error(
    `the shortest script (${result.numShrinks} times shorter), also as a file for --script:`,
  );
  console.error(JSON.stringify(scenario));
  return false;
}

async function main(): Promise<boolean> {
  if (values.script !== undefined) {
    const scripts = readFileSync(values.script, "utf8")
      .split("\n")
      .filter((line) => line !== "");
    for (const [index, script] of scripts.entries()) {
      try {
        await runOne(JSON.parse(script) as Scenario);
      } catch (error) {
        console.error(`script ${index + 1} fails after ${summary()}`);
        report(error);
        console.error(script);
        return false;
      }
    }
    return true;
  }
  const hours = Number(values.hours ?? Infinity);
  const seconds = Number(values.seconds ?? Infinity);
  const runs = Number(values.runs ?? ((values.hours ?? values.seconds) ? Infinity : 1));
  const isDone = (): boolean =>
    total.simulatedMs >= hours * hourMs || total.runs >= runs || usedSeconds() >= seconds;
  for (let seed = Number(values.seed); !isDone(); seed += 1) {
    if (!(await runSeed(seed))) return false;
  }
  return true;
}

const isGreen = await main();
if (isGreen) console.log(`green: ${summary()}`);
process.exit(isGreen ? 0 : 1);
