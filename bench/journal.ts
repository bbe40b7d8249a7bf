import { mkdirSync } from "node:fs";
import { loadNative } from "../src/native/addon.ts";
import { steppedClock } from "../src/simulate/feed.ts";
import { SimulatedCa } from "../src/simulate/simulated-ca.ts";

// Making a certificate takes longer than recording it, so the same ones are reused.
const distinctEvents = 2_000;

/** Writes a journal of this many events through the exit module's own code, as fast as it can. */
export function fillJournal(directory: string, events: number): void {
  mkdirSync(directory);
  const ca = new SimulatedCa({ seed: "bench", now: steppedClock(0) });
  const simulator = new (loadNative().ExitSimulator)({ directory, caName: ca.name });
  const pool = Array.from({ length: Math.min(events, distinctEvents) }, () => ca.next());
  for (let made = 0; made < events; made += 1) simulator.notify(pool[made % pool.length]!);
  simulator.notify(ca.stopped());
  simulator.shutdown();
  simulator.close();
}
