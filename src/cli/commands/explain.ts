import type { Command } from "commander";

export function addExplainCommand(program: Command): void {
  program
    .command("explain")
    .description(
      "print what a code means, and what to do: of an error, a reason of health, an alert, an entry of the event log, or a check of doctor",
    )
    .argument("[code]", "such as CERTWIRE_CONFIG_INVALID, sink-refused, CertwireSinkDown, or 23")
    .addHelpText("after", help)
    .action(async (code?: string) => (await import("../actions/explain.ts")).explain(code));
}

const help = `
Without a code it lists them all.

Examples:
  certwire explain CERTWIRE_JOURNAL_UNREADABLE
  certwire explain sink-refused
  certwire explain CertwireSinkDown
  certwire explain 23
  certwire explain module-loaded`;
