import type { Command } from "commander";

export function addExplainCommand(program: Command): void {
  program
    .command("explain")
    .description("print what an error code, an event-log id or a check of doctor means")
    .argument(
      "[code]",
      "such as CERTWIRE_CONFIG_INVALID, the number of an event-log entry, or a check",
    )
    .addHelpText("after", help)
    .action(async (code?: string) => (await import("../actions/explain.ts")).explain(code));
}

const help = `
Without a code it lists them all.

Examples:
  certwire explain CERTWIRE_JOURNAL_UNREADABLE
  certwire explain 23
  certwire explain module-loaded`;
