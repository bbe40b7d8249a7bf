import type { Command } from "commander";
import { CertwireError } from "../errors/certwire-error.ts";
import type { FeedCounts } from "../simulate/index.ts";
import { parseCount, parseRate } from "./arguments.ts";

/** Adds the options of a command that runs the simulated CA; `rate` is the default, in events per second. */
export function addFeedOptions(command: Command, rate: number): void {
  command
    .option(
      "-r, --rate <events>",
      "events per second; 0 means as fast as possible",
      parseRate,
      rate,
    )
    .option(
      "-n, --count <events>",
      "stop after this many events (default: run until interrupted)",
      parseCount,
    )
    .option(
      "-s, --seed <text>",
      "make the run reproducible: same seed, same events, simulated timestamps",
    );
}

/** Loads the simulated CA, which an installation on a CA may lack. Rejects with a CertwireError. */
export async function loadSimulator() {
  try {
    return await import("../simulate/index.ts");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw cause;
    const message = "the simulated CA is not part of this installation";
    const hint = "Run this command from the npm package or a checkout, not on a CA.";
    throw new CertwireError("CERTWIRE_USAGE", message, { cause, hint });
  }
}

/** How many simulated events were recorded, and how many of them were late or dropped. */
export function feedText({ events, outcomes }: FeedCounts): string {
  const { pending, dropped } = outcomes;
  const notes = [
    ...(pending > 0 ? [`${pending} returned to the CA before reaching the disk`] : []),
    ...(dropped > 0 ? [`${dropped} dropped`] : []),
  ];
  return `${events} recorded${notes.length > 0 ? ` (${notes.join(", ")})` : ""}`;
}
