// Writes scenario files: the same bytes on every run with the same CERTWIRE_TEST_SCALE.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { SimulatedCa } from "../../src/simulate/simulated-ca.ts";
import { scaled } from "../support/scale.ts";
import { completeStep } from "./complete-step.ts";
import { crlSteps, unknownEventSteps } from "./everyday.ts";
import type { ScenarioHeader, ScenarioStep } from "./format.ts";
import { type HostileScenario, hostileScenarios } from "./hostile.ts";
import { ScenarioWriter } from "./scenario-writer.ts";
import { caNamesOf, createCa, secretsOf, takeEvents } from "./simulated-events.ts";

/** Longest time of one call where nothing is slow, in milliseconds: ten times what a call may use. */
const boundMs = 60_000;

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

/** What a CA says in its first days, and what real ones say rarely. */
function writeEveryday(path: string, more: Partial<ScenarioHeader>): void {
  const writer = new ScenarioWriter();
  const ca = createCa("everyday");
  const { steps, secrets } = simulatedSteps(writer, ca, 300);
  const issued = steps.find((step) => step.event === 1);
  if (issued === undefined) throw new Error("the simulated CA issued nothing");
  const all = [...steps, ...crlSteps(writer), ...unknownEventSteps(issued), completeStep(0)];
  for (const step of all) writer.add(step);
  save(writer, ca, path, { secrets, ...more });
}

function writeSimulated(path: string, count: number, more: Partial<ScenarioHeader>): void {
  const writer = new ScenarioWriter();
  const ca = createCa(`${count} events`);
  const { steps, secrets } = simulatedSteps(writer, ca, count);
  for (const step of steps) writer.add(step);
  save(writer, ca, path, { secrets, ...more });
}

/** Making a CA takes a second or two, and all hostile scenarios share one. */
let hostileCa: SimulatedCa | undefined;

function writeHostile(path: string, { header = {}, steps }: HostileScenario): void {
  const writer = new ScenarioWriter();
  for (const step of steps) writer.add(step);
  hostileCa ??= createCa("hostile");
  save(writer, hostileCa, path, header);
}

const writers: Readonly<Record<string, (path: string) => void>> = {
  everyday: (path) => writeEveryday(path, {}),
  "late-bound": (path) => writeEveryday(path, { via: "dispatch" }),
  endurance: (path) => writeSimulated(path, 500, { threads: 4 }),
  volume: (path) =>
    writeSimulated(path, scaled(5_000, { least: 2_000, most: 20_000 }), { threads: 16 }),
  "busy-shutdown": (path) => writeSimulated(path, 2_000, { threads: 16, shutdownAfter: 600 }),
  ...Object.fromEntries(
    Object.entries(hostileScenarios).map(([name, make]) => [
      name,
      (path: string) => writeHostile(path, make()),
    ]),
  ),
};

/** Writes one scenario file into `directory`, which must exist, and returns its path. */
export function writeScenario(name: string, directory: string): string {
  const path = join(directory, `${name}.ndjson`);
  const write = writers[name];
  if (write === undefined) throw new Error(`no scenario ${name}`);
  write(path);
  return path;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [directory, ...names] = process.argv.slice(2);
  if (directory === undefined) throw new Error("usage: generate DIRECTORY [SCENARIO...]");
  mkdirSync(directory, { recursive: true });
  for (const name of names.length > 0 ? names : Object.keys(writers))
    writeScenario(name, directory);
}
