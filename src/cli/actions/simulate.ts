import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { loadNative } from "../../native/addon.ts";
import { say } from "../output.ts";
import { feedText, loadSimulator } from "../simulator.ts";
import { stopSignal } from "../stop-signal.ts";

/** The options of `certwire simulate`. */
export interface SimulateOptions {
  readonly journal: string;
  readonly rate: number;
  readonly count?: number;
  readonly seed?: string;
}

/** How often the counts are printed, in ms. */
const reportIntervalMs = 5000;

/** `certwire simulate`: a simulated CA writes a journal. */
export async function simulate({ journal, rate, count, seed }: SimulateOptions): Promise<void> {
  const { createCa, feed, newFeedCounts } = await loadSimulator();
  const signal = stopSignal();
  const directory = resolve(journal);
  mkdirSync(directory, { recursive: true });
  const ca = createCa(seed, rate);
  const simulator = new (loadNative().ExitSimulator)({ directory, caName: ca.name });
  const counts = newFeedCounts();
  const report = setInterval(() => say(`events: ${feedText(counts)}`), reportIntervalMs);
  try {
    await feed({ ca, simulator, rate, count }, counts, signal);
  } finally {
    clearInterval(report);
    simulator.close();
  }
  say(`events: ${feedText(counts)}; journal: ${directory}`);
}
