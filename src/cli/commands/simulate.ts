import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import { loadNative } from "../../native/addon.ts";
import { type FeedCounts, feed, newFeedCounts, steppedClock } from "../../simulate/feed.ts";
import { SimulatedCa } from "../../simulate/simulated-ca.ts";
import { parseCount, parseRate } from "../arguments.ts";
import { say } from "../output.ts";
import { stopSignal } from "../stop-signal.ts";

interface SimulateOptions {
  readonly journal: string;
  readonly rate: number;
  readonly count?: number;
  readonly seed?: string;
}

/** How often a line tells how far the simulation is, in ms. */
const reportIntervalMs = 5000;

/** `certwire simulate`: a simulated CA writes a journal. */
export function addSimulateCommand(program: Command): void {
  program
    .command("simulate")
    .description("let a simulated CA write a journal, through the exit module's own code")
    .requiredOption("-j, --journal <directory>", "journal directory, made if it is not there")
    .option(
      "-r, --rate <events>",
      "events a second; 0 stands for as many as possible",
      parseRate,
      10,
    )
    .option("-n, --count <events>", "stop after so many events; default: when stopped", parseCount)
    .option("-s, --seed <text>", "the same seed makes the same events, on a clock of its own")
    .addHelpText("after", help)
    .action(simulate);
}

const help = `
Never name the journal of a real CA: consumers could not tell the simulated events from real ones.

Example:
  certwire simulate --journal var/journal --rate 200 --count 10000 --seed 1`;

async function simulate({ journal, rate, count, seed }: SimulateOptions): Promise<void> {
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
  say(`events: ${feedText(counts)}; the journal is in ${directory}`);
}

/** A CA of the given seed; without one each is another, on the clock of this machine. */
export function createCa(seed: string | undefined, rate: number): SimulatedCa {
  if (seed === undefined) return new SimulatedCa({ seed: Math.random() });
  return new SimulatedCa({ seed, now: steppedClock(rate) });
}

/** What became of the events, in words. */
export function feedText({ events, outcomes }: FeedCounts): string {
  const { pending, dropped } = outcomes;
  const late = pending > 0 ? `, of ${pending} the CA did not wait for the disk` : "";
  return `${events} recorded${late}${dropped > 0 ? `, ${dropped} dropped` : ""}`;
}
