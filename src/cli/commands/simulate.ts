import type { Command } from "commander";
import type { SimulateOptions } from "../actions/simulate.ts";
import { addFeedOptions } from "../simulator.ts";

export function addSimulateCommand(program: Command): void {
  const command = program
    .command("simulate")
    .description("write a journal with a simulated CA, through the exit module's own code")
    .requiredOption("-j, --journal <directory>", "journal directory, created if missing")
    .addHelpText("after", help)
    .action(async (options: SimulateOptions) =>
      (await import("../actions/simulate.ts")).simulate(options),
    );
  addFeedOptions(command, 10);
}

const help = `
Never use the journal of a real CA: consumers cannot distinguish simulated events from real ones.

Example:
  certwire simulate --journal var/journal --rate 200 --count 10000 --seed 1`;
