import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { packageRoot } from "../native/addon.ts";
import { addCheckCommand } from "./commands/check.ts";
import { addDemoCommand } from "./commands/demo.ts";
import { addJournalCommand } from "./commands/journal.ts";
import { addReplayCommand } from "./commands/replay.ts";
import { addRunCommand } from "./commands/run.ts";
import { addSimulateCommand } from "./commands/simulate.ts";
import { exitCodeOf, exitCodes } from "./exit-codes.ts";
import { sayError } from "./output.ts";

/** The command line with all its commands. */
export function createProgram(): Command {
  const program = new Command("certwire")
    .description("Publishes everything an AD CS certification authority does, as events.")
    .version(packageVersion(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand(false)
    .showHelpAfterError("(run with --help for usage)")
    .addHelpText("after", exitCodeHelp)
    .exitOverride();
  addRunCommand(program);
  addCheckCommand(program);
  addReplayCommand(program);
  addJournalCommand(program);
  addSimulateCommand(program);
  addDemoCommand(program);
  return program;
}

const exitCodeHelp = `
Exit codes:
  0 done   1 internal error   2 usage error   3 dead letters   65 bad data
  69 broker unreachable   74 disk error   75 directory in use   77 access denied   78 configuration
  130 interrupted`;

/** Runs one command, prints its error to standard error, and resolves to the exit code. Never rejects. */
export async function runProgram(arguments_: readonly string[]): Promise<number> {
  try {
    await createProgram().parseAsync(arguments_, { from: "user" });
    return typeof process.exitCode === "number" ? process.exitCode : exitCodes.ok;
  } catch (error) {
    sayError(error);
    return exitCodeOf(error);
  }
}

function packageVersion(): string {
  const text = readFileSync(join(packageRoot(), "package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
