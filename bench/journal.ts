import { mkdirSync } from "node:fs";
import { loadNative, type SimulatedEvent } from "../src/native/addon.ts";
import { steppedClock } from "../src/simulate/feed.ts";
import { SimulatedCa } from "../src/simulate/simulated-ca.ts";

// Making a certificate takes longer than recording it, so the same ones are reused.
const distinctEvents = 2_000;

/**
 * Writes a journal of this many events through the exit module's own code, as fast as it can. `change` makes of each event,
 * whose number it gets, the one that is written; default the same.
 */
export function fillJournal(
  directory: string,
  events: number,
  change: (event: SimulatedEvent, number: number) => SimulatedEvent = (event) => event,
): void {
  mkdirSync(directory);
  const ca = new SimulatedCa({ seed: "bench", now: steppedClock(0) });
  const simulator = new (loadNative().ExitSimulator)({ directory, caName: ca.name });
  const pool = Array.from({ length: Math.min(events, distinctEvents) }, () => ca.next());
  for (let made = 0; made < events; made += 1) {
    simulator.notify(change(pool[made % pool.length]!, made));
  }
  simulator.notify(ca.stopped());
  simulator.shutdown();
  simulator.close();
}
