import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { CaMemory } from "../../src/events/ca-memory.ts";
import type { EventOptions } from "../../src/events/envelope.ts";
import type { CertwireEvent } from "../../src/events/event.ts";
import { loadNative } from "../../src/native/addon.ts";
import { SimulatedCa } from "../../src/simulate/simulated-ca.ts";
import { eventsOfJournal } from "../../src/sources/journal-events.ts";
import { journalDirectory } from "./small-journal.ts";

interface Plan {
  /** Events beside the start and the stop. */
  readonly count?: number;
  readonly seed?: string;
  /** True for a CA that ends without a stop. */
  readonly isKilled?: boolean;
}

/** A journal of some starts of a simulated CA, each with `count` events beside its start and its stop. */
export function simulatedJournal(
  context: TestContext,
  { epochs = 2, ...plan }: Plan & { readonly epochs?: number } = {},
): string {
  const directory = journalDirectory(context);
  const ca = simulatedCa(plan);
  for (let epoch = 0; epoch < epochs; epoch += 1) recordEpoch(directory, ca, plan);
  return directory;
}

/** Records one more start of a simulated CA. */
export function recordOn(directory: string, plan: Plan): void {
  recordEpoch(directory, simulatedCa(plan), plan);
}

function simulatedCa({ seed = "evidence" }: Plan): SimulatedCa {
  return new SimulatedCa({ seed, now: () => new Date(Date.UTC(2026, 0, 5)) });
}

function recordEpoch(
  directory: string,
  ca: SimulatedCa,
  { count = 40, isKilled = false }: Plan,
): void {
  const simulator = new (loadNative().ExitSimulator)({ directory, caName: "Evidence CA" });
  simulator.notify(ca.started());
  for (let at = 0; at < count; at += 1) simulator.notify(ca.next());
  if (!isKilled) {
    simulator.notify(ca.stopped());
    assert.ok(simulator.shutdown());
  }
  simulator.close();
}

/** The events of a journal as a service publishes them, as a consumer parses them. */
export async function publishedEvents(
  directory: string,
  options: EventOptions = {},
  caMemory = new CaMemory(),
): Promise<CertwireEvent[]> {
  const made: CertwireEvent[] = [];
  const undecodable = (error: Error): never => assert.fail(error);
  const all = { events: options, caMemory, undecodable };
  const { signal } = new AbortController();
  for await (const { replayed: _, ...event } of eventsOfJournal(directory, all, signal)) {
    made.push(JSON.parse(JSON.stringify(event)) as CertwireEvent);
  }
  return made;
}
