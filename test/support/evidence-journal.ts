import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { CaMemory } from "../../src/events/ca-memory.ts";
import type { EventOptions } from "../../src/events/envelope.ts";
import type { CertwireEvent } from "../../src/events/event.ts";
import { loadNative } from "../../src/native/addon.ts";
import { SimulatedCa } from "../../src/simulate/simulated-ca.ts";
import { eventsOfJournal } from "../../src/sources/journal-events.ts";
import { journalDirectory } from "./small-journal.ts";

/** A journal of some starts of a simulated CA, each with `count` events beside its start and its stop. */
export function simulatedJournal(
  context: TestContext,
  { count = 40, epochs = 2, seed = "evidence" } = {},
): string {
  const directory = journalDirectory(context);
  const ca = new SimulatedCa({ seed, now: () => new Date(Date.UTC(2026, 0, 5)) });
  for (let epoch = 0; epoch < epochs; epoch += 1) {
    const simulator = new (loadNative().ExitSimulator)({ directory, caName: "Evidence CA" });
    simulator.notify(ca.started());
    for (let at = 0; at < count; at += 1) simulator.notify(ca.next());
    simulator.notify(ca.stopped());
    assert.ok(simulator.shutdown());
    simulator.close();
  }
  return directory;
}

/** The events of a journal as a service publishes them, as a consumer parses them. */
export async function publishedEvents(
  directory: string,
  options: EventOptions = {},
): Promise<CertwireEvent[]> {
  const made: CertwireEvent[] = [];
  const undecodable = (error: Error): never => assert.fail(error);
  const all = { events: options, caMemory: new CaMemory(), undecodable };
  const { signal } = new AbortController();
  for await (const { replayed: _, ...event } of eventsOfJournal(directory, all, signal)) {
    made.push(JSON.parse(JSON.stringify(event)) as CertwireEvent);
  }
  return made;
}
