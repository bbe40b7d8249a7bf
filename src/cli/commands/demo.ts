import type { Command } from "commander";
import type { DemoOptions } from "../actions/demo.ts";
import { addFeedOptions } from "../simulator.ts";

export function addDemoCommand(program: Command): void {
  const command = program
    .command("demo")
    .description("watch everything at work: a simulated CA, the journal, the service, the sinks")
    .option("-c, --config <file>", "publish to the sinks of this configuration (default: files)")
    .option("-d, --directory <directory>", "directory for journal, state and events", "var/demo")
    .addHelpText("after", help)
    .action(async (options: DemoOptions) => (await import("../actions/demo.ts")).demo(options));
  addFeedOptions(command, 4);
}

const help = `
The demo uses its own journal in --directory, never the one in the configuration, so simulated events
do not mix with those of a real CA. They are published to the sinks of the configuration, though.

Examples:
  certwire demo
  certwire demo --config config/kafka.example.jsonc --rate 200`;
