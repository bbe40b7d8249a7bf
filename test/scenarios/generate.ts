// Writes the scenario files into a directory: the same bytes on every run.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { SimulatedCa } from "../../src/simulate/simulated-ca.ts";
import { completeStep } from "./complete-step.ts";
import { crlSteps, unknownEventSteps } from "./everyday.ts";
import type { ScenarioHeader, ScenarioStep } from "./format.ts";
import { hostileScenarios } from "./hostile.ts";
import { ScenarioWriter } from "./scenario-writer.ts";
import { caNamesOf, createCa, secretsOf, takeEvents } from "./simulated-events.ts";

/** Longest time of one call where nothing is slow, in milliseconds; wide, for busy machines. */
const boundMs = 1_000;

function save(
  writer: ScenarioWriter,
  ca: SimulatedCa,
  path: string,
  more: Partial<ScenarioHeader>,
): void {
  const properties = writer.properties(ca.started().certificate);
  writer.save(path, { caName: ca.name, ca: properties, secrets: [], boundMs, ...more });
}

/** Steps of `count` events of a simulated CA; every fifth is called late-bound. */
function simulatedSteps(
  writer: ScenarioWriter,
  ca: SimulatedCa,
  count: number,
): { steps: ScenarioStep[]; secrets: string[] } {
  const caNames = caNamesOf(ca);
  const events = takeEvents(ca, count);
  const steps = events.map((event, index) => ({
    ...writer.step(event, caNames),
    via: index % 5 === 0 ? ("dispatch" as const) : ("vtable" as const),
  }));
  return { steps, secrets: secretsOf(events) };
}

/** The same steps twice: as certsrv calls a module, and with nothing but IDispatch. */
function writeEveryday(directory: string): void {
  const writer = new ScenarioWriter();
  const ca = createCa("everyday");
  const { steps, secrets } = simulatedSteps(writer, ca, 300);
  const issued = steps.find((step) => step.event === 1);
  if (issued === undefined) throw new Error("the simulated CA issued nothing");
  const all = [...steps, ...crlSteps(writer), ...unknownEventSteps(issued), completeStep(0)];
  for (const step of all) writer.add(step);
  save(writer, ca, join(directory, "everyday.ndjson"), { secrets });
  save(writer, ca, join(directory, "late-bound.ndjson"), { secrets, via: "dispatch" });
}

function writeSimulated(
  directory: string,
  name: string,
  count: number,
  more: Partial<ScenarioHeader>,
): void {
  const writer = new ScenarioWriter();
  const ca = createCa(name);
  const { steps, secrets } = simulatedSteps(writer, ca, count);
  for (const step of steps) writer.add(step);
  save(writer, ca, join(directory, `${name}.ndjson`), { secrets, ...more });
}

function writeHostile(directory: string): void {
  const ca = createCa("hostile");
  for (const [name, make] of Object.entries(hostileScenarios)) {
    const writer = new ScenarioWriter();
    const { header = {}, steps } = make();
    for (const step of steps) writer.add(step);
    save(writer, ca, join(directory, `${name}.ndjson`), header);
  }
}

/** Writes all scenario files into `directory`. */
export function generateScenarios(directory: string): void {
  mkdirSync(directory, { recursive: true });
  writeEveryday(directory);
  writeSimulated(directory, "volume", 5_000, { threads: 16 });
  writeSimulated(directory, "busy-shutdown", 2_000, { threads: 16, shutdownAfter: 600 });
  writeHostile(directory);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [directory] = process.argv.slice(2);
  if (directory === undefined) throw new Error("usage: generate DIRECTORY");
  generateScenarios(directory);
}
