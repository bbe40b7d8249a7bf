import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import { loadNative } from "../../native/addon.ts";
import { say } from "../output.ts";
import { addFeedOptions, feedText, loadSimulator } from "../simulator.ts";
import { stopSignal } from "../stop-signal.ts";

interface SimulateOptions {
  readonly journal: string;
  readonly rate: number;
  readonly count?: number;
  readonly seed?: string;
}

/** How often the counts are printed, in ms. */
const reportIntervalMs = 5000;

/** `certwire simulate`: a simulated CA writes a journal. */
export function addSimulateCommand(program: Command): void {
  const command = program
    .command("simulate")
    .description("write a journal with a simulated CA, through the exit module's own code")
    .requiredOption("-j, --journal <directory>", "journal directory, created if missing")
    .addHelpText("after", help)
    .action(simulate);
  addFeedOptions(command, 10);
}

const help = `
Never use the journal of a real CA: consumers cannot distinguish simulated events from real ones.

Example:
  certwire simulate --journal var/journal --rate 200 --count 10000 --seed 1`;

async function simulate({ journal, rate, count, seed }: SimulateOptions): Promise<void> {
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
